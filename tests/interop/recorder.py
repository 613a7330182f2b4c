"""
A loopback server that keeps every request and answers with the least valid answer of its format.

The first folder of a path names the case and is taken off again, so any client can be told apart by its base URL.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

COMPARED_HEADERS = (
    "authorization",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "anthropic-version",
    "anthropic-beta",
    "content-type",
)
"""What a server decides by; the rest is the client's name and its transport."""

TEXT = '{"city": "Zürich"}'
"""What every answer says; JSON, because some cases ask for it."""

_SNAKE = re.compile(r"_([a-z])")
_USAGE = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
_RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": TEXT, "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": _USAGE,
}
_CHAT = {"id": "chatcmpl-1", "created": 1, "model": "m"}
_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
_CANDIDATE = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": TEXT}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
}

_LINE = {"model": "m", "message": {"role": "assistant", "content": TEXT}, "done": True, "done_reason": "stop"}

WHOLE: dict[str, Any] = {
    # End of the path -> body.
    "/chat/completions": {
        **_CHAT,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    },
    "/responses": _RESPONSE,
    "/messages": {
        **_MESSAGE,
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
    ":generateContent": _CANDIDATE,
    "/v2/chat": {
        "id": "r1",
        "message": {"role": "assistant", "content": [{"type": "text", "text": TEXT}]},
        "finish_reason": "COMPLETE",
    },
    "/api/chat": _LINE,
}

STREAMS: dict[str, list[Any]] = {
    # End of the path -> events; a text is sent as it is.
    "/chat/completions": [
        {
            **_CHAT,
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
        },
        "[DONE]",
    ],
    "/responses": [
        {"type": "response.created", "sequence_number": 0, "response": {**_RESPONSE, "status": "in_progress"}},
        {"type": "response.completed", "sequence_number": 1, "response": _RESPONSE},
    ],
    "/messages": [
        {
            "type": "message_start",
            "message": {
                **_MESSAGE,
                "content": [],
                "stop_reason": None,
                "usage": {"input_tokens": 1, "output_tokens": 0},
            },
        },
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 1},
        },
        {"type": "message_stop"},
    ],
    ":streamGenerateContent": [_CANDIDATE],
    "/v2/chat": [
        {"type": "message-start", "id": "r1", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": TEXT}}}},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
    ],
    "/api/chat": [json.dumps(_LINE)],
}


class Recorder:
    """Listens on 127.0.0.1 while it is entered; `requests` has the canonical requests of each case."""

    def __init__(self) -> None:
        self.requests: dict[str, list[dict[str, Any]]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.requests))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address, to which `/CASE` is appended."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)


def canonical(value: Any) -> Any:
    """Leave out nulls: to every one of these servers they mean the same as absence."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return value


def canonical_proto(value: Any) -> Any:
    """
    Write a Gemini body in the one of its equal spellings that the documentation uses.

    The JSON mapping of protocol buffers (https://protobuf.dev/programming-guides/json/) reads `mime_type` like
    `mimeType` and both alphabets of base64; an empty message in `generationConfig` says nothing. Schemas and arguments
    are the caller's and stay as they are.
    """
    if isinstance(value, list):
        return [canonical_proto(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {_SNAKE.sub(lambda match: match[1].upper(), name): item for name, item in value.items()}
    if isinstance(made.get("data"), str):
        made["data"] = made["data"].replace("-", "+").replace("_", "/")
    if not made.get("generationConfig", True):
        del made["generationConfig"]
    own = ("parametersJsonSchema", "responseJsonSchema", "args", "response")
    return {name: item if name in own else canonical_proto(item) for name, item in made.items()}


def _handler(requests: dict[str, list[dict[str, Any]]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            target = urlsplit(self.path)
            case, _, path = target.path.lstrip("/").partition("/")
            path = "/" + path
            try:
                body = json.loads(raw)
            except ValueError:
                body = {"not JSON": raw.decode("latin-1")}
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = {
                "method": self.command,
                "path": unquote(path),
                "query": dict(sorted(parse_qsl(target.query, keep_blank_values=True))),
                "header": {name: headers[name] for name in COMPARED_HEADERS if name in headers},
                "body": canonical_proto(canonical(body)) if ":" in path else canonical(body),
            }
            requests.setdefault(case, []).append(request)
            streamed = body.get("stream") is True or path.endswith(":streamGenerateContent")
            self._answer(path, streamed=streamed)

        def _answer(self, path: str, *, streamed: bool) -> None:
            table = STREAMS if streamed else WHOLE
            found = next((answer for end, answer in table.items() if path.endswith(end)), None)
            if found is None:
                out, kind = b'{"error": {"message": "no such path"}}', "application/json"
            elif streamed:
                out, kind = b"".join(map(_event, found)), "text/event-stream"
                if path.endswith("/api/chat"):  # lines of JSON
                    out, kind = "".join(f"{line}\n" for line in found).encode(), "application/x-ndjson"
            else:
                out, kind = json.dumps(found).encode(), "application/json"
            self.send_response(404 if found is None else 200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        do_GET = do_POST

        def log_message(self, format: str, *arguments: Any) -> None:
            """Keep quiet."""

    return Handler


def _event(event: Any) -> bytes:
    if isinstance(event, str):
        return f"data: {event}\n\n".encode()
    name = f"event: {event['type']}\n" if "type" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()
