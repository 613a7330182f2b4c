"""
From replies to the assembly: one reader for whole replies and for the chunks of a stream.

A part is a part: consecutive unsigned texts of one kind (answer, or thought) are pieces of one
part, for streams cut texts anywhere; a part with a `thoughtSignature` stands alone and is kept as
it came, to go back as it came.

Documentation: https://ai.google.dev/api/generate-content and
https://ai.google.dev/gemini-api/docs/thought-signatures. Facts as of google-genai 3.4.0, November
2026.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import msgspec

from fiber.adapters.assembly import Assembly
from fiber.adapters.gemini.citations import Citations
from fiber.adapters.gemini.finish import finish_reason, flagged, warning_of
from fiber.adapters.gemini.logprobs import token_logprobs
from fiber.adapters.gemini.partial import PartialArguments
from fiber.adapters.gemini.schema import PART, WORDS, Candidate, FunctionCall, Part, Reply
from fiber.adapters.gemini.usage import has_counts, read_usage
from fiber.adapters.jsons import decode, decode_any, members, text_of, text_or_none
from fiber.adapters.slots import Slot
from fiber.types.content import Audio, Document, Image, Opaque

_MEDIA: Mapping[str, type[Image | Audio | Document]] = {
    "image/": Image,
    "audio/": Audio,
    "application/pdf": Document,
    "text/": Document,
}
_ASIDE = ("thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata")
"""Members of a part that say something about it, and are not its content."""


class _Answer:
    """What has to be remembered of one candidate while it comes."""

    __slots__ = (
        "call",
        "call_id",
        "call_key",
        "call_name",
        "citations",
        "key",
        "kind",
        "signature",
        "text",
    )

    def __init__(self, assembly: Assembly, choice: int) -> None:
        self.key = 0
        self.kind = ""  # of the part to which a further piece may belong
        self.citations = Citations(assembly, choice)
        self.call: PartialArguments | None = None
        self.call_key = 0
        self.call_id = ""
        self.call_name = ""
        self.signature: str | None = None
        self.text: Slot | None = None  # what is being said, when the last part was a piece of it


class Reader:
    """
    Reader of one answer.

    Attributes:
        blocked: The prompt was refused, so no candidate comes.
    """

    def __init__(self, assembly: Assembly) -> None:
        self.blocked = False
        self._assembly = assembly
        self._answers: dict[int, _Answer] = {}
        self._usage: Any = None
        self._counted: Any = None

    def take(self, reply: Reply) -> None:
        """
        Read one reply or chunk, which is not an error.

        Raises:
            FiberParsingError: A part does not fit the format.
        """
        assembly = self._assembly
        model, response_id = text_or_none(reply.modelVersion), text_or_none(reply.responseId)
        if model or response_id or reply.candidates or reply.promptFeedback:
            assembly.start(model or "", response_id)
        if reply.promptFeedback:
            self._feedback(members(reply.promptFeedback))
        for position, candidate in enumerate(reply.candidates or ()):
            index = candidate.index
            self._candidate(candidate, index if type(index) is int else position)
        if reply.usageMetadata is not None and has_counts(reply.usageMetadata):
            self._usage = reply.usageMetadata

    def take_words(self, data: bytes) -> bool:
        """Take a chunk that goes on with the text and says nothing else, as most do; say whether it is one."""
        answer = self._answers.get(0)
        if answer is None or answer.text is None or not self._assembly.model:  # this chunk may bring that
            return False
        try:
            words = WORDS.decode(data)
        except (ValueError, RecursionError):
            return False
        piece = words.candidates[0].content.parts[0].text
        if not piece:
            return False
        self._assembly.more_text(piece, answer.text)
        if words.usageMetadata is not None and has_counts(words.usageMetadata):
            self._usage = words.usageMetadata
        return True

    def settle(self) -> None:
        """Bring the usage up to date; chunks carry running totals, so the last one is enough."""
        if self._usage is not self._counted:
            self._counted = self._usage
            self._assembly.usage = read_usage(self._usage)

    def _feedback(self, feedback: dict[str, Any]) -> None:
        reason = text_or_none(feedback.get("blockReason"))
        message = text_or_none(feedback.get("blockReasonMessage"))
        if reason is None and message is None:
            return
        self.blocked = True
        details = [detail for detail in (message, flagged(feedback.get("safetyRatings"))) if detail]
        self._assembly.warnings.append(
            f"The prompt was blocked ({reason or 'no reason given'}): {'; '.join(details) or 'no details'}."
        )
        self._assembly.finish("content_filter", reason)

    def _candidate(self, candidate: Candidate, choice: int) -> None:
        assembly = self._assembly
        answer = self._answers.get(choice)
        if answer is None:
            answer = self._answers[choice] = _Answer(assembly, choice)
        if candidate.content is not None and candidate.content.parts:
            for raw in candidate.content.parts:
                self._part(raw, answer, choice)
        if candidate.groundingMetadata is not None:
            answer.citations.grounding(candidate.groundingMetadata)
        if candidate.citationMetadata is not None:
            answer.citations.recitation(candidate.citationMetadata)
        if candidate.logprobsResult is not None:
            assembly.logprobs(token_logprobs(candidate.logprobsResult), choice)
        if candidate.finishReason is not None:
            self._end_call(answer, choice)
            unified, word = finish_reason(candidate.finishReason)
            assembly.finish(unified, word, choice)
            if warning := warning_of(candidate, word):
                assembly.warnings.append(warning)

    # -- parts ------------------------------------------------------------------------------------

    def _part(self, raw: msgspec.Raw, answer: _Answer, choice: int) -> None:
        part = decode(bytes(raw), PART)
        signed = text_or_none(part.thoughtSignature) is not None
        answer.text = None
        if part.functionCall is not None:
            self._call(part, part.functionCall, raw, answer, choice, signed=signed)
        elif part.text is not None:
            self._text(part, raw, answer, choice, signed=signed)
        else:
            self._other(part, raw, answer, choice, signed=signed)

    def _text(self, part: Part, raw: msgspec.Raw, answer: _Answer, choice: int, *, signed: bool) -> None:
        piece = part.text or ""
        kind = "thought" if part.thought is True else "text"
        if signed:
            answer.key += 1
            answer.kind = ""
        elif not piece:
            return
        elif answer.kind != kind:
            answer.key += 1
            answer.kind = kind
        if kind == "thought":
            self._assembly.reasoning(piece, answer.key, choice)
        else:
            slot = self._assembly.text(piece, answer.key, choice)
            answer.text = None if signed else slot
        if signed:
            self._assembly.seal(self._assembly.opaque(text_of(raw), kind), answer.key, choice)

    def _other(self, part: Part, raw: msgspec.Raw, answer: _Answer, choice: int, *, signed: bool) -> None:
        names = [name for name in members(decode_any(bytes(raw))) if name not in _ASIDE]
        if not names and not signed:
            return  # a part without content
        answer.kind = ""
        kind = names[0] if names else "thoughtSignature"
        sealed = self._assembly.opaque(text_of(raw), kind)
        media = None if part.thought is True else _media(part.inlineData, sealed if signed else None)
        self._assembly.part(media or sealed, choice=choice)

    # -- function calls ---------------------------------------------------------------------------

    def _call(
        self,
        part: Part,
        call: FunctionCall,
        raw: msgspec.Raw,
        answer: _Answer,
        choice: int,
        *,
        signed: bool,
    ) -> None:
        answer.kind = ""
        name, call_id = text_or_none(call.name) or "", text_or_none(call.id) or ""
        if answer.call is not None and not name:
            answer.signature = text_or_none(part.thoughtSignature) or answer.signature
            self._assembly.tool_delta(answer.call_key, answer.call.add(call.partialArgs), choice)
            if call.willContinue is not True:
                self._end_call(answer, choice)
            return
        self._end_call(answer, choice)
        arguments = bytes(call.args)
        if not (name or call_id or arguments):
            return  # the end mark of a call that was over already
        answer.key += 1
        self._assembly.tool_start(answer.key, call_id, name, choice)
        if call.willContinue is True or call.partialArgs is not None:
            answer.call, answer.call_key = PartialArguments(), answer.key
            answer.call_name, answer.call_id = name, call_id
            answer.signature = text_or_none(part.thoughtSignature)
            self._assembly.tool_delta(answer.key, answer.call.add(call.partialArgs), choice)
            if call.willContinue is not True:
                self._end_call(answer, choice)
            return
        written = msgspec.json.format(arguments or b"{}", indent=-1).decode()
        self._assembly.tool_delta(answer.key, "{}" if written == "null" else written, choice)
        # An id of the provider's own has to go back, so the call remembers where it came from.
        native = self._assembly.opaque(text_of(raw), "functionCall") if signed or call_id else None
        self._assembly.tool_end(answer.key, choice, native)

    def _end_call(self, answer: _Answer, choice: int) -> None:
        """Finish a call whose arguments came in pieces."""
        if answer.call is None:
            return
        rest, whole = answer.call.finish()
        self._assembly.tool_delta(answer.call_key, rest, choice)
        if whole is not None:
            self._assembly.tool_arguments(answer.call_key, whole, choice)
        written, answer.call = "".join(answer.call.pieces), None
        self._assembly.tool_end(answer.call_key, choice, self._replay_form(answer, written))

    def _replay_form(self, answer: _Answer, arguments: str) -> Opaque | None:
        """Return the call as one part, the form in which it is sent back."""
        if not (answer.signature or answer.call_id):
            return None
        call: dict[str, Any] = {"name": answer.call_name, "args": msgspec.Raw(arguments.encode())}
        if answer.call_id:
            call["id"] = answer.call_id
        part: dict[str, Any] = {"functionCall": call}
        if answer.signature:
            part["thoughtSignature"] = answer.signature
        return self._assembly.opaque(msgspec.json.encode(part).decode(), "functionCall")


def _media(blob: Any, native: Opaque | None) -> Image | Audio | Document | None:
    """Return inline data as a picture, sound or document; None when it is none of these."""
    said = members(blob)
    mime, data = text_or_none(said.get("mimeType")), text_or_none(said.get("data"))
    if mime is None or data is None:
        return None
    kind = next((kind for prefix, kind in _MEDIA.items() if mime.startswith(prefix)), None)
    try:
        content = b64decode(data, validate=True)
    except ValueError:
        return None
    return kind(data=content, media_type=mime, native=native) if kind and content else None
