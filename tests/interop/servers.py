"""
Servers that somebody else wrote, on 127.0.0.1, for as long as they are entered; each gets a free port and a key.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import installing
import tiny_model
from material import KEY
from processes import HOST, free_port, running

_MODEL_SECONDS = 180.0


@contextmanager
def aimock(fixtures: list[dict[str, Any]]) -> Iterator[str]:
    """Run aimock with these fixtures; give its address."""
    command = installing.aimock()
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        llm = {"fixtures": "fixtures.json", "chunkSize": 6}
        config = {"port": port, "host": HOST, "auth": {"apiKeys": [KEY]}, "llm": llm}
        (Path(folder) / "fixtures.json").write_text(json.dumps({"fixtures": fixtures}))
        (Path(folder) / "config.json").write_text(json.dumps(config))
        with running([*command, "--config", "config.json"], port, Path(folder)) as url:
            yield url


@contextmanager
def litellm(models: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """
    Run LiteLLM's proxy, as the torture does; give its address.

    Args:
        models: Name -> `litellm_params`.

    Raises:
        SkippedError: pip cannot install it.
    """
    sys.path.append(str(Path(__file__).parents[2]))  # a script has its own folder there, and no other
    from tests.torture.elsewhere.litellm import proxy
    from tests.torture.peers.installing import SkippedError

    try:
        with proxy(models, KEY) as url:
            yield url
    except SkippedError as reason:
        raise installing.SkippedError(str(reason)) from None


@contextmanager
def llama(*, calls: bool) -> Iterator[str]:
    """
    Run llama-server with a tiny random model; give its address.

    Args:
        calls: Take the model that always begins a tool call.
    """
    program = installing.llama_server()
    made_by = hashlib.sha256(Path(tiny_model.__file__).read_bytes()).hexdigest()[:8]
    model = installing.cache() / "llama" / f"tiny{'-calls' if calls else ''}-{made_by}.gguf"
    if not model.exists():
        tiny_model.write_model(installing.llama_vocabulary(), model, calls=calls)
    port = free_port()
    command = [str(program), "-m", str(model), "--host", HOST, "--port", str(port), "--api-key", KEY, "--alias", "tiny"]
    command += ["-t", "1", "-c", "4096", "-np", "2", "--jinja", "--offline", "--no-warmup"]
    with tempfile.TemporaryDirectory() as folder, running(command, port, Path(folder)) as url:
        yield url


@contextmanager
def transformers() -> Iterator[str]:
    """Run `transformers serve` with a tiny random model, which is called `tiny`; give its address."""
    python = installing.transformers_python()
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "DO_NOT_TRACK": "1"}
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        script = Path(__file__).with_name("tiny_llama.py")
        subprocess.run([python, script, folder / "tiny"], capture_output=True, timeout=_MODEL_SECONDS, check=True)
        command = [str(python.with_name("transformers")), "serve", "tiny", "--host", HOST, "--port", str(port)]
        command += ["--device", "cpu"]
        with running(command, port, folder, variables=quiet, start_seconds=_MODEL_SECONDS) as url:
            yield url
