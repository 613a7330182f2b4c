"""`litellm.completion`: the `openai/` and the `anthropic/` route, as its documentation calls them."""

from __future__ import annotations

import os
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it fetches a list of models otherwise

import chat
import litellm
from serving import KEY, Ask, Cell, Read, serve

litellm.suppress_debug_info = True
litellm.telemetry = False
_ROUTES = {"openai_chat": "openai/mock", "anthropic": "anthropic/mock"}


def client_of(cell: Cell) -> tuple[Ask, Read]:
    """Call `completion`."""
    litellm.in_memory_llm_clients_cache.flush_cache()  # it keeps connections; each cell has new ones
    more: dict[str, Any] = {} if cell.retries is None else {"num_retries": cell.retries}

    def ask(prompt: str) -> Any:
        return litellm.completion(
            model=_ROUTES[cell.format],
            messages=[{"role": "user", "content": prompt}],
            api_base=cell.base_url,
            api_key=KEY,
            timeout=cell.timeout,
            stream=cell.stream,
            max_tokens=cell.max_tokens,
            **more,
        )

    return ask, chat.read_chunk if cell.stream else chat.read_whole


if __name__ == "__main__":
    serve("litellm", dict.fromkeys(_ROUTES, client_of))
