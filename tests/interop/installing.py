"""
What the runs need and the repository does not hold, installed once into a scratch folder.

The folder is `FIBER_INTEROP_CACHE`, by default `~/.cache/fiber-interop`. Everything comes pinned, with its hash, from
the registries that pip and npm are set up for; nothing is installed anywhere else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

HERE = Path(__file__).parent
AIMOCK = "@copilotkit/aimock"
AIMOCK_VERSION = "1.43.0"
AIMOCK_INTEGRITY = "sha512-V8D8cjSMtAR4rHaD2ulp3DR/ZguXQjDNOqwKDNvjb/OJL/KR1I0SDf5xpRCd+TYKjhmf9fM8Xpg3QBKPmV9Kmw=="
LLAMA = "llama-cpp-python==0.3.36"
LLAMA_SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
LLAMA_FOLDER = "llama_cpp_python-0.3.36"
_OFF = ("GGML_NATIVE", "GGML_OPENMP", "LLAMA_OPENSSL", "LLAMA_BUILD_UI", "LLAMA_USE_PREBUILT_UI", "BUILD_SHARED_LIBS")
_OFF += ("LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_APP")
# -O1, because nobody waits for the answers of a tiny model, but everybody for the compiler.
_FLAGS = ("-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1", "-DCMAKE_C_FLAGS_RELEASE=-O2")
_BUILD_SECONDS = 3600
_INSTALL_SECONDS = 900


class SkippedError(Exception):
    """A part cannot run here; the message says why."""


def cache() -> Path:
    """Return the scratch folder; it exists."""
    said = os.environ.get("FIBER_INTEROP_CACHE")
    folder = Path(said) if said else Path.home() / ".cache" / "fiber-interop"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def sdk_python() -> Path:
    """Return the Python of an environment with the official clients; it has no fiber."""
    folder, wanted = cache() / "sdk", HERE / "requirements.txt"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "requirements.sha256"
    digest = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        print("installing the official clients, about a minute ...", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        _run([str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(wanted)], _INSTALL_SECONDS)
        stamp.write_text(digest)
    return python


def aimock() -> list[str]:
    """Return the command that starts aimock."""
    node = _program("node", "aimock")
    folder = cache() / "aimock"
    start = folder / "node_modules" / AIMOCK / "dist" / "aimock-cli.js"
    if not start.exists():
        npm = _program("npm", "aimock")
        print("installing aimock, a few seconds ...", flush=True)
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        package = f"{AIMOCK}@{AIMOCK_VERSION}"
        _run([npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", package], _INSTALL_SECONDS, folder)
    lock = json.loads((folder / "node_modules" / ".package-lock.json").read_text())
    integrity = lock["packages"][f"node_modules/{AIMOCK}"]["integrity"]
    if integrity != AIMOCK_INTEGRITY:
        raise RuntimeError(f"{AIMOCK} is not the one that was reviewed: {integrity}")
    return [node, str(start)]


def transformers_python() -> Path:
    """Return the Python that has torch and transformers; which build of torch to install is not for us to choose."""
    said = os.environ.get("FIBER_INTEROP_TRANSFORMERS")
    if not said:
        raise SkippedError(
            "FIBER_INTEROP_TRANSFORMERS names no Python with torch and transformers[serving], 1.2 GB for the CPU alone"
        )
    return Path(said)


def llama_server() -> Path:
    """Return the llama-server program, after building it once: about eight minutes on one core."""
    build = cache() / "llama" / "build"
    program = build / "bin" / "llama-server"
    if not program.exists():
        cmake = _program("cmake", "llama-server")
        _program("c++", "llama-server")
        source = str(_llama_source())
        nice = ["nice", "-n", "19"] if shutil.which("nice") else []
        print("building llama-server, about eight minutes ...", flush=True)
        off = [f"-D{name}=OFF" for name in _OFF]
        ninja = ["-G", "Ninja"] if shutil.which("ninja") else []
        _run([*nice, cmake, "-S", source, "-B", str(build), *ninja, *_FLAGS, *off], _BUILD_SECONDS)
        _run([*nice, cmake, "--build", str(build), "--target", "llama-server", "-j", "1"], _BUILD_SECONDS)
    return program


def llama_vocabulary() -> Path:
    """Return a vocabulary-only model, GPT-2's: with 50,000 entries a grammar is still fast."""
    return _llama_source() / "models" / "ggml-vocab-gpt-2.gguf"


def _llama_source() -> Path:
    """Return llama.cpp's tree, which the source archive of its Python binding carries."""
    folder = cache() / "llama"
    tree = folder / LLAMA_FOLDER / "vendor" / "llama.cpp"
    if not tree.exists():
        folder.mkdir(exist_ok=True)
        pins = folder / "requirements.txt"
        pins.write_text(f"{LLAMA} --hash=sha256:{LLAMA_SHA256}\n")
        print("fetching llama.cpp, 77 MB ...", flush=True)
        pip = [str(sdk_python()), "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        _run([*pip, "--require-hashes", "-r", str(pins), "-d", str(folder)], _INSTALL_SECONDS)
        with tarfile.open(folder / f"{LLAMA_FOLDER}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return tree


def _program(name: str, what: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SkippedError(f"{what} needs {name}, and there is none on the PATH")
    return found


def _run(command: list[str], seconds: float, folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout)[-800:]}")
