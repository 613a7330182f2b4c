"""What `transformers serve` is asked: a server that ends its streams without the format's last word."""

from __future__ import annotations

import llama_cases

from fiber.providers.compatible import OPENAI_COMPATIBLE

ROW = OPENAI_COMPATIBLE
PATH = "/v1"
CASES = {ask: llama_cases.CASES[ask] for ask in (llama_cases.text, llama_cases.history, llama_cases.stopped)}
