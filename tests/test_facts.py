"""What a client knows without a call, from both faces."""

from __future__ import annotations

import pytest

from fiber import Fiber, SyncFiber

FIBER = Fiber(api_keys={"openai": "sk-x"})
FACES = pytest.mark.parametrize("face", [FIBER, FIBER.sync], ids=["coroutines", "blocking"])


@FACES
def test_has_key_and_routes_need_no_call(face: Fiber | SyncFiber) -> None:
    """A client tells, without a call, for which providers it has keys, and how it routes."""
    assert face.has_key("openai")
    assert face.has_key("ollama")
    assert not face.has_key("claude")
    assert face.route("claude-x").provider == "anthropic"
    assert face.explain("claude-x")[-1] == "longest prefix 'claude-': anthropic"
    assert face.providers["openai"].name == "openai"
