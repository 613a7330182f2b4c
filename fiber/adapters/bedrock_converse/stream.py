"""
Decode a stream.

    messageStart, then per block contentBlockStart (of tools only), contentBlockDelta..., contentBlockStop,
    then messageStop (why it ended), then metadata (counts)

`messageStop` says that the answer is whole, `metadata` that nothing follows; they have been seen in either order.
Documentation: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html.
"""

from __future__ import annotations

from fiber.adapters import jsons
from fiber.adapters.bedrock_converse import schema
from fiber.adapters.bedrock_converse.blocks import Block
from fiber.adapters.bedrock_converse.response import read_end, read_facts
from fiber.adapters.event_streamed import EventStreamed
from fiber.types.http import HTTPHead
from fiber.types.target import Target


class ConverseDecoder(EventStreamed):
    """The state machine of one ConverseStream."""

    def __init__(self, head: HTTPHead, target: Target) -> None:
        super().__init__(head, target)
        self._open: dict[int | float | str | None, Block] = {}
        self._blocks = 0
        self._counted = False

    def read(self, event: str, data: bytes) -> None:
        """Take one event; of a type that is not known it says nothing."""
        match event:
            case "contentBlockDelta":
                said = jsons.decode(data, schema.EVENT)
                block = self._open.get(said.content_block_index)
                if block is None:
                    block = self._begin(said, {})
                if said.delta is not None:
                    block.grow(said.delta)
            case "contentBlockStart":
                said = jsons.decode(data, schema.EVENT)
                self._close(said.content_block_index)
                self._begin(said, schema.members_of(bytes(said.start)))
            case "contentBlockStop":
                self._close(jsons.decode(data, schema.EVENT).content_block_index)
            case "messageStart":
                self.assembly.start()
            case "messageStop":
                read_end(self.assembly, jsons.decode(data, schema.EVENT).stop_reason)
                self._end()
            case "metadata":
                said = jsons.decode(data, schema.EVENT)
                read_facts(self.assembly, said.usage, said.trace)
                self._counted = True
                self._end()

    def complete(self) -> None:
        """The answer is whole; a block that was never closed ends with it."""
        for index in list(self._open):
            self._close(index)
        super().complete()

    def _begin(self, said: schema.Event, start: schema.Members) -> Block:
        block = self._open[said.content_block_index] = Block(self.assembly, self._blocks, start)
        self._blocks += 1
        return block

    def _close(self, index: int | float | str | None) -> None:
        block = self._open.pop(index, None)
        if block is not None:
            block.close()

    def _end(self) -> None:
        if self._counted and self.assembly.finished:
            self.complete()
