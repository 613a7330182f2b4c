"""
What is checked, and how; CI and people run the same sessions.

`nox` runs lint, types and tests; `nox -l` lists the rest. Every session installs from the hashed
files in `requirements/`, and pytest meets the built wheel, never the source folder. The sessions that need
nothing but the newest dependencies and that wheel, on the oldest Python, share one environment.
"""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
DIST = ROOT / ".nox" / "dist"
SHARED = ROOT / ".nox" / "environment" / "bin"
"""The programs of the environment that sessions share; its folder is named after its session."""

RECORDINGS = ROOT.parent / "shared" / "wire"
"""Recorded provider traffic, kept beside the repository and not in it."""

PYTHONS = ["3.11", "3.12", "3.13"]
OLDEST = PYTHONS[0]
LIBRARIES = ["direct", "httpx", "httpx2"]
"""What the bytes go over: our own sockets, or a library."""

WORKERS = "2"
"""Processes that share a run of the tests; `-- -n 0` is one, for a debugger."""


@nox.session(python=OLDEST)
def lint(session: nox.Session) -> None:
    """Check format and lint rules; `nox -s lint -- --fix` repairs what it can."""
    install(session, "lint")
    if "--fix" in session.posargs:
        session.run("ruff", "check", "--fix", ".")
        session.run("ruff", "format", ".")
        return
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session(python=OLDEST)
def types(session: nox.Session) -> None:
    """Check types with mypy (strict) and pyright."""
    paths = [path for path in ("fiber", "tests/typing", "noxfile.py") if (ROOT / path).exists()]
    install(session, "test", "lint")
    session.run("mypy", *paths)
    if shutil.which("node") is None:
        session.warn("pyright is skipped: it needs node, and there is none on the PATH")
        return
    session.run("pyright", *paths, env={"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"})


@nox.session(python=OLDEST)
def build(session: nox.Session) -> None:
    """Build the source distribution, and the wheel from it."""
    install(session, "build")
    shutil.rmtree(DIST, ignore_errors=True)
    session.run_install("python", "-m", "build", "--no-isolation", "--outdir", str(DIST), silent=True)
    with zipfile.ZipFile(built_wheel(session)) as archive:
        if "fiber/py.typed" not in archive.namelist():
            session.error("the wheel has no fiber/py.typed, so its types are invisible")


@nox.session(python=PYTHONS, requires=["build"])
def tests(session: nox.Session) -> None:
    """Run the tests on the newest dependencies."""
    install(session, "test", wheel=True)
    run_pytest(session, *session.posargs)


@nox.session(python=OLDEST, requires=["build"])
def tests_lowest(session: nox.Session) -> None:
    """Run the tests on the lowest dependencies that pyproject.toml allows."""
    install(session, "lowest", wheel=True)
    run_pytest(session, *session.posargs)


@nox.session(python=PYTHONS, requires=["build"])
def tests_httpx(session: nox.Session) -> None:
    """Run the tests over httpx instead of our own sockets."""
    install(session, "test", wheel=True)
    run_pytest(session, *session.posargs, FIBER_HTTP="httpx")


@nox.session(python=PYTHONS, requires=["build"])
def tests_httpx2(session: nox.Session) -> None:
    """Run the tests over httpx2 instead of our own sockets."""
    install(session, "test", wheel=True)
    run_pytest(session, *session.posargs, FIBER_HTTP="httpx2")


@nox.session(python=OLDEST, requires=["build"])
def environment(session: nox.Session) -> None:
    """Install the newest dependencies and the wheel, for the sessions below."""
    install(session, "test", wheel=True)


@nox.session(venv_backend="none", requires=["environment"])
def coverage(session: nox.Session) -> None:
    """Run the tests and fail below the coverage that pyproject.toml asks for."""
    run_pytest(session, "--cov", "--cov-report=term", *session.posargs)


@nox.session(venv_backend="none", requires=["environment"])
def thorough(session: nox.Session) -> None:
    """Run the tests with twenty times the examples, new ones each time."""
    run_pytest(session, "--hypothesis-profile=thorough", *session.posargs)


@nox.session(venv_backend="none", requires=["environment"])
def architecture(session: nox.Session) -> None:
    """Check who imports whom."""
    run_pytest(session, "tests/test_architecture.py", *session.posargs)


@nox.session(venv_backend="none", requires=["environment"])
def docs(session: nox.Session) -> None:
    """Run the examples in README and docs, and look for undocumented names."""
    require(session, ROOT / "tests" / "test_docs.py")
    run_pytest(session, "tests/test_docs.py", *session.posargs)


@nox.session(venv_backend="none", requires=["environment"])
def bench(session: nox.Session) -> None:
    """Run every benchmark briefly, to see that it still runs."""
    require(session, ROOT / "benchmarks")
    run(session, "python", "benchmarks", "--smoke", *session.posargs)


@nox.session(venv_backend="none", requires=["environment"])
def reliability(session: nox.Session) -> None:
    """Measure what is promised about faults; `nox -s reliability -- --smoke` takes less than two minutes."""
    require(session, ROOT / "benchmarks" / "reliability")
    run(session, "python", "benchmarks/reliability", *session.posargs)


@nox.session(venv_backend="none", requires=["environment"])
def conformance(session: nox.Session) -> None:
    """Replay recorded provider traffic through every adapter."""
    require(session, ROOT / "tests" / "conformance")
    require(session, RECORDINGS)
    run(session, "python", "-m", "tests.conformance", *session.posargs)


@nox.session(venv_backend="none", requires=["environment"])
@nox.parametrize("library", LIBRARIES)
def torture(session: nox.Session, library: str) -> None:
    """Play every fault through every adapter and runtime, over each transport; `-- --sample 300` plays some."""
    require(session, ROOT / "tests" / "torture")
    run(session, "python", "-m", "tests.torture", *session.posargs, FIBER_HTTP=over(library))


@nox.session(venv_backend="none", requires=["environment"])
@nox.parametrize("library", LIBRARIES)
def torture_elsewhere(session: nox.Session, library: str) -> None:
    """Meet a fault server, aimock, LiteLLM's proxy and nginx; what cannot be had is skipped with its reason."""
    run(session, "python", "-m", "tests.torture.elsewhere", *session.posargs, FIBER_HTTP=over(library))


@nox.session(venv_backend="none", requires=["environment"])
def torture_peers(session: nox.Session) -> None:
    """Play the faults to other clients too; what pip cannot install is skipped with its reason."""
    require(session, ROOT / "tests" / "torture" / "peers")
    run(session, "python", "-m", "tests.torture.peers", *session.posargs, FIBER_HTTP="")


@nox.session(venv_backend="none", requires=["environment"])
def interop(session: nox.Session) -> None:
    """Talk to real servers that run on this machine."""
    require(session, ROOT / "tests" / "interop")
    run(session, "python", "tests/interop", *session.posargs)


def install(session: nox.Session, *requirements: str, wheel: bool = False) -> None:
    """Install hashed requirement files, then perhaps the built wheel without its dependencies."""
    files = [f"--requirement=requirements/{name}.txt" for name in requirements]
    session.install("--require-hashes", *files)
    if wheel:
        session.install("--force-reinstall", "--no-deps", str(built_wheel(session)))


def built_wheel(session: nox.Session) -> Path:
    """Return the wheel that the build session left."""
    wheels = list(DIST.glob("*.whl"))
    if len(wheels) != 1:
        session.error(f"expected one wheel in {DIST}, found {len(wheels)}")
    return wheels[0]


def over(library: str) -> str:
    """Return the value of FIBER_HTTP that asks for *library*."""
    return "" if library == "direct" else library


def run_pytest(session: nox.Session, *arguments: str, **variables: str) -> None:
    """Run pytest against the installed wheel, over our own sockets unless told otherwise."""
    run(session, "pytest", "-q", "-n", WORKERS, *arguments, TEST_INSTALLED_WHEEL="1", **{"FIBER_HTTP": "", **variables})


def run(session: nox.Session, program: str, *arguments: str, **variables: str) -> None:
    """Run a program of the session's environment, which is the shared one where the session has none."""
    if session.venv_backend == "none":
        program = str(SHARED / program)
        variables["PATH"] = os.pathsep.join([str(SHARED), os.environ["PATH"]])
    session.run(program, *arguments, env=variables)


def require(session: nox.Session, path: Path) -> None:
    """Stop where a needed path is missing: skipped on a desk, failed in CI."""
    if path.exists():
        return
    reason = f"{os.path.relpath(path, ROOT)} is missing"
    if os.environ.get("CI") == "true":
        session.error(reason)
    session.skip(reason)


if __name__ == "__main__":
    sys.exit("Run this file with nox: `nox -l` lists the sessions.")
