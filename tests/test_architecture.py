"""
The import contracts of the house, read from the source with `ast` and never by importing it.

`ROOMS`, `OWNERS` and `PURE` are the contracts; docs/adrs/0001-house-and-import-rules.md says why.
An import under `if TYPE_CHECKING:` does not count. An import inside a function does.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fiber"

ROOMS = (
    # Top to bottom. A room knows the rooms below it; rooms on one line do not know each other.
    ("__main__",),
    ("cli",),
    ("testing",),
    ("_fiber", "_prompt"),
    ("_sync", "_setup"),
    ("_batch", "_conversation", "_counting", "_lists", "_pieces", "_updating"),
    ("_streams",),
    ("_face",),
    ("_validation",),
    ("_calls", "_running"),
    ("_ways",),
    ("_routing",),
    ("_options", "_settings"),
    ("_results",),
    ("_engine",),
    ("_open", "_emulation", "_steps"),
    ("_operations",),
    ("usage",),
    ("layers",),
    ("stores", "metering"),
    ("_chain", "_fetch", "credentials"),
    ("_reply",),
    ("_images",),
    ("_env", "_files"),
    ("registry",),
    ("providers", "transports"),
    ("adapters",),
    ("framing",),
    ("types",),
    ("_errors",),
)
STRANGERS = {("_prompt", "_sync")}
"""Pairs that the order above would allow."""

IO = ("transports/",)
LOOSE_IO = ("transports/", "testing/", "cli/")
OWNERS = {
    # Who alone may import what: folders end in a slash.
    "anyio": IO,
    "asyncio": LOOSE_IO,
    "certifi": IO,
    "cryptography": ("stores/encrypted.py",),
    "genai_prices": ("registry/genai.py",),
    "google": ("credentials/google.py",),
    "h11": IO,
    "httptools": IO,
    "httpcore": IO,
    "httpx": IO,
    "httpx2": IO,
    "jsonschema": ("types/validating.py",),
    "opentelemetry": ("metering/otel.py",),
    "psycopg": ("usage/postgres.py",),
    "pytest": ("testing/plugin.py",),
    "referencing": ("types/validating.py",),
    "redis": ("stores/redis.py",),
    "rich": ("cli/",),
    "socket": LOOSE_IO,
    "ssl": (*IO, "testing/certificates.py"),
    "structlog": ("layers/telemetry.py",),
    "time": LOOSE_IO,
    "trio": IO,
    "trustme": ("testing/certificates.py",),
}

PURE = {
    # Bytes and values in, bytes and values out.
    room: {"os", "random", "threading"}
    for room in ("types", "framing", "adapters", "providers")
}

GOAL_LINES, MOST_LINES = 300, 500
ALLOWED: dict[str, str] = {
    # Files above the goal, each with the reason why it is one idea.
}

HEAVY = (
    "anyio",
    "asyncio",
    "cryptography",
    "fiber.adapters.openai_chat",
    "google.auth",
    "httpcore",
    "httpx",
    "httpx2",
    "opentelemetry",
    "structlog",
)
"""What `import fiber` leaves for later."""


@dataclass(frozen=True)
class Module:
    """
    One source file of a package named `fiber`.

    `path` is relative to the package; `known` holds the names of all its modules.
    """

    path: str
    source: str
    known: frozenset[str]

    @property
    def name(self) -> str:
        """The dotted name, `fiber.types.content`."""
        return module_name(self.path)

    @property
    def room(self) -> str:
        """The name under `fiber`, or nothing for the front door."""
        return room_of(self.name)

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.source, self.path)

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        """Line and full module name of each import that happens at run time."""
        return [(node.lineno, name) for node in runtime_nodes(self.tree) for name in imported_names(node, self)]

    def at(self, line: int, complaint: str) -> str:
        """Say where something is wrong."""
        return f"fiber/{self.path}:{line}: {complaint}"


def module_name(path: str) -> str:
    """Turn `types/content.py` into `fiber.types.content`."""
    return ".".join(["fiber", *path.removesuffix(".py").split("/")]).removesuffix(".__init__")


def room_of(name: str) -> str:
    """Return `types` for `fiber.types.content`."""
    return [*name.split("."), ""][1]


def read_package(sources: dict[str, str]) -> list[Module]:
    """Make modules of sources by path."""
    known = frozenset(module_name(path) for path in sources)
    return [Module(path, source, known) for path, source in sorted(sources.items())]


def runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk all nodes but those under `if TYPE_CHECKING:`."""
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        children: Iterator[ast.AST] = iter(node.orelse)
    else:
        children = ast.iter_child_nodes(node)
    for child in children:
        yield from runtime_nodes(child)


def imported_names(node: ast.AST, module: Module) -> Iterator[str]:
    """Yield the full names of the modules that one statement imports."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=base, names=names, level=level):
            base = absolute("." * level + (base or ""), module)
            for alias in names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in module.known else base
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            yield absolute(name, module)


def absolute(name: str, module: Module) -> str:
    """Resolve leading dots against the package that the module is in."""
    level = len(name) - len(name.lstrip("."))
    if level == 0:
        return name
    parts = module.name.split(".")
    is_package = module.path.endswith("__init__.py")
    package = parts[: len(parts) - level + is_package]
    return ".".join([*package, *filter(None, [name[level:]])])


def rooms_look_down(modules: list[Module]) -> Iterator[str]:
    """Yield each import that points up, sideways or at the front door, and each unlisted room."""
    level = {room: number for number, line in enumerate(ROOMS) for room in line}
    for module in modules:
        if not module.room:
            continue  # the front door may name anything
        if module.room not in level:
            yield module.at(1, f"the room {module.room!r} is not in ROOMS")
            continue
        for line, name in module.imports:
            other = room_of(name)
            if name.split(".")[0] != "fiber" or other == module.room:
                continue
            if not other:
                yield module.at(line, "imports the front door; name the room instead")
            elif other not in level:
                yield module.at(line, f"the room {other!r} is not in ROOMS")
            elif level[other] <= level[module.room] or (module.room, other) in STRANGERS:
                yield module.at(line, f"{module.room} must not know {other}")


def adapters_are_alone(modules: list[Module]) -> Iterator[str]:
    """Yield each import from one adapter's folder into another's."""
    adapters = {module.name for module in modules if re.fullmatch(r"adapters/\w+/__init__\.py", module.path)}
    for module in modules:
        own = ".".join(module.name.split(".")[:3])
        for line, name in module.imports if own in adapters else []:
            other = ".".join(name.split(".")[:3])
            if other in adapters and other != own:
                yield module.at(line, f"the adapter {own} must not know {other}")


def libraries_have_owners(modules: list[Module]) -> Iterator[str]:
    """Yield each import of a library by a module that does not own it."""
    for module in modules:
        for line, name in module.imports:
            library = name.split(".")[0]
            owners = OWNERS.get(library, (module.path,))
            if not module.path.startswith(owners):
                yield module.at(line, f"only {', '.join(owners)} may import {library}")
            if library in PURE.get(module.room, ()):
                yield module.at(line, f"{module.room} is pure and does without {library}")


def only_the_command_prints(modules: list[Module]) -> Iterator[str]:
    """Yield each call of `print` outside the command."""
    for module in modules:
        for node in ast.walk(module.tree) if module.room != "cli" else []:
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                yield module.at(node.lineno, "prints")


def nothing_is_left_to_do(modules: list[Module]) -> Iterator[str]:
    """Yield each mark of unfinished work."""
    for module in modules:
        for line, text in enumerate(module.source.split("\n"), start=1):
            if mark := re.search(r"\b(TODO|FIXME)\b", text):
                yield module.at(line, f"holds a {mark[0]}")


def modules_say_what_they_are(modules: list[Module]) -> Iterator[str]:
    """Yield each module without a docstring."""
    for module in modules:
        if not ast.get_docstring(module.tree):
            yield module.at(1, "has no module docstring")


def files_are_short(modules: list[Module]) -> Iterator[str]:
    """Yield each file that is too long, and each allowance that is no longer used."""
    lines = {module.path: module.source.count("\n") for module in modules}
    for path, count in lines.items():
        if count > MOST_LINES:
            yield f"fiber/{path}: {count} lines; {MOST_LINES} is the limit"
        elif count > GOAL_LINES and path not in ALLOWED:
            yield f"fiber/{path}: {count} lines; split it, or ALLOW it with a reason"
    for path in ALLOWED:
        if path in lines and lines[path] <= GOAL_LINES:
            yield f"fiber/{path}: short again; remove it from ALLOWED"


RULES: dict[Callable[[list[Module]], Iterator[str]], dict[str, dict[str, str]]] = {
    # Each rule with packages that break it, one complaint each.
    rooms_look_down: {
        "up": {"types/a.py": "import fiber.adapters"},
        "sideways": {
            "providers/a.py": "from fiber import transports",
            "transports/__init__.py": "",
        },
        "relative": {"_chain.py": "from .layers import retry"},
        "parent": {"types/a.py": "from .. import _env", "_env.py": ""},
        "package": {"types/__init__.py": "from ..framing import sse"},
        "function": {"_errors.py": "def f():\n    from fiber.types import Usage"},
        "lazy": {"framing/a.py": "importlib.import_module('fiber.adapters.base')"},
        "lazy relative": {"framing/a.py": "import_module('..adapters.base', __package__)"},
        "else": {"types/a.py": "if TYPE_CHECKING:\n    x = 1\nelse:\n    import fiber._env"},
        "strangers": {"_prompt.py": "from fiber._sync import SyncFiber"},
        "siblings": {"_prompt.py": "from fiber._fiber import Fiber"},
        "front door": {"layers/a.py": "from fiber import Fiber"},
        "unlisted": {"_misc.py": ""},
    },
    adapters_are_alone: {
        "adapter": {
            "adapters/one/__init__.py": "",
            "adapters/two/__init__.py": "",
            "adapters/one/a.py": "from ..two.schema import View",
        },
    },
    libraries_have_owners: {
        "http": {"layers/a.py": "import httpx"},
        "time": {"layers/a.py": "from time import monotonic"},
        "loop": {"_engine.py": "def f():\n    import asyncio.events"},
        "log": {"layers/retry.py": "import structlog"},
        "span": {"transports/a.py": "from opentelemetry import trace"},
        "mock": {"testing/a.py": "import anyio"},
        "pure": {"types/a.py": "import random"},
    },
    only_the_command_prints: {"print": {"types/a.py": "def f():\n    print('x')"}},
    nothing_is_left_to_do: {"mark": {"types/a.py": "x = 1  # " + "TODO later"}},
    modules_say_what_they_are: {"bare": {"types/a.py": "x = 1"}},
    files_are_short: {
        "long": {"types/a.py": "\n" * 301},
        "too long": {"types/a.py": "\n" * 501},
    },
}

HONEST = {
    "__init__.py": '"""Door."""\nfrom fiber._fiber import Fiber',
    "_errors.py": '"""A."""\nif TYPE_CHECKING:\n    from fiber.types import Usage',
    "_env.py": '"""A."""\nimport os',
    "_fiber.py": '"""A."""\nfrom fiber._sync import SyncFiber\nfrom . import _env',
    "_sync.py": '"""A."""\nfrom ._engine import run_sync',
    "adapters/base.py": '"""A."""\nfrom fiber.types import Usage',
    "adapters/one/__init__.py": '"""A."""',
    "adapters/one/stream.py": '"""A."""\nfrom . import schema\nfrom fiber.adapters.base import x',
    "adapters/one/schema.py": '"""A."""\nimport msgspec',
    "cli/__init__.py": '"""A."""\nimport time\nfrom fiber.testing import serve\nprint(1)',
    "testing/server.py": '"""A."""\nimport asyncio, socket, threading, time',
    "transports/blocking.py": '"""A."""\nimport httpx, socket, ssl, time',
    "types/__init__.py": '"""A."""\nfrom fiber._errors import FiberError',
}
"""A package that keeps every rule."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_package_keeps_the_rule(rule: Callable[[list[Module]], Iterator[str]]) -> None:
    """The package breaks no rule of the house."""
    modules = read_package(
        {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    )

    assert modules
    assert list(rule(modules)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_accepts_an_honest_package(rule: Callable[[list[Module]], Iterator[str]]) -> None:
    """A rule has no complaint about what it means to allow."""
    assert list(rule(read_package(HONEST))) == []


@pytest.mark.parametrize(
    ("rule", "sources"),
    [
        pytest.param(rule, sources, id=f"{rule.__name__}-{name}")
        for rule, cases in RULES.items()
        for name, sources in cases.items()
    ],
)
def test_rule_sees_a_violation(rule: Callable[[list[Module]], Iterator[str]], sources: dict[str, str]) -> None:
    """A rule complains once about a package that breaks it once."""
    complaints = list(rule(read_package(sources)))

    assert len(complaints) == 1, complaints


def test_import_is_light() -> None:
    """`import fiber` loads no heavy library and touches no socket."""
    probe = (
        "import json, sys\n"
        "events = []\n"
        "sys.addaudithook(lambda event, args: events.append(event))\n"
        "import fiber\n"
        "print(json.dumps([sorted(sys.modules), [e for e in events if e.startswith('socket.')]]))\n"
    )

    output = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, check=True, text=True).stdout
    loaded, sockets = json.loads(output)

    assert [name for name in HEAVY if name in loaded] == []
    assert sockets == []


def test_lowest_requirements_are_the_declared_ones() -> None:
    """requirements/lowest.in pins exactly the lower bounds of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = [project["dependencies"], *project["optional-dependencies"].values()]
    lowest = (ROOT / "requirements/lowest.in").read_text("utf-8")

    bounds = re.findall(r"^([\w-]+)(?:\[\w+\])?>=([\d.]+)", "\n".join(chain(*declared)), re.M)
    pinned = re.findall(r"^([\w-]+)(?:\[\w+\])?==([\d.]+)$", lowest, re.M)

    assert {name: padded(version) for name, version in pinned} == {name: padded(version) for name, version in bounds}


def padded(version: str) -> tuple[int, ...]:
    """Read `2` and `2.0.0` as one version."""
    return tuple(map(int, [*version.split("."), "0", "0"][:3]))


@pytest.mark.skipif("TEST_INSTALLED_WHEEL" not in os.environ, reason="only nox installs the wheel")
def test_package_under_test_is_the_installed_wheel() -> None:
    """Under nox, `fiber` is the built wheel and not the folder beside the tests."""
    import fiber

    assert "site-packages" in Path(fiber.__file__).parts
