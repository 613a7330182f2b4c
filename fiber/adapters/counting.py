"""
Counting by the provider: a chat as it would be sent becomes the question how many tokens its input is.

The question is made of the finished request, so that it has all that a row's hook and the caller's own members say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from fiber.adapters.failures import unreadable
from fiber.adapters.jsons import decode_any
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.target import Target

_PROFILE = re.compile(r"(?<=/model/)(us|us-gov|eu|apac|jp|au|global)\.")


def body_of(chat: HTTPRequest) -> dict[str, Any]:
    """Return the body of a built chat."""
    body: dict[str, Any] = msgspec.json.decode(chat.body)
    return body


def kept(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return those members of *body* that the question takes, too."""
    return {name: body[name] for name in names if name in body}


def asking(chat: HTTPRequest, body: Mapping[str, Any], path: str, instead: str) -> HTTPRequest:
    """Return *chat* with *body*, and with *instead* where its URL ends in *path*; the query stays."""
    place, mark, query = chat.url.partition("?")
    url = f"{place.removesuffix(path)}{instead}{mark}{query}"
    return msgspec.structs.replace(chat, url=url, body=msgspec.json.encode(body))


def asking_bedrock(chat: HTTPRequest, said: Mapping[str, Any], path: str) -> HTTPRequest:
    """
    Return the question to Bedrock; an inference profile counts as the model that it stands for.

    Only models themselves are counted for, not their profiles like `us.anthropic...`.
    Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html, read 2026-11-21.
    """
    asked = asking(chat, {"input": said}, path, "/count-tokens")
    return msgspec.structs.replace(asked, url=_PROFILE.sub("", asked.url, count=1))


def counted(head: HTTPHead, body: bytes, target: Target, member: str) -> int:
    """
    Read the *member* of an answer that has the number.

    Raises:
        FiberParsingError: It is not there.
    """
    answer = decode_any(body)
    found = answer.get(member) if isinstance(answer, dict) else None
    if type(found) is not int or found < 0:
        raise unreadable(head, target, body, f"no number of tokens in {member!r}")
    return found
