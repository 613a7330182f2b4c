"""
What any line of a `Pacer` does, as waits that each scenario expects; for memory and for Redis.

Who has to wait long asks again after a quarter of the wait: 250 seconds are a wait of a thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fiber.stores.base import Flow, Spent

RATE = 0.001
"""So slow that the time which a test takes does not count."""


def flows(requests: float = 1, tokens: float | None = None, most: float = 2) -> list[Flow]:
    """Make the flows of a call."""
    found = [Flow("requests", requests, RATE, most)]
    return found if tokens is None else [*found, Flow("tokens", tokens, 10 * RATE, 100)]


class Stand:
    """A line of a store, with short words for what calls do."""

    def __init__(self, pacer: Any, key: str = "line") -> None:
        self._pacer, self._key = pacer, key

    def take(self, name: str, *, what: Any = None, places: int | None = None, **options: Any) -> Any:
        """Return the wait, or `refused` and the wait."""
        bounds = {"seconds": 1e6, "longest": None, "now": 0.0, **options}
        turn = self._pacer.take(self._key, name, what or flows(), places=places, **bounds)
        return ("refused", turn.wait) if turn.refused else turn.wait

    def leave(self, name: str, what: Any = None, now: float = 0.0, **spent: Any) -> None:
        """End the turn."""
        self._pacer.leave(self._key, name, what or flows(), Spent(**spent), now=now)


def turns_are_in_order(line: Stand) -> list[Any]:
    """Two go at once, and then one in a thousand seconds; asked again, each says the same."""
    return [*(line.take(name) for name in "abcd"), line.take("c"), line.take("a")]


TURNS = [0, 0, 250, 500, 250, 0]


def long_waits_are_refused(line: Stand) -> list[Any]:
    """And take nothing."""
    line.take("a"), line.take("b")
    return [line.take("c", longest=500), line.take("d", longest=1500)]


REFUSED = [("refused", 1000), 250]


def who_leaves_lets_all_behind_move_up(line: Stand) -> list[Any]:
    """Those who wait, and those who come; it makes no difference who asks first."""
    for name in "abcde":
        line.take(name)
    line.leave("c")
    return [line.take("d"), line.take("e"), line.take("f")]


MOVED = [250, 500, 750]


def more_than_there_can_be_waits_for_all_of_it(line: Stand) -> list[Any]:
    """And those who come later pay for it."""
    one = flows(0, 50)
    first, large = line.take("a", what=one), line.take("b", what=flows(0, 250))
    return [first, large, line.take("c", what=one)]


LARGE = [0, 1250, 6250]


def a_meter_that_is_empty_holds_up_who_needs_it(line: Stand) -> list[Any]:
    """The others only wait for what was wanted before them."""
    return [line.take("a", what=flows(1, 100)), line.take("b", what=flows(1, 50)), line.take("c", what=flows(1, 0))]


EMPTY = [0, 1250, 250]


def what_was_used_counts(line: Stand) -> list[Any]:
    """More than was taken is taken later, less is given back."""
    line.take("a", what=flows(0, 50))
    line.leave("a", flows(0, 50), used={"requests": 0, "tokens": 100})
    more = line.take("b", what=flows(0, 50))
    line.leave("b", flows(0, 50))
    return [more, line.take("c", what=flows(0, 10))]


USED = [1250, 250]


def what_is_not_said_counts_as_taken(line: Stand) -> list[Any]:
    """So does what one never took; a name that is not known is no error."""
    line.take("a", what=flows(2))
    line.leave("a", flows(2, 40))
    line.leave("nobody", flows(2, 40), used={"requests": 0})
    return [line.take("b")]


UNSAID = [250]


def what_the_provider_says_is_left_counts(line: Stand) -> list[Any]:
    """When it is less than was thought; what others took since then is counted too, and told twice it is told once."""
    wide = flows(1, most=9)
    for name in "abc":
        line.take(name, what=wide)
    line.leave("a", wide, left={"requests": 2})  # b and c have taken that since
    line.leave("b", wide, left={"requests": 1})
    line.leave("c", wide, left={"requests": 5})
    return [line.take("d", what=wide)]


LEFT = [250]


def what_came_since_the_provider_said_so_is_there(line: Stand) -> list[Any]:
    """Half of a request in five hundred seconds."""
    line.take("a")
    line.leave("a", left={"requests": 0}, seconds=500)
    return [line.take("b")]


SINCE = [125]


def a_refusal_closes_the_line(line: Stand) -> list[Any]:
    """For as long as the provider says, for those who wait too; a second one counts from then."""
    for name in "abc":
        line.take(name)
    line.leave("a", pause=300)
    line.leave("b", pause=400)
    return [line.take("c"), line.take("d"), line.take("c", longest=1300), line.take("d")]


CLOSED = [350, 600, ("refused", 1400), 350]


def a_refusal_empties_a_free_line(line: Stand) -> list[Any]:
    """It was thought that there was something; and nobody is let in while it is closed."""
    line.take("a")
    line.leave("a", pause=5000)
    line.take("b")
    line.leave("b")
    first = line.take("c")
    line.leave("x", pause=0)
    return [first, line.take("d")]


FREE = [1500, 1750]


def places_are_for_so_many(line: Stand) -> list[Any]:
    """In the order in which they came; the others ask again after a while."""
    wide = flows(1, most=9)
    waits = [line.take(name, what=wide, places=2) for name in "abcd"]
    line.leave("a", wide)
    waits += [line.take(name, what=wide, places=2) for name in "dce"]
    refused = line.take("f", what=wide, places=2, longest=0.01)
    line.leave("b", wide)
    return [*waits, refused, line.take("d", what=wide, places=2), line.take("e", what=wide, places=2)]


PLACES = [0, 0, 0.02, 0.04, 0.02, 0, 0.04, ("refused", 0.06), 0, 0.02]


def places_need_no_meter(line: Stand) -> list[Any]:
    """A line may have nothing else."""
    waits = [line.take(name, what=(), places=1) for name in "ab"]
    line.leave("a", ())
    return [*waits, line.take("b", what=(), places=1)]


ALONE = [0, 0.02, 0]

SCENARIOS: dict[Callable[[Stand], list[Any]], list[Any]] = {
    turns_are_in_order: TURNS,
    long_waits_are_refused: REFUSED,
    who_leaves_lets_all_behind_move_up: MOVED,
    more_than_there_can_be_waits_for_all_of_it: LARGE,
    a_meter_that_is_empty_holds_up_who_needs_it: EMPTY,
    what_was_used_counts: USED,
    what_is_not_said_counts_as_taken: UNSAID,
    what_the_provider_says_is_left_counts: LEFT,
    what_came_since_the_provider_said_so_is_there: SINCE,
    a_refusal_closes_the_line: CLOSED,
    a_refusal_empties_a_free_line: FREE,
    places_are_for_so_many: PLACES,
    places_need_no_meter: ALONE,
}
