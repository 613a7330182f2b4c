"""
The name of an answer in a cache: equal for calls that ask the same of the same model, and different for all others.

Hashed is canonical JSON of what is sent: however it was spelled by the caller, in whichever process. What only says how
the call is made (timers, retries, labels, bound fields) does not belong to it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from fiber._chain import Call
from fiber.providers.keys import KeyPool
from fiber.types.http import Secret
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest

SCHEMA = 1
"""Changes whenever the same call gets another key, or an entry another form."""

_EXACT = 2**53


def cache_key(call: Call, *, tools: bool, tenant: str) -> str | None:
    """
    Return the key of *call*; None when its answer is not to be cached.

    Args:
        tools: Requests with tools are cached too.
        tenant: Bound field whose value owns the answer. Without one the credential does, so that two keys never see
            each other's answers; one that is a callable is known by its row only, and a pool of keys is one owner.
    """
    request: Any = getattr(call.operation, "request", None)
    if not isinstance(request, ChatRequest) or call.forget_text or (request.tools and not tools):
        return None
    what = {
        "schema": SCHEMA,
        "operation": type(call.operation).__name__,
        "owner": _owner(call, tenant),
        # Whoever names other models shares no answer with whoever does not.
        "fallbacks": [(other.target.provider, other.target.base_url, other.target.model) for other in call.fallbacks],
        "provider": call.target.provider,
        "base_url": call.target.base_url,
        "model": call.target.model,
        "headers": call.row.headers,
        "request": _canonical(request),
    }
    try:
        named = msgspec.json.encode(_plain(msgspec.to_builtins(what)), order="sorted")
    except (TypeError, ValueError, RecursionError):
        return None  # it cannot be sent either, and the engine says why
    return f"cache:v{SCHEMA}:{sha256(named).hexdigest()}"


def _owner(call: Call, tenant: str) -> str:
    if tenant in call.bound:
        return f"tenant {call.bound[tenant]}"
    credentials = (call.credential, *(other.credential for other in call.fallbacks))
    texts = [key.texts() if isinstance(key, Secret | KeyPool) else () for key in credentials]
    return f"keys {sha256(msgspec.json.encode(texts)).hexdigest()}"


def _canonical(request: ChatRequest) -> dict[str, Any]:
    """Return the members of *request* that have a value, messages and format in one spelling."""
    values = {name: getattr(request, name) for name in request.__struct_fields__ if name != "model"}
    values["messages"] = [_message(message) for message in request.messages]
    if request.response_format is not None:
        # The type only says what becomes of the text afterwards; its schema is what the model sees.
        values["response_format"] = msgspec.structs.replace(request.response_format, python_type=None)
    return {name: value for name, value in values.items() if value is not None}


def _message(message: ChatMessage) -> dict[str, Any]:
    return {
        "role": message.role,
        "name": message.name,
        "cache_hint": message.cache_hint,
        "parts": message.parts,
    }


def _plain(value: Any) -> Any:
    """Return *value* with whole numbers in one spelling: 1.0 is 1."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value
