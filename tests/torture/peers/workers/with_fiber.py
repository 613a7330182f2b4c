"""fiber itself, by the same rules, through `fiber.sync`."""

from __future__ import annotations

from typing import Any

from serving import KEY, Answer, Ask, Call, Cell, Read, serve

from fiber import PROVIDERS, Fiber, RetryPolicy, Timeouts


def client_of(cell: Cell) -> tuple[Ask, Read]:
    """Call `chat` and `chat_stream`."""
    name = next(row.name for row in PROVIDERS if row.adapter == cell.format)
    more: dict[str, Any] = {} if cell.retries is None else {"retry": RetryPolicy(max_attempts=cell.retries + 1)}
    each = cell.timeout
    timeouts = Timeouts(connect=each, read=each, first_event=each, stall=each, total=cell.total)
    client = Fiber(base_urls={name: cell.base_url}, api_keys={name: KEY}, timeouts=timeouts, **more).sync

    def ask(prompt: str) -> Any:
        model = f"{name}:mock"
        if cell.stream:
            return [client.chat_stream(prompt, model=model, max_tokens=cell.max_tokens).collect()]
        return client.chat(prompt, model=model, max_tokens=cell.max_tokens)

    return ask, _read


def _read(result: Any, answer: Answer) -> None:
    answer.text.append(result.text)
    answer.finish = result.finish_reason
    for number, call in enumerate(result.tool_calls):
        answer.calls[number] = Call(call.name, call.arguments_json)


if __name__ == "__main__":
    serve("fiber-llm", dict.fromkeys(("openai_chat", "openai_responses", "anthropic", "gemini"), client_of))
