"""The assembly of a Messages answer, with what only this format needs."""

from __future__ import annotations

from fiber.adapters.assembly import Assembly
from fiber.types.events import Log

RESTARTED = "The provider began its answer anew in mid-stream; what it had said before is left out."


class Answer(Assembly):
    """An `Assembly` that can begin anew."""

    def restart(self) -> None:
        """
        Forget what was said: another message began in the same stream.

        Seen where a failed call is repeated in mid-stream. Joining the two would give half calls
        and doubled text, so the last message is the answer. The events already given out stay; a
        warning follows them.
        """
        self.model = ""
        self.response_id = None
        if not self.empty:
            self._choices.clear()
            self.citations.clear()
            self.warn(RESTARTED)
            self._events.append(Log("warning", RESTARTED))

    def warn(self, text: str) -> None:
        """Add a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)
