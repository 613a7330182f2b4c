"""
`fiber completion`: what a shell asks at the tab key, and the scripts that have it ask.

A script hands over the line up to the cursor and gets a word a line, so that it never is older than the command, and
what is offered is decided here once for all shells.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from fiber.cli.codes import DONE
from fiber.cli.commands import parser
from fiber.cli.completing import FILES, Offer, offers

SCRIPTS = {
    "bash": r"""# Completion of fiber in bash. In ~/.bashrc: eval "$(fiber completion bash)"
_fiber() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <("$1" completion bash --breaks="$COMP_WORDBREAKS" --line="${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    if [[ ${COMPREPLY[0]} == '<files>' ]]; then
        COMPREPLY=()
        compopt -o default 2>/dev/null
    elif [[ ${COMPREPLY[0]} == *[:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _fiber fiber
""",
    "zsh": r"""#compdef fiber
# Completion of fiber in zsh. In ~/.zshrc, below compinit: eval "$(fiber completion zsh)"
_fiber() {
    local offer word
    local -a begun whole
    for offer in "${(@f)$("${words[1]}" completion zsh --line="${(j: :)words[1,CURRENT]}" 2>/dev/null)}"; do
        word=${offer%%$'\t'*}
        case $word in
            '') ;;
            '<files>') _files; return ;;
            *[:=]) begun+=("$word") ;;
            *) whole+=("${word//:/\\:}:${offer#*$'\t'}") ;;
        esac
    done
    (( $#begun )) && compadd -S '' -- $begun
    (( $#whole )) && _describe fiber whole
    (( $#begun + $#whole ))
}
if [[ $funcstack[1] == _fiber ]]; then
    _fiber
else
    compdef _fiber fiber
fi
""",
    "fish": r"""# Completion of fiber in fish. In ~/.config/fish/config.fish: fiber completion fish | source
function __fiber_offers
    set -l words (commandline -opc)
    set -l found (command $words[1] completion fish --line=(commandline -cp | string collect) 2>/dev/null)
    if string match -q '<files>*' -- "$found"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $found
    end
end
complete -c fiber -f -a '(__fiber_offers)'
""",
}


def run(options: argparse.Namespace) -> int:
    """Print the script of a shell; or, for a line, what it may go on with."""
    if options.line is None:
        print(SCRIPTS[options.shell], end="")
        return DONE
    word, found = offers(parser(), options.line)
    for offer in found:
        print(SPELLED[options.shell](offer, word, options.breaks))
    return DONE


def _for_bash(offer: Offer, word: str, breaks: str) -> str:
    """Spell *offer* for bash, which takes for a word what stands behind the last sign that breaks words."""
    if offer is FILES:
        return offer.word
    return offer.word[max((word.rfind(sign) for sign in ":=" if sign in breaks), default=-1) + 1 :]


def _with_help(offer: Offer, word: str, breaks: str) -> str:
    return f"{offer.word}\t{offer.help}"


SPELLED: dict[str, Callable[[Offer, str, str], str]] = {"bash": _for_bash, "zsh": _with_help, "fish": _with_help}
