"""
Build the HTTP request of one chat call: the same body for streams and plain calls.

Documentation: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fiber.adapters.bedrock_converse.cache_points import hold_to_limits
from fiber.adapters.bedrock_converse.messages import conversation
from fiber.adapters.bedrock_converse.models import Vendor, vendor_of
from fiber.adapters.bedrock_converse.parameters import PARAMETERS
from fiber.adapters.bedrock_converse.parts import Context
from fiber.adapters.bedrock_converse.thinking import reasoned
from fiber.adapters.bedrock_converse.tools import format_of, tool_config
from fiber.adapters.claude_models import Model, model_of
from fiber.adapters.event_streamed import CONTENT_TYPE
from fiber.adapters.parameters import merge, place, put, refuse, settle
from fiber.adapters.posting import post
from fiber.types.http import HTTPRequest
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_SAMPLING = ("temperature", "top_p", "top_k")
_GUARDRAIL = "guardrailIdentifier"


def build_request(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
    """
    Turn *request* into HTTP, without credentials.

    Raises:
        FiberCapabilityError: Something cannot be sent, and `on_unsupported` is `raise`.
    """
    vendor, model = vendor_of(target.model), model_of(target.model)
    request, notes = settle(request, PARAMETERS, target, _refused(request, vendor, model))
    context = Context(request, target, vendor, model, notes, {})

    system, messages = conversation(context)
    body: dict[str, Any] = {"messages": messages}
    if system:
        body["system"] = system
    place(body, request, PARAMETERS)
    thought = reasoned(context)
    fields = dict(thought.fields)
    if request.top_k is not None:
        put(fields, vendor.top_k, request.top_k)
    config, own_choice = tool_config(context, fields.get("thinking"))
    if config is not None:
        body["toolConfig"] = config
    if fields := merge(fields, own_choice):
        body["additionalModelRequestFields"] = fields
    if (wanted := format_of(context)) is not None:
        put(body, "outputConfig.textFormat", wanted)
    if thought.effort is not None:
        put(body, "outputConfig.effort", thought.effort)
    if request.safety_settings is not None:
        _guard(body, context)
    hold_to_limits(body, notes)
    verb = "converse-stream" if stream else "converse"
    url = f"{target.base_url}/model/{quote(target.model, safe='')}/{verb}"
    return post(url, body, request, notes, stream=stream, stream_type=CONTENT_TYPE, target=target)


def _refused(request: ChatRequest, vendor: Vendor, model: Model) -> dict[str, str]:
    refused: dict[str, str] = {}
    if request.temperature is not None and request.temperature > 1:
        refused["temperature"] = f"{request.temperature} is above 1, the most that Converse takes"
    if not vendor.top_k:
        refused["top_k"] = (
            "Converse has none, and this model's own name for it is not known;"
            ' if there is one, say extra_body={"additionalModelRequestFields": {...}}'
        )
    if vendor.is_claude and not model.sampling:
        refused |= dict.fromkeys(_SAMPLING, "this model has no sampling parameters")
    if not vendor.is_claude:
        refused["parallel_tool_calls"] = "Converse has no such switch; only Claude has one of its own"
    if request.response_format is not None and request.response_format.kind == "json_object":
        refused["response_format"] = "Converse holds an answer to a schema only"
    return refused


def _guard(body: dict[str, Any], context: Context) -> None:
    request = context.request
    settings = request.safety_settings or ()
    if len(settings) == 1 and _GUARDRAIL in settings[0]:
        body["guardrailConfig"] = dict(settings[0])
        return
    why = f"Converse takes one mapping, a guardrail: {{{_GUARDRAIL!r}: ..., 'guardrailVersion': ..., 'trace': ...}}"
    refuse(request, context.target, context.notes, "safety_settings", why)
