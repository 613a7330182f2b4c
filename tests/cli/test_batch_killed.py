"""`fiber batch`, killed at many moments: real processes, a real server, `kill -9`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fiber.testing import MockServer, Reply
from fiber.testing.recorded import MockRequest
from tests.kit import eventually

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill")

LINES = 160
CONCURRENCY = 4


class Nursery:
    """Starts runs of the command one after another, and kills each when the server has been asked so often."""

    def __init__(self, folder: Path) -> None:
        self.input, self.output = folder / "in.jsonl", folder / "out.jsonl"
        self.input.write_text("".join(f"{json.dumps(f'p{n}')}\n" for n in range(1, LINES + 1)), encoding="utf-8")
        self.asked: list[str] = []
        self._lock = threading.Lock()
        self._left, self._child = -1, 0
        self._ready = threading.Event()

    def handle(self, request: MockRequest) -> Any:
        """Repeat what is said; at the moment that was chosen, kill who asks."""
        with self._lock:
            self.asked.append(str(request.view and request.view.last_text))
            self._left -= 1
            is_time = self._left == 0
        if is_time:
            self._ready.wait(10)
            os.kill(self._child, signal.SIGKILL)
        return Reply(f"{self.asked[-1]} " + "word " * 200)

    def start(self, url: str) -> None:
        """Start the process whose children are the runs."""
        environment = {**os.environ, "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": url, "FIBER_MODEL": "openai:gpt-x"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def run(self, *, after_requests: int = -1, at_bytes: int | None = None) -> int:
        """Run the command, kill it after so many requests or when the output is so long; return how it ended."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        self._ready.clear()
        self._left = after_requests
        command = ["batch", str(self.input), str(self.output), "--concurrency", str(CONCURRENCY)]
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        self._child = int(process.stdout.readline())
        self._ready.set()
        if at_bytes is not None:
            eventually(lambda: self.size >= at_bytes)
            os.kill(self._child, signal.SIGKILL)
        return int(process.stdout.readline())

    def stop(self) -> None:
        """End."""
        self._process.communicate(timeout=10)

    @property
    def size(self) -> int:
        """Length of the output."""
        return self.output.stat().st_size if self.output.exists() else 0


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    """Give a nursery over a server."""
    made = Nursery(tmp_path)
    with MockServer(handler=made.handle) as server:
        made.start(server.base_url("openai"))
        yield made
        made.stop()


def test_every_line_is_answered_exactly_once_however_often_it_is_killed(nursery: Nursery) -> None:
    """After two dozen kills at different moments, none is lost and none is there twice; the last run ends well."""
    ends = [nursery.run(after_requests=number) for number in range(1, 13)]
    ends += [nursery.run(at_bytes=nursery.size + 1 + 700 * number) for number in range(12)]

    last = nursery.run()

    answers = [json.loads(line) for line in nursery.output.read_bytes().splitlines()]
    assert (ends, last) == ([-signal.SIGKILL] * 24, 0)
    assert sorted(answer["line"] for answer in answers) == list(range(1, LINES + 1))
    assert all(answer["result"]["text"].split() == [f"p{answer['line']}", *["word"] * 200] for answer in answers)
    assert set(nursery.asked) == {f"p{n}" for n in range(1, LINES + 1)}
    assert len(nursery.asked) <= LINES + 24 * CONCURRENCY
