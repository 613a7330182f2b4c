"""Commands that try things: `providers`, `smoke`, `completion`, `demo`."""

from __future__ import annotations

from typing import Any

from fiber.cli.arguments import add_command, add_json, add_mock

SHELLS = ("bash", "zsh", "fish")


def add(commands: Any) -> None:
    """Add them to the parser."""
    command = add_command(
        commands,
        "providers",
        "fiber.cli.providers:run",
        "list the providers, and whose keys are set",
        "fiber providers --ping",
    )
    command.add_argument("--provider", help="only this one")
    command.add_argument("--ping", action="store_true", help="ask those with a key for their list of models")
    add_json(command)
    add_mock(command)

    command = add_command(
        commands,
        "smoke",
        "fiber.cli.smoke:run",
        "make three tiny calls to a provider: whole, streamed, with a tool",
        "fiber smoke --provider openai",
    )
    command.add_argument("--provider", required=True, help="whom to ask")
    command.add_argument("-m", "--model", help="model, as the provider spells it; its row's by default")
    command.add_argument("--timeout", type=float, help="seconds for each call; 60 by default")
    add_json(command)
    add_mock(command)

    command = add_command(
        commands,
        "completion",
        "fiber.cli.completion:run",
        "print what makes the tab key of a shell complete",
        'eval "$(fiber completion bash)"    # in ~/.bashrc',
        'eval "$(fiber completion zsh)"     # in ~/.zshrc, below compinit',
        "fiber completion fish | source     # in ~/.config/fish/config.fish",
    )
    command.add_argument("shell", choices=SHELLS, help="bash, zsh or fish")
    command.add_argument("--line", help="what may stand at the end of this line; the script asks so")
    command.add_argument("--breaks", default="", help="signs at which the shell breaks words")

    add_command(commands, "demo", "fiber.cli.demo:run", "see the library at work over real sockets; no key, no network")
