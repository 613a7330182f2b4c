"""
The reader of an answer: tells an `Assembly` what a reply or a line says.

A reply is one line that says everything. Tool calls come under the reason `stop`, so the calls
themselves tell (`Assembly` does).
"""

from __future__ import annotations

import msgspec

from fiber.adapters.assembly import Assembly, usage_of
from fiber.adapters.jsons import count, decode_any, text, text_of, total
from fiber.adapters.logprobs import token_logprobs
from fiber.adapters.ollama.schema import THINKING, Call, Reply
from fiber.types.receipt import Usage
from fiber.types.result import FinishReason

FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length"}
"""Others are `load` and `unload`, answers to a request without messages."""

_NANOSECONDS = 1e9
_TIMINGS = ("total", "load", "prompt_eval", "eval")


class Answer:
    """What one answer says."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._thinking: list[str] = []
        self._calls = 0

    def read(self, reply: Reply) -> bool:
        """Take a line, or a reply; say whether it was the last."""
        assembly = self._assembly
        assembly.start(text(reply.model))
        if (message := reply.message) is not None:
            if thinking := text(message.thinking):
                self._thinking.append(thinking)
                assembly.reasoning(thinking, THINKING)
            if said := text(message.content):
                assembly.text(said)
            for call in message.tool_calls or ():
                self._call(call)
        if tokens := token_logprobs(reply.logprobs):
            assembly.logprobs(tokens)
        if reply.done is not True:
            return False
        self._close(reply)
        return True

    def _call(self, call: Call) -> None:
        key = ("call", self._calls)
        self._calls += 1
        name = text(call.function.name) if call.function is not None else ""
        self._assembly.tool_start(key, text(call.id), name)
        self._assembly.tool_delta(key, _arguments(call))
        self._assembly.tool_end(key)

    def _close(self, reply: Reply) -> None:
        if self._thinking:
            thinking = msgspec.json.encode("".join(self._thinking)).decode()
            self._assembly.seal(self._assembly.opaque(thinking, THINKING), THINKING)
        self._assembly.usage = usage_from(reply)
        reason = text(reply.done_reason)
        self._assembly.finish(FINISH_REASONS.get(reason, "other") if reason else None, reason or None)


def usage_from(reply: Reply) -> Usage:
    """Read the counts, and the durations, which come in nanoseconds."""
    given, made = count(reply.prompt_eval_count), count(reply.eval_count)
    measured = {name: count(getattr(reply, f"{name}_duration")) for name in _TIMINGS}
    timings = {name: value / _NANOSECONDS for name, value in measured.items() if value is not None}
    usage = usage_of(
        input_tokens=given,
        output_tokens=made,
        total_tokens=None if given is None or made is None else total(given, made),
    )
    return msgspec.structs.replace(usage, timings=timings) if timings else usage


def _arguments(call: Call) -> str:
    """Return the arguments as JSON text; some models write them as a text, or leave them out."""
    said = text_of(call.function.arguments) if call.function is not None else ""
    if said.startswith('"'):
        said = text(decode_any(said.encode()))
    return said if said.strip() not in ("", "null") else "{}"
