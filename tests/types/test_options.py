"""Every spelling of a call's parameters."""

from __future__ import annotations

import math
from typing import Any, TypedDict

import msgspec
import pytest

from fiber._errors import FiberValidationError
from fiber.types.calls import RequestOptions
from fiber.types.content import Opaque
from fiber.types.messages import ChatMessage
from fiber.types.options import chat_request
from fiber.types.parameters import MINIMA, RANGES
from fiber.types.request import PARAMETERS, ChatRequest
from fiber.types.tools import ReasoningOptions, ResponseFormat, ServerTool, Tool, ToolChoice

HI = (ChatMessage("user", "hi"),)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
NOTHING: dict[str, Any] = {"type": "object", "properties": {}}
TOOL = Tool("f", "d", SCHEMA)


def f(a: str) -> str:
    """d"""
    return a


class Answer(TypedDict):
    """What is asked for."""

    a: str


def said(**options: Any) -> dict[str, Any]:
    """What a request with *options* says beyond its messages."""
    request = chat_request("hi", **options)
    return {
        name: value
        for name in ChatRequest.__struct_fields__
        if name != "messages" and (value := getattr(request, name)) not in (None, "", "raise")
    }


def refused(**options: Any) -> FiberValidationError:
    """The error for *options*."""
    with pytest.raises(FiberValidationError) as caught:
        chat_request("hi", **options)
    assert caught.value.outcome == "not_sent"
    return caught.value


# -- the request --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda: chat_request("hi", model="m", temperature=0, stop="x"), id="keywords"),
        pytest.param(
            lambda: chat_request({"messages": "hi", "model": "m", "temperature": 0, "stop": ["x"]}), id="dict"
        ),
        pytest.param(
            lambda: chat_request({"messages": [("user", "hi")], "model": None, "stop": "x"}, model="m", temperature=0),
            id="dict and keywords",
        ),
        pytest.param(
            lambda: chat_request(ChatRequest(messages=HI, model="m", temperature=0, stop=("x",))), id="request"
        ),
        pytest.param(
            lambda: chat_request(ChatRequest(messages=HI, stop=("x",)), model="m", temperature=0),
            id="request and keywords",
        ),
        pytest.param(
            lambda: chat_request(ChatRequest(messages="hi", model="m", temperature=0, stop="x")),  # type: ignore[arg-type]
            id="loose request",
        ),
    ],
)
def test_every_spelling_of_a_request_is_equal(made: Any) -> None:
    """However a request is spelled, its canonical form is equal."""
    assert made() == ChatRequest(messages=HI, model="m", temperature=0, stop=("x",))


def test_every_member_can_be_said() -> None:
    """Every keyword of a request is understood, and what is said arrives."""
    options: dict[str, Any] = {
        "model": "m",
        "temperature": 0.0,
        "top_p": 1,
        "top_k": 0,
        "max_tokens": 5,
        "stop": ("a",),
        "seed": -1,
        "frequency_penalty": -2,
        "presence_penalty": 2.0,
        "n": 1,
        "logprobs": True,
        "top_logprobs": 20,
        "logit_bias": {"5": -100, "6": 0.5},
        "tools": (TOOL, ServerTool("web_search")),
        "tool_choice": ToolChoice("named", "f"),
        "parallel_tool_calls": False,
        "response_format": ResponseFormat("text"),
        "reasoning": ReasoningOptions("low"),
        "user": "u",
        "metadata": {"a": "b"},
        "store": False,
        "previous_response_id": "r",
        "service_tier": "flex",
        "safety_settings": ({"category": "c"},),
        "extra_body": {"x": [1.5, None]},
        "extra_headers": {"x": "y"},
        "extra_query": {"x": "y"},
        "on_unsupported": "warn",
    }

    assert options.keys() == RequestOptions.__annotations__.keys()
    assert said(**options) == options
    assert chat_request(chat_request("hi", **options)) == chat_request("hi", **options)


def test_none_is_not_said() -> None:
    """A keyword that is None is as one that was left out."""
    assert chat_request("hi", **dict.fromkeys(RequestOptions.__annotations__)) == ChatRequest(messages=HI)
    assert chat_request({"messages": "hi", "temperature": None}, temperature=1).temperature == 1


@pytest.mark.parametrize(
    "request_",
    [{"messages": "hi", "temperature": 0}, ChatRequest(messages=HI, temperature=0)],
    ids=["dict", "request"],
)
def test_both_forms_of_one_parameter_are_refused(request_: Any) -> None:
    """A parameter that is in the request already cannot be said again, not even in place of 0."""
    with pytest.raises(FiberValidationError, match="temperature given twice") as caught:
        chat_request(request_, temperature=1)

    assert caught.value.parameter == "temperature"


def test_policy_is_the_last_word_of_the_call() -> None:
    """A request carries a policy always, so the keyword wins."""
    request = ChatRequest(messages=HI, on_unsupported="warn")

    assert chat_request(request).on_unsupported == "warn"
    assert chat_request(request, on_unsupported="drop").on_unsupported == "drop"


def test_request_is_checked_like_keywords() -> None:
    """A `ChatRequest` made by hand is held to the same ranges."""
    with pytest.raises(FiberValidationError, match="temperature must be a number from 0 to 2") as caught:
        chat_request(ChatRequest(messages=HI, temperature=9))

    assert caught.value.parameter == "temperature"


def test_choice_finds_the_tools_of_the_request() -> None:
    """A tool choice said as keyword fits the tools that the request brought."""
    request = chat_request(ChatRequest(messages=HI, tools=(TOOL,)), tool_choice="f")

    assert request.tool_choice == ToolChoice("named", "f")


def test_unknown_parameter_is_refused() -> None:
    """A parameter that this library does not know goes elsewhere, and the error says where."""
    error = refused(temprature=1)

    assert error.parameter == "temprature"
    assert "goes into extra_body" in error.message


def test_parameters_are_all_checked() -> None:
    """No member of a request goes unchecked."""
    assert {name: refused(**{name: object()}).parameter for name in (*PARAMETERS, "model", "on_unsupported")} == {
        name: name for name in (*PARAMETERS, "model", "on_unsupported")
    }


# -- numbers, flags, strings, mappings ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RANGES)
def test_real_parameter_takes_its_range(name: str) -> None:
    """A real-valued parameter takes both ends of its range, and everything between."""
    low, high = RANGES[name]

    for value in (low, high, (low + high) / 2, float(low)):
        assert said(**{name: value}) == {name: value}


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -2.1, 2.1, True, "1", 10**400, [1]], ids=str)
def test_real_parameter_refuses_the_rest(name: str, value: Any) -> None:
    """A real-valued parameter outside its range, or no number, is refused with its name and range."""
    error = refused(**{name: value})

    assert error.parameter == name
    assert error.message.startswith(f"{name} must be a number from {RANGES[name][0]} to {RANGES[name][1]}, not ")


@pytest.mark.parametrize(
    ("name", "value"),
    [("top_k", 0), ("max_tokens", 0), ("seed", -(2**63)), ("seed", 0), ("n", 1), ("top_logprobs", 0)],
)
def test_whole_parameter_takes_its_minimum(name: str, value: int) -> None:
    """A whole-number parameter takes the least of its range; 0 is said like any other number."""
    assert said(**{name: value}) == {name: value}


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("top_k", -1, " from 0"),
        ("max_tokens", -1, " from 0"),
        ("max_tokens", 1.0, " from 0"),
        ("max_tokens", math.nan, " from 0"),
        ("seed", 1.5, ""),
        ("n", 0, " from 1"),
        ("n", True, " from 1"),
        ("n", "2", " from 1"),
        ("top_logprobs", 21, " from 0 to 20"),
        ("top_logprobs", -1, " from 0 to 20"),
    ],
)
def test_whole_parameter_refuses_the_rest(name: str, value: Any, bounds: str) -> None:
    """A whole-number parameter outside its range, or no whole number, is refused with its name and range."""
    error = refused(**{name: value})

    assert name in MINIMA
    assert (error.parameter, error.message) == (name, f"{name} must be a whole number{bounds}, not {value!r}.")


@pytest.mark.parametrize("name", ["logprobs", "parallel_tool_calls", "store"])
@pytest.mark.parametrize("value", [0, 1, "true"])
def test_flag_is_true_or_false(name: str, value: Any) -> None:
    """A flag is True or False, nothing that merely looks like it."""
    assert said(**{name: True}) == {name: True}
    assert refused(**{name: value}).message == f"{name} must be True or False, not {value!r}."


@pytest.mark.parametrize("name", ["model", "user", "previous_response_id", "service_tier"])
@pytest.mark.parametrize("value", ["", 5, b"m"])
def test_string_is_not_empty(name: str, value: Any) -> None:
    """A string parameter is a string with something in it."""
    assert refused(**{name: value}).message == f"{name} must be a non-empty string, not {value!r}."


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param({"metadata": ["a"]}, "metadata must be a mapping with string keys", id="list"),
        pytest.param({"logit_bias": {50256: -100}}, "logit_bias must be a mapping with string keys", id="keys"),
        pytest.param({"logit_bias": {"1": "x"}}, "values of logit_bias must be numbers", id="bias"),
        pytest.param({"logit_bias": {"1": True}}, "values of logit_bias must be numbers", id="bias flag"),
        pytest.param({"extra_headers": {"a": 1}}, "values of extra_headers must be strings", id="headers"),
        pytest.param({"extra_query": {"a": None}}, "values of extra_query must be strings", id="query"),
        pytest.param({"extra_body": {"a": [{"b": math.nan}]}}, "extra_body contains nan", id="nan"),
        pytest.param({"logit_bias": {"a": -math.inf}}, "logit_bias contains -inf", id="infinity"),
        pytest.param({"extra_body": {"a": object()}}, "extra_body must be JSON", id="object"),
        pytest.param({"extra_body": {"a": "\ud800"}}, "extra_body must be JSON", id="surrogate"),
    ],
)
def test_mapping_holds_what_json_can_say(options: Any, complaint: str) -> None:
    """A mapping has string keys and values that can be sent."""
    error = refused(**options)

    assert error.parameter == next(iter(options))
    assert complaint in error.message


def test_mapping_is_a_copy() -> None:
    """A request does not change when the caller's mapping does."""
    body = {"a": 1}
    request = chat_request("hi", extra_body=body)

    body["a"] = 2

    assert request.extra_body == {"a": 1}


@pytest.mark.parametrize("stop", ["a", ["a"], ("a",), iter(["a"])], ids=["text", "list", "tuple", "iterator"])
def test_stop_is_a_tuple(stop: Any) -> None:
    """One stop sequence or several become a tuple."""
    assert said(stop=stop) == {"stop": ("a",)}


@pytest.mark.parametrize("stop", ["", [], [""], ["a", 5], 5, b"a"], ids=repr)
def test_stop_is_not_empty(stop: Any) -> None:
    """An empty stop sequence, or none in a list, is refused."""
    assert refused(stop=stop).message.startswith("stop must be a non-empty string or a list of such")


@pytest.mark.parametrize("value", [5, "a", {"category": "c"}, ["a"], [None]], ids=repr)
def test_safety_settings_are_mappings(value: Any) -> None:
    """Safety settings are a list of mappings."""
    assert said(safety_settings=[{"a": "b"}]) == {"safety_settings": ({"a": "b"},)}
    assert refused(safety_settings=value).message == "safety_settings must be a list of mappings."


@pytest.mark.parametrize("value", ["Raise", "ignore", True], ids=repr)
def test_policy_is_one_of_three(value: Any) -> None:
    """The policy is to raise, to warn or to drop."""
    assert refused(on_unsupported=value).message.startswith("on_unsupported must be 'raise', 'warn' or 'drop'")


# -- tools --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tool",
    [
        pytest.param(TOOL, id="tool"),
        pytest.param({"name": "f", "description": "d", "parameters": SCHEMA}, id="flat"),
        pytest.param({"name": "f", "description": "d", "input_schema": SCHEMA}, id="anthropic"),
        pytest.param(
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}, id="openai"
        ),
        pytest.param({"type": "function", "name": "f", "description": "d", "parameters": SCHEMA}, id="responses"),
        pytest.param(msgspec.to_builtins(TOOL), id="json"),
        pytest.param(f, id="function"),
    ],
)
def test_every_spelling_of_a_tool_is_equal(tool: Any) -> None:
    """However a tool is spelled, alone or in a list, it is the same tool."""
    assert said(tools=[tool]) == {"tools": (TOOL,)}
    assert said(tools=tool) == {"tools": (TOOL,)}


def test_dict_says_all_of_a_tool() -> None:
    """A dict may say whether the schema is strict and where the provider caches."""
    tool = {"name": "f", "description": None, "parameters": None, "strict": True, "cache_hint": "ephemeral"}

    assert said(tools=[tool]) == {"tools": (Tool("f", "", NOTHING, True, "ephemeral"),)}


def test_unnamed_type_is_the_provider_own_tool() -> None:
    """A dict of another type is the provider's own definition and is kept as it is."""
    tool = {"type": "web_search_20250305", "name": "web_search"}

    assert said(tools=[tool, ServerTool("web_search"), Opaque("{}")]) == {
        "tools": (Opaque.of(tool), ServerTool("web_search"), Opaque("{}"))
    }


def test_no_tools_is_not_said() -> None:
    """An empty list of tools is as none."""
    assert said(tools=[]) == {}


@pytest.mark.parametrize(
    ("tools", "complaint"),
    [
        pytest.param(5, "tools must be a list of tools, not int", id="number"),
        pytest.param([5], "A tool must be a Tool, a dict or a typed function, not int", id="number inside"),
        pytest.param("f", "A tool must be .* not str", id="name"),
        pytest.param([{"description": "d"}], "A tool has no name", id="nameless"),
        pytest.param([{"type": "function", "function": "f"}], "A tool has no name", id="odd function"),
        pytest.param([{"name": "my tool"}], "Tool name 'my tool' is not valid", id="bad name"),
        pytest.param([{"name": "f", "parameters": []}], "Tool 'f': parameters must be", id="bad schema"),
        pytest.param(
            [Tool("f", "", {"properties": {"a": {"type": "text"}}})],
            "The parameters of tool 'f'.properties.a is not a valid JSON Schema: type 'text'",
            id="bad type inside",
        ),
        pytest.param([Tool("f", "", {"properties": {"a": {"default": math.inf}}})], "tools contains inf", id="inf"),
        pytest.param([TOOL, {"name": "f"}], "Two tools are named 'f'", id="twice"),
        pytest.param([{"type": "x", "y": object()}], "tools must be JSON", id="odd opaque"),
        pytest.param([ServerTool("browse")], "kind of a ServerTool is 'browse': use one of web_search", id="kind"),  # type: ignore[arg-type]
        pytest.param([lambda a: a], "parameter 'a' has no type annotation", id="untyped function"),
    ],
)
def test_bad_tool_is_refused(tools: Any, complaint: str) -> None:
    """A tool that no provider could take is refused before anything is sent, with its name."""
    with pytest.raises(FiberValidationError, match=complaint) as caught:
        chat_request("hi", tools=tools)

    assert (caught.value.parameter, caught.value.outcome) == ("tools", "not_sent")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ("f", ToolChoice("named", "f")),
        ({"name": "f"}, ToolChoice("named", "f")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("named", "f")),
        ({"type": "tool", "name": "auto"}, ToolChoice("named", "auto")),
        (ToolChoice("named", "f"), ToolChoice("named", "f")),
    ],
    ids=str,
)
def test_every_spelling_of_a_choice(choice: Any, expected: ToolChoice) -> None:
    """A choice is one of three words or a tool's name; a dict always names a tool."""
    assert said(tools=[TOOL, {"name": "auto"}], tool_choice=choice)["tool_choice"] == expected


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_choice_without_tools(choice: str) -> None:
    """To let the model choose, or to forbid calls, needs no tools."""
    assert said(tool_choice=choice) == {"tool_choice": ToolChoice(choice)}  # type: ignore[arg-type]


@pytest.mark.parametrize("tool", [ServerTool("web_search"), {"type": "browser"}], ids=["server", "opaque"])
def test_choice_may_name_a_provider_tool(tool: Any) -> None:
    """What a provider's own tool is called is for the provider to know."""
    assert said(tools=[tool], tool_choice="browser")["tool_choice"] == ToolChoice("named", "browser")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param({"tool_choice": ""}, "tool_choice must be 'auto', 'none', 'required'", id="empty"),
        pytest.param({"tool_choice": {"type": "any"}}, "tool_choice must be", id="dict without a name"),
        pytest.param({"tool_choice": {"function": "f"}}, "tool_choice must be", id="odd dict"),
        pytest.param({"tool_choice": 5}, "tool_choice must be", id="number"),
        pytest.param({"tool_choice": ToolChoice("any")}, "mode of a ToolChoice is 'any'", id="mode"),  # type: ignore[arg-type]
        pytest.param({"tool_choice": "required"}, "tool_choice 'required' needs tools", id="required of none"),
        pytest.param({"tool_choice": "required", "tools": []}, "needs tools", id="required of an empty list"),
        pytest.param({"tool_choice": "f"}, "tool_choice 'named' needs tools", id="named of none"),
        pytest.param(
            {"tool_choice": "g", "tools": [TOOL]}, r"names 'g', but the tools are \['f'\]", id="named of others"
        ),
    ],
)
def test_bad_choice_is_refused(options: Any, complaint: str) -> None:
    """A choice that cannot be followed is refused."""
    with pytest.raises(FiberValidationError, match=complaint) as caught:
        chat_request("hi", **options)

    assert caught.value.parameter == "tool_choice"


def test_top_logprobs_need_logprobs() -> None:
    """Alternatives cannot be had without the probabilities."""
    assert refused(logprobs=False, top_logprobs=2).parameter == "top_logprobs"


# -- response format ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("text", ResponseFormat("text"), id="text"),
        pytest.param("json_object", ResponseFormat("json_object"), id="json_object"),
        pytest.param("json", ResponseFormat("json_object"), id="json"),
        pytest.param({"type": "text"}, ResponseFormat("text"), id="text dict"),
        pytest.param({"type": "json_object"}, ResponseFormat("json_object"), id="json dict"),
        pytest.param(SCHEMA, ResponseFormat("json_schema", SCHEMA), id="schema"),
        pytest.param(
            {**SCHEMA, "title": "T"}, ResponseFormat("json_schema", {**SCHEMA, "title": "T"}, "T"), id="title"
        ),
        pytest.param({}, ResponseFormat("json_schema", {}), id="any"),
        pytest.param(
            {
                "type": "json_schema",
                "json_schema": {"name": "N", "description": "D", "schema": SCHEMA, "strict": False},
            },
            ResponseFormat("json_schema", SCHEMA, "N", "D", False),
            id="openai",
        ),
        pytest.param(
            {"type": "json_schema", "json_schema": {"schema": SCHEMA, "name": None, "description": None}},
            ResponseFormat("json_schema", SCHEMA),
            id="openai with nulls",
        ),
        pytest.param(
            {"type": "json_schema", "name": "N", "schema": SCHEMA},
            ResponseFormat("json_schema", SCHEMA, "N"),
            id="responses",
        ),
        pytest.param(
            ResponseFormat("json_schema", SCHEMA), ResponseFormat("json_schema", SCHEMA), id="response format"
        ),
    ],
)
def test_every_spelling_of_a_format(value: Any, expected: ResponseFormat) -> None:
    """However a format is spelled, its canonical form is equal."""
    assert said(response_format=value) == {"response_format": expected}


def test_type_is_a_format() -> None:
    """A type gives its schema and its name, and is remembered for the answer."""
    schema = {**SCHEMA, "title": "Answer", "description": "What is asked for."}

    assert said(response_format=Answer) == {
        "response_format": ResponseFormat("json_schema", schema, "Answer", python_type=Answer)
    }
    assert said(response_format=dict[str, int])["response_format"].name == "dict"
    assert said(response_format=int | str)["response_format"].name == "response"


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        pytest.param("xml", "response_format 'xml': use 'text', 'json_object'", id="word"),
        pytest.param(5, "5 cannot be said in JSON Schema", id="number"),
        pytest.param(complex, "'complex' cannot be said in JSON Schema", id="type"),
        pytest.param({"type": "json_schema"}, "json_schema needs a schema", id="no schema"),
        pytest.param({"type": "json_schema", "json_schema": "x"}, "json_schema must be an object, not 'x'", id="odd"),
        pytest.param({"type": "json_schema", "schema": []}, "json_schema needs a schema", id="list"),
        pytest.param(ResponseFormat("json_schema"), "json_schema needs a schema", id="format without a schema"),
        pytest.param(ResponseFormat("yaml"), "kind of a ResponseFormat is 'yaml'", id="kind"),  # type: ignore[arg-type]
        pytest.param({"type": "strnig"}, "The schema of response_format is not a valid JSON Schema", id="bad schema"),
        pytest.param({"const": math.nan}, "response_format contains nan", id="nan"),
    ],
)
def test_bad_format_is_refused(value: Any, complaint: str) -> None:
    """A format that no provider could hold to is refused."""
    with pytest.raises(FiberValidationError, match=complaint) as caught:
        chat_request("hi", response_format=value)

    assert (caught.value.parameter, caught.value.outcome) == ("response_format", "not_sent")


# -- reasoning ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("high", ReasoningOptions("high")),
        ("none", ReasoningOptions("none")),
        (1024, ReasoningOptions(budget_tokens=1024)),
        (0, ReasoningOptions(budget_tokens=0)),
        ({"effort": "low", "summary": True}, ReasoningOptions("low", None, True)),
        (ReasoningOptions("max", 5, False), ReasoningOptions("max", 5, False)),
    ],
    ids=str,
)
def test_every_spelling_of_reasoning(value: Any, expected: ReasoningOptions) -> None:
    """Reasoning is an effort, a number of tokens, a dict or the options themselves."""
    assert said(reasoning=value) == {"reasoning": expected}


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        pytest.param("extreme", "reasoning effort 'extreme': use one of none, minimal, low", id="effort"),
        pytest.param("", "reasoning effort ''", id="empty"),
        pytest.param(-1, "budget_tokens must be a whole number from 0, not -1", id="negative"),
        pytest.param({"budget_tokens": 1.5}, "budget_tokens must be a whole number", id="fraction"),
        pytest.param({"budget_tokens": True}, "budget_tokens must be a whole number", id="flag"),
        pytest.param({"efort": "low"}, "reasoning: .*efort", id="member"),
        pytest.param({"summary": "detailed"}, "summary must be True or False, not 'detailed'", id="summary"),
        pytest.param(True, "reasoning must be an effort, a number of tokens", id="true"),
        pytest.param(1.5, "reasoning must be", id="number"),
    ],
)
def test_bad_reasoning_is_refused(value: Any, complaint: str) -> None:
    """Reasoning that cannot be meant is refused."""
    with pytest.raises(FiberValidationError, match=complaint) as caught:
        chat_request("hi", reasoning=value)

    assert (caught.value.parameter, caught.value.outcome) == ("reasoning", "not_sent")
