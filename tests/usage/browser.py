"""A headless Chromium for tests, where there is one, and the pictures that it takes."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(PROGRAM is None, reason="Chromium is in the Debian package chromium")


def opened(page: Path, *options: str) -> str:
    """Open *page* with no network and return what the browser says."""
    profile = page.parent / "profile"
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1")
    done = subprocess.run(
        [str(PROGRAM), *quiet, f"--user-data-dir={profile}", "--proxy-server=127.0.0.1:9", *options, page.as_uri()],
        capture_output=True,
        check=True,
        timeout=120,
    )
    return done.stdout.decode()


def pixels(picture: Path) -> dict[tuple[int, ...], int]:
    """Return how often each colour is in *picture*, a PNG of 8 bits a channel that is not interlaced."""
    data = picture.read_bytes()
    width, height, depth, kind, *_, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    assert (depth, interlaced, kind in (2, 6)) == (8, 0, True)
    size = 3 if kind == 2 else 4
    packed, at = b"", 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        packed += data[at + 8 : at + 8 + length] if data[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + length
    raw = zlib.decompress(packed)
    counts: dict[tuple[int, ...], int] = {}
    above = bytearray(width * size)
    for row in range(height):
        start = row * (width * size + 1)
        line = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + width * size]), above, size)
        for x in range(0, len(line), size):
            colour = tuple(line[x : x + 3])
            counts[colour] = counts.get(colour, 0) + 1
        above = line
    return counts


def _unfiltered(kind: int, line: bytearray, above: bytearray, size: int) -> bytearray:
    """Undo the filter of one line; source: https://www.w3.org/TR/png-3/#9Filters, read 2026-11-22."""
    for x in range(len(line)):
        left = line[x - size] if x >= size else 0
        corner = above[x - size] if x >= size else 0
        match kind:
            case 1:
                line[x] = line[x] + left & 255
            case 2:
                line[x] = line[x] + above[x] & 255
            case 3:
                line[x] = line[x] + (left + above[x]) // 2 & 255
            case 4:
                near = left + above[x] - corner
                best = min((left, above[x], corner), key=lambda one: abs(near - one))
                line[x] = line[x] + best & 255
    return line
