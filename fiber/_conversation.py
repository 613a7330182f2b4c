"""Conversations: a history that is sent, grows by each answer, and is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack
from uuid import uuid4

import msgspec

from fiber._calls import prepare
from fiber._chain import Call
from fiber._engine import run_sync
from fiber._errors import FiberValidationError
from fiber._reply import Ending, Reply
from fiber._running import begin, complete
from fiber._settings import Settings, known, looking
from fiber._streams import ChatStream, SyncChatStream
from fiber.registry.tokens import PER_MESSAGE, count_tokens
from fiber.stores.histories import HistoryStore, MemoryHistories
from fiber.stores.holding import perform
from fiber.types import normalise
from fiber.types.calls import ChatOptions
from fiber.types.history import History, Messages, Trim, read, trimmed
from fiber.types.http import Note
from fiber.types.messages import ChatMessage, are_plain
from fiber.types.result import ChatResult

_ESTIMATED = 0.8
"""So much of what a model reads is used when nobody says how much: tokens are estimated."""


_OWN = ("system", "histories", "max_input_tokens", "trim", "provider_state")


class ConversationOptions(ChatOptions, total=False):
    """
    Keywords of a conversation: its own, and those of `chat` as defaults of its calls.

    Attributes:
        system: Instructions at its beginning, when it is new.
        histories: Where it is kept; in the object alone when not given.
        max_input_tokens: Most that is sent, estimated; the oldest turns are left out. When not given, four fifths of
            what the catalogue says that the model reads.
        trim: Chooses instead what is sent: called with the messages and the most tokens, it returns messages.
        provider_state: Only what is new is sent, after the provider's id of the last answer (responses API).
    """

    system: str | None
    histories: HistoryStore | None
    max_input_tokens: int | None
    trim: Trim | None
    provider_state: bool


class Conversation:
    """
    A conversation with a model, or with several; from `Fiber.conversation`.

    What was said is kept in full; only what is sent is cut to fit. One call at a time.

    Attributes:
        id: Its name, in the store and, as the bound field `conversation_id`, in logs.
    """

    def __init__(self, settings: Settings, id: str | None, options: ConversationOptions) -> None:
        said: dict[str, Any] = dict(options)
        own = {name: said.pop(name, None) for name in _OWN}
        known(said)
        system, most = own["system"], own["max_input_tokens"]
        name: object = id
        if name is not None and not (isinstance(name, str) and name):
            raise _wrong("id", f"The id of a conversation must be a text that is not empty, not {id!r}.")
        if most is not None and (type(most) is not int or most < 1):
            raise _wrong("max_input_tokens", f"max_input_tokens must be a whole number from 1, not {most!r}.")
        self.id = id or uuid4().hex
        self._settings = settings
        self._system = () if system is None else (ChatMessage.system(system),)
        self._store: HistoryStore = MemoryHistories() if own["histories"] is None else own["histories"]
        self._most: int | None = most
        self._trim: Trim | None = own["trim"]
        self._provider_state = bool(own["provider_state"])
        self._options = said
        self._history: History | None = None
        self._busy = False

    def __repr__(self) -> str:
        return f"Conversation({self.id!r})"

    async def history(self) -> Messages:
        """Return all that was said, the instructions first."""
        return (await self._loaded()).messages

    async def load(self) -> Messages:
        """Read it from the store again, for another process may have gone on with it; return all that was said."""
        self._history = None
        return await self.history()

    async def clear(self) -> None:
        """Forget all that was said, here and in the store; the instructions stay."""
        await self._use(lambda: self._store.delete(self.id))
        self._history = None

    async def send(self, messages: Any, **options: Unpack[ChatOptions]) -> ChatResult:
        """
        Say *messages* after what was said, and keep them with the answer.

        Args:
            messages: As for `chat`; results of tools too.
            options: As for `chat`; they win over those of the conversation.

        Raises:
            FiberError: As for `chat`; then nothing was kept.
            FiberContextLengthError: The instructions and *messages* alone are too long.
        """
        said = normalise.messages(messages)
        self._enter()
        try:
            call = self._call(self._settings, await self._loaded(), said, options, stream=False)
            result: ChatResult = await complete(self._settings, call)
            await self._keep(said, result)
            return result
        finally:
            self._busy = False

    def stream(self, messages: Any, **options: Unpack[ChatOptions]) -> ChatStream:
        """Say *messages*, and iterate the events of the answer; they are kept when the stream came to its good end."""
        said = normalise.messages(messages)
        if options.get("forget_text"):
            raise _wrong("forget_text", "A conversation keeps what was said: leave forget_text out.")

        async def start(call: Call) -> Reply:
            self._enter()
            try:
                history = await self._loaded()
                real = self._call(self._settings, history, said, options, stream=True)
                reply = await begin(self._settings, real.replace(journal=call.journal))
            except BaseException:
                self._busy = False
                raise
            reply.on_end(ended(reply))
            return reply

        def ended(reply: Reply) -> Any:
            async def end(ending: Ending) -> None:
                self._busy = False
                if ending.outcome == "complete" and reply.stream is not None:
                    await self._keep(said, reply.stream.result())

            return end

        return ChatStream(self._call(looking(self._settings), History(id=self.id), said, options, stream=True), start)

    def _enter(self) -> None:
        if self._busy:
            raise _wrong("conversation", f"The conversation {self.id!r} waits for an answer: one call at a time.")
        self._busy = True

    def _call(
        self, settings: Settings, history: History, said: Messages, options: Mapping[str, Any], *, stream: bool
    ) -> Call:
        again = looking(settings)  # a call that is prepared twice has one turn
        merged = {**self._options, **options}
        merged["context"] = {"conversation_id": self.id, **(merged.get("context") or {})}
        everything = (*history.messages, *said)
        if self._provider_state:
            merged.setdefault("store", True)
            call = prepare(settings, everything, merged, stream=stream)
            if history.response_id is None or history.provider != call.target.provider:
                return call
            return prepare(again, said, {**merged, "previous_response_id": history.response_id}, stream=stream)
        call = prepare(settings, everything, merged, stream=stream)
        kept = self._fitting(call, everything)
        if len(kept) == len(everything):
            return call
        fitted = prepare(again, kept, merged, stream=stream)
        why = f"{len(everything) - len(kept)} of {len(everything)} were left out, the oldest, so that the rest fits"
        return fitted.replace(notes=(*fitted.notes, Note("warned", "messages", why)))

    def _fitting(self, call: Call, messages: Messages) -> Messages:
        most = self._most
        if most is None:
            model = call.catalog.described(call.target.provider, call.target.model)
            room = None if model is None else model.max_input_tokens or model.context_tokens
            most = None if room is None else int(_ESTIMATED * room)
        if most is None or _is_surely_within(messages, most):
            return messages
        if self._trim is not None:
            return self._trim(messages, most)
        return trimmed(messages, most, lambda some: count_tokens(some, model=call.target.model) if some else 0)

    async def _loaded(self) -> History:
        if self._history is None:
            data = await self._use(lambda: self._store.load(self.id))
            self._history = History(id=self.id, messages=self._system) if data is None else read(data)
        return self._history

    async def _keep(self, said: Messages, result: ChatResult) -> None:
        history = await self._loaded()
        grown = msgspec.structs.replace(
            history,
            messages=(*history.messages, *said, result.message),
            revision=history.revision + 1,
            response_id=result.response_id,
            provider=result.provider,
        )
        data = grown.written()
        await self._use(lambda: self._store.save(self.id, data, revision=grown.revision))
        self._history = grown

    async def _use(self, work: Any) -> Any:
        return await perform(self._settings.transport, work, quick=self._store.quick)


class SyncConversation:
    """A conversation, blocking; from `fiber.sync.conversation`. See `Conversation`."""

    def __init__(self, inner: Conversation) -> None:
        self._inner = inner
        self.id = inner.id

    def __repr__(self) -> str:
        return f"SyncConversation({self.id!r})"

    def history(self) -> Messages:
        """Return all that was said."""
        return run_sync(self._inner.history())

    def load(self) -> Messages:
        """Read it from the store again."""
        return run_sync(self._inner.load())

    def clear(self) -> None:
        """Forget all that was said; the instructions stay."""
        run_sync(self._inner.clear())

    def send(self, messages: Any, **options: Unpack[ChatOptions]) -> ChatResult:
        """Say *messages*, and keep them with the answer."""
        return run_sync(self._inner.send(messages, **options))

    def stream(self, messages: Any, **options: Unpack[ChatOptions]) -> SyncChatStream:
        """Say *messages*, and iterate the events of the answer."""
        return SyncChatStream(self._inner.stream(messages, **options))


def _is_surely_within(messages: Messages, most: int) -> bool:
    """Say whether *messages* are so short that nobody has to count: text has at least as many characters as tokens."""
    return are_plain(messages) and sum(len(message.text) + PER_MESSAGE for message in messages) < most


def _wrong(parameter: str, message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter=parameter, outcome="not_sent")
