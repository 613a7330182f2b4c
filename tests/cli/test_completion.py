"""Completion in real shells."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fiber.cli import main
from fiber.cli.completion import SCRIPTS
from tests.registry.locking.samples import TEXT, lockfile
from tests.test_architecture import HEAVY

ROOT = Path(__file__).parents[2]
SECONDS = 60.0
"""Longer than any shell takes."""

PROGRAM = f"""#!{sys.executable}
import json, sys
if sys.argv[1] == "completion":
    from fiber.cli import main
    sys.exit(main(sys.argv[1:]))
with open("called.jsonl", "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
"""
"""Completes as `fiber` does, and otherwise writes down how it was called."""

TYPED = {
    "fiber mode\t --json\n": ["models", "--json"],
    "fiber lock check de\t\n": ["lock", "check", "deep"],
    "fiber info openai:gpt-6-lu\t\n": ["info", "openai:gpt-6-luna"],
    "fiber find --order=cos\t\n": ["find", "--order=cost"],
    "fiber ask -m deepi\tmine\n": ["ask", "-m", "deepinfra:mine"],
    "fiber batch quest\t\n": ["batch", "questions.jsonl"],
}
"""What is typed, and what the program is called with."""


def found(shell: str) -> str:
    """Return the path of a shell, or skip the test."""
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    return path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a lockfile, and with `fiber` in the path."""
    program = tmp_path / "bin" / "fiber"
    program.parent.mkdir()
    program.write_text(PROGRAM, encoding="utf-8")
    program.chmod(0o755)
    for name, said in {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "TERM": "dumb",
    }.items():
        monkeypatch.setenv(name, said)
    monkeypatch.chdir(tmp_path)
    lockfile(tmp_path, TEXT)
    (tmp_path / "questions.jsonl").touch()
    return tmp_path


def typed(path: str, *arguments: str, keys: str) -> None:
    """Type *keys* into an interactive shell on a terminal, and wait until it has ended."""
    leader, follower = os.openpty()
    with subprocess.Popen(
        [path, *arguments], stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    ) as process:
        os.close(follower)
        os.write(leader, keys.encode())
        try:
            while select.select([leader], [], [], SECONDS)[0] and os.read(leader, 65536):
                pass
        except OSError:  # how a terminal says that nobody is on it
            pass
        process.kill()
        os.close(leader)


@pytest.mark.parametrize(
    ("shell", "arguments", "before"),
    [
        ("bash", ["--norc", "--noprofile", "-i"], ""),
        ("zsh", ["-f", "-i"], "autoload -U compinit; compinit -u -D\n"),
    ],
)
def test_the_tab_key_completes(shell: str, arguments: list[str], before: str, folder: Path) -> None:
    """Commands, aliases, models with a colon, values behind `=`, what goes on without a space, and files."""
    path = found(shell)

    typed(path, *arguments, keys=f'{before}eval "$(fiber completion {shell})"\n{"".join(TYPED)}exit\n')

    called = [json.loads(line) for line in (folder / "called.jsonl").read_text("utf-8").splitlines()]
    assert called == list(TYPED.values())


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("fiber mode", ["models\tlist the models of the providers whose keys are set"]),
        ("fiber lock check de", ["deep\tanthropic:claude-opus-5"]),
        ("fiber info openai:gpt-6-lu", ["openai:gpt-6-luna"]),
        ("fiber batch quest", ["questions.jsonl"]),
        ("fiber lock check nothing", []),
    ],
)
def test_fish_completes(line: str, offers: list[str]) -> None:
    """With what each word means beside it."""
    ask = f"fiber completion fish | source; complete -C '{line}'"

    done = subprocess.run([found("fish"), "-N", "-c", ask], capture_output=True, text=True, timeout=SECONDS, check=True)

    assert [said.rstrip("\t") for said in done.stdout.splitlines()] == offers


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_script_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It begins with how it is put to use."""
    assert main(["completion", shell]) == 0

    assert f"# Completion of fiber in {shell}. In ~/" in capsys.readouterr().out


def test_bash_gets_what_stands_behind_the_last_break(capsys: pytest.CaptureFixture[str]) -> None:
    """As its own words end there, unless somebody told it otherwise; files are left to it."""
    said = []
    for breaks, line in (
        (":=", "fiber info openai:gpt-6-lu"),
        ("", "fiber info openai:gpt-6-lu"),
        (":=", "fiber batch "),
    ):
        main(["completion", "bash", f"--breaks={breaks}", f"--line={line}"])
        said.append(capsys.readouterr().out.strip())

    assert said == ["gpt-6-luna", "openai:gpt-6-luna", "<files>"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_the_meaning_too(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Behind a tab."""
    main(["completion", shell, "--line=fiber lock check de"])

    assert capsys.readouterr().out == "deep\tanthropic:claude-opus-5\n"


def test_the_tab_key_loads_nothing_heavy(folder: Path) -> None:
    """Also where models and aliases are offered."""
    probe = (
        "import sys; from fiber.cli import main\n"
        "for line in ('', 'ask --model ', 'ask -m gpt-6', 'find ', 'models --provider ', 'ask --profile '):\n"
        "    main(['completion', 'bash', '--line=fiber ' + line])\n"
        "print(*sys.modules)"
    )

    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True, text=True).stdout

    assert [name for name in (*HEAVY, "rich", "fiber._fiber") if name in said.splitlines()[-1].split()] == []
