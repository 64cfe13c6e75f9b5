"""One run of a model at a time, that can be told to end when it takes too long.

Whoever runs a model only counts: an odd number while a run goes on, another one for each run.
Somebody else looks now and then, and tells a run to end that was there for too long.
"""

from collections.abc import Callable

_NEVER = -1


class Turn:
    """The runs that use one set of memory, one after the other.

    Attributes:
        number: Odd while a run goes on; one more at its beginning and at its end.
        ended: The number of the run that was told to end, -1 if none ever was.
    """

    __slots__ = ("__weakref__", "_end", "_seen", "_since", "ended", "number")

    def __init__(self, end: Callable[[], None]) -> None:
        """No run yet.

        Args:
            end: Tells a run to end; called by who looks. What it tells stays told: after it this
                turn must not be used again.
        """
        self.number = 0
        self.ended = _NEVER
        self._end = end
        self._seen = _NEVER
        self._since = 0.0

    @property
    def spoilt(self) -> bool:
        """Whether any run was told to end, so that none may begin here."""
        return self.ended != _NEVER

    def look(self, now: float, deadline_s: float) -> bool:
        """See how long the run has been there; whether it is still there after its time.

        Args:
            now: Monotonic seconds.
            deadline_s: What a run may take from the first look at it.
        """
        number = self.number
        if number % 2 == 0:
            return False
        if number != self._seen:
            self._seen, self._since = number, now
        if now - self._since < deadline_s:
            return False
        if self.ended != number:
            self.ended = number
            self._end()
        return True
