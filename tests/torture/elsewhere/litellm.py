"""
LiteLLM's proxy, which translates between formats: its own errors, and those behind it as it retells them.

Behind it stands a `HostileServer`; what the client meets is LiteLLM's own. Some faults of streams it retells as good
answers, with a finish reason that nobody gave (version 1.106.2, seen on 2026-11-21 with a bare HTTP client): from the
other side of it that cannot be seen, so there either outcome is right.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from fiber.testing import HostileServer
from tests.interop.processes import free_port, running
from tests.torture.elsewhere.playing import WORLDS, Cell, Lane, shared, ways
from tests.torture.peers.installing import environment

FORMATS = ("chat", "responses", "messages", "generate beta")
REQUIREMENTS = Path(__file__).parent / "requirements" / "litellm-proxy.txt"
KEYS: Mapping[str, str] = {
    "wrong-key": "sk-wrong-0123456789abcdef",
    "forbidden-key": "sk-forbidden-0123456789abcdef",
    "limited-key": "sk-limited-0123456789abcdef",
}
_MISTOLD = {"bad-request", "bad-key"}
"""In Gemini's format the proxy tells these refusals as a failure of its own, with status 500."""
_KEY = "sk-proxy-0123456789abcdef"
_PROCESSES = 2
_START_SECONDS = 240.0
"""It takes ten where nobody else is at work."""
_QUIET = {
    # Nothing is fetched, and nothing told to anybody.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_POLICY_TEMPLATES": "true",
    "DISABLE_ADMIN_UI": "True",
    "NO_PROXY": "*",
}
WHOLE: Mapping[str, str] = {
    # Name of a key, or of a fault behind the proxy -> words of outcomes that are right.
    "ok": "ok",
    "wrong-key": "auth",
    "forbidden-key": "auth",
    "limited-key": "rate_limit",
    "unknown-model": "bad_request|model_not_found",
    "bad-request": "bad_request",
    "bad-key": "auth",
    "rate-limit": "rate_limit",
    "quota": "quota|rate_limit",
    "context-length": "context_length|bad_request",  # told in words alone, but for OpenAI's formats
    "content-filter": "content_filter|bad_request",
    "server-error": "provider",
    "overloaded": "overloaded|provider",
    "html-502": "provider",
    "text-500": "provider",
    "rst-before-headers": "provider",
    "fin-mid-body": "provider",
    "json-cut": "provider",
    "html": "provider",
    "error-under-200": "provider",
    "empty-200": "provider",
}
STREAM: Mapping[str, str] = {
    "json-cut": "",  # is about whole answers
    # What is no event is left out, and the end made up: nothing is left that a client could see.
    **dict.fromkeys(("html", "error-under-200", "empty-200", "stream-not-json"), "ok|provider|interrupted"),
    "fin-mid-body": "interrupted|provider",
    "stream-cut": "ok|provider|interrupted",
    "stream-error": "interrupted|provider|overloaded",
    "rst-mid-body": "interrupted|provider",
}


@contextmanager
def rounds() -> Iterator[list[list[Lane]]]:
    """
    Start the proxy before a hostile server.

    Raises:
        SkippedError: pip cannot install it.
    """
    with HostileServer(limit_seconds=5.0) as server, proxy(_models(server), _KEY) as url:
        yield [shared([*_cells(url)], _PROCESSES)]


@contextmanager
def proxy(models: Mapping[str, Mapping[str, str]], key: str) -> Iterator[str]:
    """
    Run the proxy, in an environment of its own; give its address.

    Args:
        models: Name -> `litellm_params`: model, address and key behind the proxy.
        key: The one that it takes.

    Raises:
        SkippedError: pip cannot install it.
    """
    python = Path(environment(REQUIREMENTS))
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "keys.py").write_text(_auth(key))
        (folder / "config.json").write_text(json.dumps(_configuration(models, key)))
        command = [str(python.with_name("litellm")), "--config", "config.json", "--host", "127.0.0.1"]
        command += ["--port", str(port), "--num_workers", "1", "--telemetry", "False"]
        with running(
            command, port, folder, path="/health/liveliness", variables=_QUIET, start_seconds=_START_SECONDS
        ) as url:
            yield url


def _cells(url: str) -> Iterator[Cell]:
    # The proxy is slow, so each question is asked in one world; which one, goes by turns.
    asked = [way for way in ways(WHOLE, STREAM) if way[2] == WORLDS[0]]
    for number, (format, (name, stream, _, want)) in enumerate(product(FORMATS, asked)):
        yield Cell(
            name=name,
            format=format,
            stream=stream,
            world=WORLDS[number % len(WORLDS)],
            want=f"{want}|provider" if format == "generate beta" and name in _MISTOLD else want,
            url=url,
            model="ok" if name in KEYS else name,
            key=KEYS.get(name, _KEY),
            text="You said: Hi" if name == "ok" else None,
            may_be_empty=stream and want.startswith("ok|"),
            patient=True,
        )


def _models(server: HostileServer) -> dict[str, dict[str, str]]:
    """Make a model of each fault."""
    return {
        fault: {
            "model": "openai/mock",
            "api_key": "sk-behind-0123456789abcdef",
            "api_base": server.base_url("openai", fault),
        }
        for fault in (*WHOLE, *STREAM)
        if fault in server.faults
    }


def _configuration(models: Mapping[str, Mapping[str, str]], key: str) -> dict[str, Any]:
    """Say what the proxy is to do; JSON is YAML too."""
    return {
        "model_list": [{"model_name": name, "litellm_params": said} for name, said in models.items()],
        "general_settings": {"master_key": key, "custom_auth": "keys.check"},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "litellm_settings": {"drop_params": False, "telemetry": False, "request_timeout": 30, "num_retries": 0},
    }


def _auth(key: str) -> str:
    """Write the module that the proxy asks about keys."""
    return f'''
from litellm.proxy._types import ProxyException, UserAPIKeyAuth


async def check(request, api_key):
    """Without a database a wrong key would be answered with status 400."""
    key = (api_key or "").removeprefix("Bearer ").strip()
    if key == "{key}":
        return UserAPIKeyAuth(api_key=key)
    if key == "{KEYS["limited-key"]}":
        raise ProxyException(
            message="Too fast.", type="rate_limit_error", param="api_key", code=429, headers={{"retry-after": "3600"}}
        )
    if key == "{KEYS["forbidden-key"]}":
        raise ProxyException(message="Not this model.", type="permission_error", param="api_key", code=403)
    raise ProxyException(message="Wrong key.", type="auth_error", param="api_key", code=401)
'''
