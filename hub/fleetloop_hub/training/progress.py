"""Tells how far a run is, in a share and in words, and how long it may still take."""

from collections.abc import Callable

from fleetloop_hub.child import Progress

_EVERY_S = 0.2
_SURE_SHARE = 0.02

Tell = Callable[[Progress], object]


class Narrator:
    """One stretch of a run; its share of the whole is known beforehand."""

    def __init__(self, tell: Tell, clock: Callable[[], float], first: float, last: float) -> None:
        """Nothing is told yet.

        Args:
            tell: Takes what is told.
            clock: Seconds; only differences matter.
            first: The share of the run that is done when this stretch begins.
            last: And when it ends.
        """
        self._tell, self._clock = tell, clock
        self._first, self._width = first, last - first
        self._began, self._told, self._furthest = clock(), -_EVERY_S, 0.0

    def __call__(self, share: float, text: str) -> None:
        """Tell that a share of this stretch is done; not more often than a person can read."""
        now = self._clock()
        self._furthest = max(self._furthest, min(share, 1.0))
        if now - self._told < _EVERY_S:
            return
        self._told = now
        gone = now - self._began
        left = gone / self._furthest - gone if self._furthest >= _SURE_SHARE else None
        whole = self._first + self._width * self._furthest
        self._tell(Progress(share=whole, text=text, left_s=left))


class Units:
    """Counts equal pieces of work, within which the share of one may be told."""

    def __init__(self, narrate: Callable[[float, str], object], total: int) -> None:
        """None of `total` pieces is done yet."""
        self._narrate, self._total = narrate, max(1, total)
        self._done = 0

    def watch(self, text: str) -> Callable[[float, str], object]:
        """For the piece that begins now: takes its share, and more words."""
        done = self._done

        def told(share: float, more: str) -> None:
            self._narrate((done + share) / self._total, f"{text}: {more}" if more else text)

        told(0.0, "")
        return told

    def finish(self, pieces: int = 1) -> None:
        """So many pieces are done."""
        self._done = min(self._total, self._done + pieces)
