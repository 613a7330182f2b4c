"""The `google-genai` client: contents, as its README calls them."""

from __future__ import annotations

from typing import Any

from google import genai
from google.genai import types
from serving import KEY, Answer, Ask, Call, Cell, Read, serve


def client_of(cell: Cell) -> tuple[Ask, Read]:
    """Call `models.generate_content` and its streaming sister."""
    retry = None if cell.retries is None else types.HttpRetryOptions(attempts=cell.retries + 1)
    options = types.HttpOptions(base_url=cell.base_url, timeout=int(cell.timeout * 1000), retry_options=retry)
    client = genai.Client(api_key=KEY, http_options=options)

    def ask(prompt: str) -> Any:
        call = client.models.generate_content_stream if cell.stream else client.models.generate_content
        return call(model="mock", contents=prompt, config={"max_output_tokens": cell.max_tokens})

    return ask, _read


def _read(response: Any, answer: Answer) -> None:
    answer.text.append(response.text or "")
    for call in response.function_calls or []:
        answer.calls[len(answer.calls)] = Call(call.name or "", call.args)
    for candidate in response.candidates or []:
        answer.finish = str(candidate.finish_reason.value) if candidate.finish_reason else answer.finish
    if response.prompt_feedback and response.prompt_feedback.block_reason:
        answer.told = f"prompt_feedback {response.prompt_feedback.block_reason}"


if __name__ == "__main__":
    serve("google-genai", {"gemini": client_of})
