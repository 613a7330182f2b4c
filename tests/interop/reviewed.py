"""
The differences that somebody has looked at, each with the reason why it may stay.

`*` stands for anything. An entry that excuses nothing any more fails the run. A difference that is fiber's fault does
not belong here.
"""

from __future__ import annotations

from typing import NamedTuple


class Reviewed(NamedTuple):
    """
    One accepted difference.

    Attributes:
        case: The part's name, a space, the case.
        difference: The sentence that the run prints.
    """

    case: str
    difference: str
    reason: str


REVIEWED: tuple[Reviewed, ...] = (
    # What is sent; the SDK is the vendor's own client.
    Reviewed(
        "requests chat.*stream",
        'body.stream_options: SDK nothing, fiber {"include_usage": true}',
        "fiber always asks for usage in streams; the SDK leaves it to the caller",
    ),
    Reviewed(
        "requests azure*stream",
        'body.stream_options: SDK nothing, fiber {"include_usage": true}',
        "the same",
    ),
    Reviewed(
        "requests *.tool_results",
        'body.messages.2.content: SDK "no such city", fiber "Error: no such city"',
        "the format has no error flag, so fiber says it in words (and notes it in the receipt)",
    ),
    Reviewed(
        "requests *.tool_results",
        'body.input.3.output: SDK "no such city", fiber "Error: no such city"',
        "the format has no error flag, so fiber says it in words (and notes it in the receipt)",
    ),
    Reviewed(
        "requests *responses.*",
        'body.input.*.type: SDK nothing, fiber "message"',
        "optional for messages; fiber says it, so that every input item has a type",
    ),
    Reviewed(
        "requests messages.*",
        'header.authorization: SDK "Bearer *", fiber nothing',
        "the API takes the key in either header; see the next entry",
    ),
    Reviewed(
        "requests messages.*",
        "header.x-api-key: SDK nothing, fiber *",
        "the API takes the key in either header, and compatible servers of others know only this one",
    ),
    Reviewed(
        "requests generate.system",
        'body.systemInstruction.role: SDK "user", fiber nothing',
        "optional: the documentation's examples have none",
    ),
    Reviewed(
        "requests generate.tool*",
        'body.tools.0.functionDeclarations.*.parametersJsonSchema: SDK {"type": "object", "properties": {}}, *',
        "a function without parameters is declared without a schema; the API has refused objects without properties",
    ),
    Reviewed(
        "requests generate.tool_result*",
        "body.contents.*.function*.id: SDK *, fiber nothing",
        "ids are optional; fiber sends those that Gemini made, not those of other providers, and keeps the order",
    ),
    Reviewed(
        "requests ollama.*",
        "body.tools: SDK [], fiber nothing",
        "the SDK sends an empty list where no tool is offered; to the server it is the same",
    ),
    Reviewed(
        "requests ollama.tool*",
        "body.tools.*.function.parameters.additionalProperties: SDK nothing, fiber false",
        "the SDK's model of a schema drops what it does not know; fiber sends the caller's schema as it is",
    ),
    Reviewed(
        "requests ollama.tool_result*",
        "body.messages.*.tool_calls.*: SDK nothing, fiber *",
        "id and index of a call are in the API's types and not in the SDK's; they tell parallel calls apart",
    ),
    Reviewed(
        "requests ollama.tool_result*",
        'body.messages.*.tool_call_id: SDK nothing, fiber "call_*"',
        "in the API's types and not in the SDK's; the name of the tool goes with it",
    ),
    Reviewed(
        "requests ollama.tool_results",
        'body.messages.1.content: SDK nothing, fiber ""',
        "the SDK leaves empty texts out; to the server it is the same",
    ),
    Reviewed(
        "requests azure.*",
        'header.authorization: SDK "Bearer sk-interop", fiber nothing',
        "v1 takes a key in either header; see the next entry",
    ),
    Reviewed(
        "requests azure.*",
        'header.api-key: SDK nothing, fiber "sk-interop"',
        "v1 takes a key in either header, dated versions only in this one; a token is a bearer on both sides",
    ),
    Reviewed(
        "requests azure-dated.*",
        "body.model: SDK *, fiber nothing",
        "the deployment stands in the path, and Azure ignores what the body says",
    ),
    Reviewed(
        "requests azure-responses.*",
        'query.api-version: SDK "preview", fiber nothing',
        "AzureOpenAI cannot do without one; v1 needs none",
    ),
    Reviewed(
        "requests mistral.*",
        "body.stream: SDK false, fiber nothing",
        "the default, which the SDK writes out",
    ),
    Reviewed(
        "requests mistral.*",
        "body.messages.*.prefix: SDK false, fiber nothing",
        "the default, which the SDK writes out",
    ),
    Reviewed(
        "requests mistral.tool_result*",
        "body.messages.1.tool_calls.*.index: SDK 0, fiber nothing",
        "the default, which the SDK writes out, for the second call as well: it tells nothing",
    ),
    Reviewed(
        "requests mistral.tool_result*",
        'body.messages.*.tool_call*id: SDK "call_*", fiber *',
        "Mistral takes nine letters and digits; fiber shortens ids of others alike everywhere, the SDK leaves them",
    ),
    Reviewed(
        "answers ollama.*called*",
        'calls.*.0: SDK null, fiber "call_*"',
        "the SDK has no ids of calls; fiber keeps those that the server gave",
    ),
    # aimock, which is a broad mock and no specification.
    Reviewed(
        "aimock generate.tool_round.*",
        'first: expected "tool_calls", fiber "other"',
        "aimock says finishReason FUNCTION_CALL, which Gemini does not have (it says STOP); unknown words become other",
    ),
    Reviewed(
        "aimock generate.parallel.*",
        'finish: expected "tool_calls", fiber "other"',
        "aimock says finishReason FUNCTION_CALL, which Gemini does not have (it says STOP); unknown words become other",
    ),
    Reviewed(
        "aimock vertex.tool_round.*",
        'first: expected "tool_calls", fiber "other"',
        "the same, for Vertex AI",
    ),
    Reviewed(
        "aimock vertex.parallel.*",
        'finish: expected "tool_calls", fiber "other"',
        "the same, for Vertex AI",
    ),
    Reviewed(
        "aimock invoke.*.stream",
        "error: FiberStreamInterruptedError: * it was empty. *",
        'aimock sends the events bare; Bedrock puts each as base64 under "bytes", and without that none is read',
    ),
    Reviewed(
        "aimock invoke.emoji.*.stream",
        "error: FiberParsingError: A chunk of the event stream does not fit its format. *",
        "the same: halves of surrogate pairs stand in the envelope itself, where Bedrock has base64 alone",
    ),
    Reviewed(
        "aimock cohere.reasoning.*",
        'text: expected "42", fiber "First I considered the question, then I counted.42"',
        "aimock sends the thoughts as a block of text; Cohere sends them as a block of thinking",
    ),
    Reviewed(
        "aimock cohere.reasoning.*",
        'reasoning: expected *, fiber ""',
        "the same",
    ),
    Reviewed(
        "aimock ollama.reasoning.*",
        'reasoning: expected *, fiber ""',
        "aimock sends the thoughts as reasoning_content; Ollama has them in thinking",
    ),
    # LiteLLM's proxy, before aimock.
    Reviewed(
        "litellm *.emoji.*stream",
        "error: FiberProviderError: litellm failed: str is not valid UTF-8: surrogates not allowed *",
        "aimock cuts pairs of surrogates in two, over which the proxy falls; it says so, and so does fiber",
    ),
    Reviewed(
        "litellm anthropic.overloaded.*",
        'error: expected "FiberOverloadedError", fiber "FiberProviderError"',
        "the proxy makes 500 of Anthropic's 529",
    ),
    Reviewed(
        "litellm anthropic.overloaded.*",
        "status: expected 529, fiber 500",
        "the same",
    ),
    Reviewed(
        "litellm gemini.tool_round.*",
        'text: expected "It is 21 degrees ☀️.", fiber "Hello from a mock — 你好."',
        "the proxy spells function_response, which Gemini takes and aimock overlooks: it sees no result of a tool",
    ),
    Reviewed(
        "litellm ollama.reasoning.*",
        'reasoning: expected *, fiber ""',
        "aimock sends the thoughts as reasoning_content; the proxy looks for thinking, as Ollama has it",
    ),
    # llama-server, whose own format is Chat Completions.
    Reviewed(
        "llama responses.*",
        'finish: expected "length", fiber "stop"',
        'llama-server says status "completed" when max_output_tokens ended the answer; nothing else tells',
    ),
    Reviewed(
        "llama responses.schema.*",
        "error: FiberParsingError: The answer is not a JSON Verdict: *",
        "llama-server ignores text.format, so the answer is random text, which fiber refuses as JSON",
    ),
    Reviewed(
        "llama messages.schema.*",
        "parsed: expected true, fiber false",
        "llama-server ignores output_config.format, so the answer is random text, cut off by max_tokens",
    ),
    Reviewed(
        "llama messages.schema.*",
        'finish: expected "stop", fiber "length"',
        "the same",
    ),
)
