"""The `openai` client: chat and responses, as its README calls them."""

from __future__ import annotations

from typing import Any

import chat
import openai
from serving import KEY, Answer, Ask, Call, Cell, Read, serve


def _made(cell: Cell) -> openai.OpenAI:
    more: dict[str, Any] = {} if cell.retries is None else {"max_retries": cell.retries}
    return openai.OpenAI(base_url=cell.base_url, api_key=KEY, timeout=cell.timeout, **more)


def chat_client(cell: Cell) -> tuple[Ask, Read]:
    """Call `chat.completions.create`."""
    client = _made(cell)

    def ask(prompt: str) -> Any:
        messages: Any = [{"role": "user", "content": prompt}]
        return client.chat.completions.create(
            model="mock", messages=messages, stream=cell.stream, max_tokens=cell.max_tokens
        )

    return ask, chat.read_chunk if cell.stream else chat.read_whole


def responses_client(cell: Cell) -> tuple[Ask, Read]:
    """Call `responses.create`."""
    client = _made(cell)

    def ask(prompt: str) -> Any:
        return client.responses.create(
            model="mock", input=prompt, stream=cell.stream, max_output_tokens=cell.max_tokens
        )

    return ask, _read_event if cell.stream else _read_response


def _read_response(response: Any, answer: Answer) -> None:
    answer.text.append(response.output_text)
    answer.finish = response.status
    if response.status == "failed":
        answer.told = f"response.failed {response.error}"
    for number, item in enumerate(response.output):
        if item.type == "function_call":
            answer.calls[number] = Call(item.name, item.arguments)


def _read_event(event: Any, answer: Answer) -> None:
    match event.type:
        case "response.output_text.delta":
            answer.text.append(event.delta)
        case "response.output_item.added" if event.item.type == "function_call":
            answer.calls[event.output_index] = Call(event.item.name)
        case "response.function_call_arguments.delta":
            answer.calls.setdefault(event.output_index, Call()).arguments += event.delta
        case "response.completed" | "response.incomplete":
            answer.finish = event.response.status
        case "response.failed" | "error":
            answer.told = event.type


if __name__ == "__main__":
    serve("openai", {"openai_chat": chat_client, "openai_responses": responses_client})
