"""
One call, in a process that imports nothing else: `python cold.py MODULE:CLASS is-blocking FORMAT URL`.

Who runs it measures the whole process.
"""

from __future__ import annotations

import sys
from importlib import import_module

from client import WHOLE_BYTES, turns


async def answered(place: str, format: str, url: str) -> None:
    """Make a client, and let it call once."""
    module, _, name = place.partition(":")
    client = getattr(import_module(module), name)(f"{url}/plain=1", format)
    text = await client.call(client.history(turns(1)))
    assert len(text) == WHOLE_BYTES
    await client.close()


if __name__ == "__main__":
    place, blocks, format, url = sys.argv[1:]
    work = answered(place, format, url)
    if blocks == "True":
        try:
            work.send(None)
        except StopIteration:
            pass
    else:
        import asyncio

        asyncio.run(work)
