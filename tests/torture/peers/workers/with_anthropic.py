"""The `anthropic` client: messages, as its README calls them."""

from __future__ import annotations

from typing import Any

import anthropic
from serving import KEY, Answer, Ask, Call, Cell, Read, serve


def client_of(cell: Cell) -> tuple[Ask, Read]:
    """Call `messages.create`."""
    more: dict[str, Any] = {} if cell.retries is None else {"max_retries": cell.retries}
    client = anthropic.Anthropic(base_url=cell.base_url, api_key=KEY, timeout=cell.timeout, **more)

    def ask(prompt: str) -> Any:
        messages: Any = [{"role": "user", "content": prompt}]
        return client.messages.create(model="mock", messages=messages, stream=cell.stream, max_tokens=cell.max_tokens)

    return ask, _read_event if cell.stream else _read_message


def _read_message(message: Any, answer: Answer) -> None:
    answer.finish = message.stop_reason
    for number, block in enumerate(message.content):
        if block.type == "text":
            answer.text.append(block.text or "")
        elif block.type == "tool_use":
            answer.calls[number] = Call(block.name, block.input)


def _read_event(event: Any, answer: Answer) -> None:
    if event.type == "content_block_start" and event.content_block.type == "tool_use":
        answer.calls[event.index] = Call(event.content_block.name)
    elif event.type == "content_block_delta" and event.delta.type == "text_delta":
        answer.text.append(event.delta.text or "")
    elif event.type == "content_block_delta" and event.delta.type == "input_json_delta":
        answer.calls[event.index].arguments += event.delta.partial_json
    elif event.type == "message_delta":
        answer.finish = event.delta.stop_reason or answer.finish


if __name__ == "__main__":
    serve("anthropic", {"anthropic": client_of})
