"""
The documentation is true: its examples run, its links lead somewhere, and it names what there is.

Every ```python block of README.md and docs/ runs, the blocks of a page in order and in one namespace, with `await`
allowed at the top; then the tests among them are called. The environment points each provider at a mock server.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import logging
import re
import runpy
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import pytest

import fiber
import fiber.layers
import fiber.testing
from fiber import (
    PROVIDERS,
    ChatOptions,
    ChatResult,
    ClientOptions,
    Cost,
    CostLine,
    FetchPolicy,
    Fiber,
    FiberError,
    ModelCapabilities,
    Quirks,
    RetryPolicy,
    Timeouts,
    Usage,
    UsageLog,
    UsageRecord,
    _env,
)
from fiber.testing import MockServer, plugin
from fiber.types.cost import CostStatus
from fiber.types.events import Event
from tests.test_architecture import ROOMS
from tests.test_every_row import FAMILIES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")))
}
FEATURES = [name for name in PAGES if name.startswith("docs/features/")]
RECORDS = [name for name in PAGES if name.startswith("docs/adrs/")]

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:fiber|tests|docs|changelog\.d|requirements)/[\w./*{},-]*)`")

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0"
"""The beginning of an image of 640 by 480."""
FILES = {"river.png": PNG, "report.pdf": b"%PDF-1.7\n", "question.wav": b"RIFF\x00\x00\x00\x00WAVE"}
"""Files that examples read."""


def blocks(page: str) -> Iterator[str]:
    """Yield the Python of *page*, moved down to the lines where it stands."""
    for found in FENCE.finditer(page):
        if found[1] == "python":
            yield "\n" * page.count("\n", 0, found.start(2)) + found[2]


def prose(page: str) -> str:
    """Return *page* without its code blocks."""
    return FENCE.sub("", page)


def anchors(page: str) -> set[str]:
    """Return the anchors that the headings of *page* make on GitHub."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def unnamed(page: str, names: Iterable[str]) -> list[str]:
    """Return those of *names* that *page* never sets as code."""
    said = set(re.findall(r"\w[\w-]*", " ".join(re.findall(r"`([^`\n]+)`", prose(page)))))
    return sorted(set(names) - said)


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What examples find: keys, a mock server behind every base URL, their files, and a fresh `fiber.sync`."""
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    vars(fiber).pop("sync", None)
    monkeypatch.delenv("FIBER_MODEL", raising=False)
    logger = logging.getLogger("fiber")
    level, handlers = logger.level, logger.handlers[:]
    with MockServer() as server:
        for row in PROVIDERS:
            for variable in row.key_env:
                monkeypatch.delenv(variable, raising=False)
            monkeypatch.setenv(row.key_env[0], f"test-key-of-{row.key_of or row.name}")
            for variable in row.base_url_env[:1]:
                monkeypatch.setenv(variable, server.base_url(FAMILIES[row.adapter]))
        yield
        logger.setLevel(level)
        logger.handlers[:] = handlers
        if (made := vars(fiber).pop("sync", None)) is not None:
            made.close()


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if any(blocks(page))])
def test_examples_run(name: str) -> None:
    """Every example of the page runs."""
    namespace: dict[str, Any] = {"__name__": "example"}

    with asyncio.Runner() as runner:
        try:
            for block in blocks(PAGES[name]):
                code = compile(block, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
                coroutine = eval(code, namespace)  # noqa: S307 - our own pages
                if coroutine is not None:
                    runner.run(coroutine)
            for test in [value for name, value in namespace.items() if name.startswith("test_")]:
                test()
        finally:
            for client in [value for value in namespace.values() if isinstance(value, Fiber)]:
                client.sync.close()
                runner.run(client.close())


def variables_of_rows() -> set[str]:
    """Return the environment variables that are read for rows."""
    return {name for row in PROVIDERS for name in (*row.key_env, *row.base_url_env, *chain(*row.places.values()))}


def members(kind: Any) -> list[str]:
    """Return the fields and properties of *kind*."""
    properties = [name for name, value in vars(kind).items() if isinstance(value, property)]
    return [*kind.__struct_fields__, *properties]


def subclasses(kind: type) -> Iterator[type]:
    """Yield *kind* and everything below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from subclasses(below)


GROUPS: dict[str, tuple[str, Iterable[str]]] = {
    "errors": ("errors", [kind.__name__ for kind in subclasses(FiberError) if kind.__module__ == "fiber._errors"]),
    "providers": ("providers", [row.name for row in PROVIDERS]),
    "layers": (
        "extending",
        [p.stem for p in Path(fiber.layers.__path__[0]).glob("*.py") if p.stem != "__init__"],
    ),
    "call keywords": ("chat", ChatOptions.__annotations__),
    "client keywords": ("configuration", sorted(ClientOptions.__annotations__)),
    "environment variables": ("configuration", re.findall(r"\bFIBER_[A-Z]+\b", inspect.getsource(_env))),
    "environment variables of rows": ("providers", variables_of_rows()),
    "events": ("streaming", [kind.__name__ for kind in Event.__subclasses__()]),
    "fetching": ("messages-and-content", [*members(FetchPolicy), "fetch_part"]),
    "members of costs": ("cost", [*members(Cost), *members(CostLine), *get_args(CostStatus)]),
    "members of models": ("catalog", members(ModelCapabilities)),
    "members of results": ("chat", [*members(ChatResult), *members(Usage)]),
    "members of usage": ("usage", [*members(UsageRecord), *inspect.signature(UsageLog).parameters]),
    "policies": ("timeouts-and-retries", [*members(Timeouts), *members(RetryPolicy)]),
    "quirks": ("extending", members(Quirks)),
    "test tools": ("testing", fiber.testing.__all__),
    "test fixtures": ("testing", [name for name in vars(plugin) if name.startswith("fiber_")]),
}


@pytest.mark.parametrize("group", GROUPS)
def test_every_member_of_the_group_is_documented(group: str) -> None:
    """The group's feature page names each of its members."""
    page, names = GROUPS[group]

    assert unnamed(PAGES[f"docs/features/{page}.md"], names) == []


def test_every_public_name_is_documented() -> None:
    """Each name of the front door stands on some page, as code."""
    everything = "\n".join(page for name, page in PAGES.items() if name not in RECORDS)

    assert unnamed(everything, fiber.__all__) == []


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link of the page names a file that is there, and a heading that is in it."""
    broken = []
    for link in LINK.findall(prose(PAGES[name])):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("name", [*FEATURES, *RECORDS])
def test_page_is_linked_from_the_index(name: str) -> None:
    """The index leads to every feature page and every decision record."""
    links = LINK.findall(PAGES["docs/index.md"])

    assert name.removeprefix("docs/") in links


@pytest.mark.parametrize("name", PAGES)
def test_paths_exist(name: str) -> None:
    """Every path of the repository that the page names is there."""
    paths = [path for path in PATH.findall(prose(PAGES[name])) if "NNNN" not in path]
    missing = [path for path in paths if not any(ROOT.glob(path.rstrip("/")))]

    assert missing == []


@pytest.mark.parametrize("name", RECORDS)
def test_record_has_all_its_parts(name: str) -> None:
    """A decision record has front matter, a number, and the sections that record 0000 asks for."""
    page = PAGES[name]
    number = Path(name).name[:4]

    assert re.match(r"---\nstatus: [a-z]+( by \d{4})?\ndate: \d{4}-\d\d-\d\d\n---\n", page)
    assert f"\n# {number}: " in page
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == [
        "Context",
        "Options",
        "Decision",
        "Consequences",
        "Confirmation",
    ]


def test_rooms_are_current() -> None:
    """Record 0001 draws the rooms as the architecture test holds them, and the index says what is in each."""
    drawn = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGES["docs/adrs/0001-house-and-import-rules.md"], re.MULTILINE)
    built = [room for line in ROOMS for room in line if list(Path(fiber.__path__[0]).glob(f"{room}*"))]

    assert [tuple(re.findall(r"\w+", line)) for line in drawn] == list(ROOMS)
    assert unnamed(PAGES["docs/index.md"], built) == []


@pytest.mark.parametrize("name", ["providers.md", "parameters.md"])
def test_generated_tables_are_current(name: str) -> None:
    """They are what rows, adapters and models say; `python -m tests.docs_matrix` renews them."""
    renewed = runpy.run_path(str(ROOT / "tests" / "docs_matrix.py"))["renewed"]
    page = PAGES[f"docs/features/{name}"]

    assert page == renewed(name, page)


def test_provider_is_added_in_under_thirty_lines() -> None:
    """The row of the page on extending and its test, which both run, are as short as the pages say."""
    section = PAGES["docs/features/extending.md"].partition("\n## Rows\n")[2]
    shown = next(blocks(section)).strip().split("\n")

    assert any("Provider(" in line for line in shown)
    assert any(line.startswith("def test_") for line in shown)
    assert len(shown) < 30
