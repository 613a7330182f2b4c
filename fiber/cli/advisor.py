"""
The tools of an advisor on a lockfile: what a model may ask for, and what becomes of it.

Models are looked up in the catalogue, so that none is invented; a change is shown and agreed to before it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import unified_diff
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from fiber._errors import FiberError, FiberValidationError
from fiber.cli.catalog import unknown_model
from fiber.cli.lockfiles import write
from fiber.providers.table import PROVIDERS
from fiber.registry.capabilities import FLAGS, ModelCapabilities
from fiber.registry.catalog import ModelCatalog
from fiber.registry.locking import editing
from fiber.registry.locking.checking import findings
from fiber.registry.locking.finding import read
from fiber.registry.locking.parsing import parsed
from fiber.registry.models import ModelRegistry
from fiber.types.content import ToolCall
from fiber.types.functions import schema_of
from fiber.types.messages import ChatMessage
from fiber.types.tools import Tool

SYSTEM = """\
You advise on which language models the aliases of a lockfile stand for, and change it with your tools.
Name no model from memory: look models up, for names and prices change. What a tool calls null is not known.
An alias stands for models in order of preference; the first one is asked, the others are its fallback, so prefer \
several, of different providers.
Ask when a need is not clear. Change only what is asked for; the user sees each change and agrees to it, or does not.
Be brief."""

_Profile: TypeAlias = Annotated[str, Meta(description="Profile; empty for the one that is in use.")]
_Alias: TypeAlias = Annotated[str, Meta(description="Name of the alias.")]


class FindModels(msgspec.Struct, forbid_unknown_fields=True):
    """Find chat models that meet all requirements, best first."""

    capabilities: Annotated[list[str], Meta(description=f"What it must have: {', '.join(FLAGS)}.")] = []
    provider: Annotated[str, Meta(description="Name of a provider; empty for any.")] = ""
    input_tokens: Annotated[int, Meta(description="Tokens that it must read at least.")] = 0
    input_usd: Annotated[float | None, Meta(description="USD per million tokens of input, at most.")] = None
    output_usd: Annotated[float | None, Meta(description="USD per million tokens of output, at most.")] = None
    order: Annotated[Literal["cost", "context", "output"], Meta(description="Cheapest, or largest, first.")] = "cost"
    with_key: Annotated[bool, Meta(description="Only of providers that the user has a key for.")] = True
    limit: Annotated[int, Meta(ge=1, le=50)] = 10


class ShowModel(msgspec.Struct, forbid_unknown_fields=True):
    """Show all that is known about one model: limits, capabilities, prices, last day."""

    model: Annotated[str, Meta(description="As provider:model.")]


class ShowLockfile(msgspec.Struct, forbid_unknown_fields=True):
    """Show the lockfile: profiles, aliases, and what is known to be wrong with their models."""


class BindAlias(msgspec.Struct, forbid_unknown_fields=True):
    """Let an alias stand for models, instead of those it stood for."""

    alias: _Alias
    models: Annotated[list[str], Meta(min_length=1, description="As provider:model, the first choice first.")]
    profile: _Profile = ""


class UnbindAlias(msgspec.Struct, forbid_unknown_fields=True):
    """Take an alias out of a profile."""

    alias: _Alias
    profile: _Profile = ""


class SetDefaultProfile(msgspec.Struct, forbid_unknown_fields=True):
    """Choose the profile of calls that name none."""

    profile: Annotated[str, Meta(description="A profile of the lockfile.")]


TOOLS: dict[str, type[msgspec.Struct]] = {
    "find_models": FindModels,
    "show_model": ShowModel,
    "show_lockfile": ShowLockfile,
    "bind_alias": BindAlias,
    "unbind_alias": UnbindAlias,
    "set_default_profile": SetDefaultProfile,
}


def tools() -> list[Tool]:
    """Return the tools, as a model is told of them."""
    return [Tool(name, kind.__doc__ or "", schema_of(kind)) for name, kind in TOOLS.items()]


@dataclass
class Advisor:
    """
    What runs the tools on the lockfile at *path*.

    Attributes:
        profile: That of edits that name none.
        has_key: Whether calls to a provider have a key.
        agrees: Asked with the difference that a change makes, before it is written.
    """

    path: str
    catalog: ModelCatalog
    profile: str
    has_key: Callable[[str], bool]
    agrees: Callable[[str], bool]

    def answered(self, call: ToolCall) -> ChatMessage:
        """Do what *call* asks for, and return what the model is told; a mistake of its own too."""
        kind = TOOLS.get(call.name)
        if kind is None:
            return ChatMessage.tool(call, f"There is no such tool: use {', '.join(TOOLS)}.", is_error=True)
        try:
            return ChatMessage.tool(call, self._done(msgspec.json.decode(call.arguments_json or "{}", type=kind)))
        except FiberError as error:
            return ChatMessage.tool(call, error.message, is_error=True)
        except ValueError as error:  # the arguments are not as the schema wants them
            return ChatMessage.tool(call, str(error), is_error=True)

    def _done(self, wanted: msgspec.Struct) -> str:
        match wanted:
            case FindModels():
                return _json(self._found(wanted))
            case ShowModel(model=model):
                return _json(_facts(self._known(model)))
            case BindAlias():
                return self._bound(wanted)
            case UnbindAlias(alias=alias, profile=profile):
                return self._changed(lambda text: editing.unbound(text, self.path, alias, profile or self.profile))
            case SetDefaultProfile(profile=profile):
                return self._changed(lambda text: editing.defaulted(text, self.path, profile))
        text = read(self.path)
        return f"{text}\n{self._notes(text)}".rstrip()

    def _found(self, wanted: FindModels) -> list[dict[str, Any]]:
        requirements: dict[str, Any] = dict.fromkeys(wanted.capabilities, True)
        if wanted.provider:
            requirements["provider"] = wanted.provider
        if wanted.input_tokens:
            requirements["max_input_tokens"] = wanted.input_tokens
        prices = {"input_usd": wanted.input_usd, "output_usd": wanted.output_usd}
        requirements |= {name: price for name, price in prices.items() if price is not None}
        models = self.catalog.find_models(requirements, order=wanted.order)
        usable = [model for model in models if not wanted.with_key or self.has_key(model.provider)]
        return [_facts(model) for model in usable[: wanted.limit]]

    def _known(self, name: str) -> ModelCapabilities:
        model = self.catalog.capabilities(name)
        if model is None:
            raise unknown_model(name, self.catalog)
        return model

    def _bound(self, wanted: BindAlias) -> str:
        for model in wanted.models:
            self._known(model)
        profile = wanted.profile or self.profile
        return self._changed(
            lambda text: editing.bound(text, self.path, wanted.alias, wanted.models, profile), profile, wanted.alias
        )

    def _changed(self, edit: Callable[[str], str], profile: str = "", alias: str = "") -> str:
        text = read(self.path)
        edited = edit(text)
        notes = self._notes(edited, profile, alias) if alias else ""
        if "problem: " in notes:
            raise FiberValidationError(f"Not written. {notes}", parameter="models", outcome="not_sent")
        if edited == text:
            return "It says so already."
        if not self.agrees(difference(text, edited, self.path)):
            return "The user does not agree: it was not written."
        if read(self.path) != text:
            raise FiberValidationError(
                "Not written: somebody else has changed the file meanwhile. Look at it again.",
                parameter="lockfile",
                outcome="not_sent",
            )
        write(self.path, edited)
        return f"Written. {notes}".strip()

    def _notes(self, text: str, profile: str = "", alias: str = "") -> str:
        today = datetime.now(UTC).date()
        found = findings(parsed(text, self.path), ModelRegistry(PROVIDERS), self.catalog, today)
        return "\n".join(str(each) for each in found if not alias or (each.profile, each.alias) == (profile, alias))


def difference(old: str, new: str, path: str) -> str:
    """Return what has to change in *old* to become *new*, as `diff -u` tells it."""
    lines = unified_diff(old.splitlines(), new.splitlines(), path, path, lineterm="")
    return "\n".join(lines)


def _facts(model: ModelCapabilities) -> dict[str, Any]:
    facts = {name: value for name, value in msgspec.structs.asdict(model).items() if value not in (None, "")}
    return {"reference": model.reference, **facts}


def _json(value: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
