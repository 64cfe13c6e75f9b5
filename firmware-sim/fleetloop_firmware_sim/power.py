"""Power that can fail: moments are counted, and at a chosen one everything stops."""


class PowerCut(BaseException):
    """The power is gone; no `except Exception` of the agent can carry on without it."""


class Moments:
    """Counts the moments at which power can fail: before each durable or network act.

    What a cut after an act leaves is what one before the next act leaves, so there is one moment
    between two acts. Once the power is gone it stays gone: an act that a `finally` still tries
    fails as well, so that nothing reaches the flash after the cut.

    Attributes:
        passed: Moments that have passed since power came.
        last: What the last of them was, in words.
    """

    def __init__(self, cut_at: int | None = None) -> None:
        """Switch the power on.

        Args:
            cut_at: The moment, from 1, at which it fails; None: it does not.
        """
        self.passed = 0
        self.last = ""
        self._cut_at = cut_at
        self._place, self._acts = "", 0
        self._on = True

    @property
    def on(self) -> bool:
        """Whether there is power."""
        return self._on

    def cut(self) -> None:
        """Cut the power now; the next act meets it."""
        self._on = False

    def cut_after(self, acts: int, place: str = "") -> None:
        """Let it fail at the so manieth moment from now on.

        Args:
            acts: How many.
            place: They are counted from the next act whose words hold this.
        """
        self._cut_at = None if place else self.passed + acts
        self._place, self._acts = place, acts

    def tick(self, what: str) -> None:
        """A moment passes.

        Args:
            what: The act it is before, in words.

        Raises:
            PowerCut: This was the moment, or the power is already gone.
        """
        if self._on:
            self.passed += 1
            self.last = what
            if self._place and self._place in what:
                self._cut_at, self._place = self.passed + self._acts, ""
            self._on = self.passed != self._cut_at
        if not self._on:
            raise PowerCut(f"at moment {self.passed}: {self.last}")
