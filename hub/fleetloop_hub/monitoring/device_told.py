"""What the reports of one device add up to, for its line in the overview."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from fleetloop_hub.digest_records import ServedRows, WindowBrief
from fleetloop_hub.digests_port import Digests
from fleetloop_shared.reports import DriftReport, HealthReport

HISTORY_WINDOWS = 32
_ASKED = 2 * HISTORY_WINDOWS + 2
"""Of each window there may be an early alarm beside its verdict."""

Loaded = tuple[str | None, int | None]
"""A model and its version, as a device has it loaded."""


@dataclass(frozen=True)
class DeviceTold:
    """What is known of a device by its reports.

    Attributes:
        served: What its health reports add up to, a version at a time.
        health: The last one, None before the first.
        drift: The last window, or the early alarm that says more about it.
        closed: The last reporting window that is over.
        ratios: Of its last windows, oldest first, under any version.
    """

    served: list[ServedRows]
    health: HealthReport | None
    drift: WindowBrief | None
    closed: WindowBrief | None
    ratios: list[float]

    @property
    def rows(self) -> int:
        """Rows answered under any version."""
        return sum(one.rows for one in self.served)

    def labels(self, loaded: Loaded) -> tuple[int, int | None]:
        """Labels that came for answers of a version, and how many of those were right."""
        for one in self.served:
            if (one.model, one.version) == loaded:
                return one.labels, one.right
        return 0, None


NOTHING = DeviceTold([], None, None, None, [])
"""Of a device that has not reported yet."""


def told(digests: Digests, device: str) -> DeviceTold:
    """What a device has told up to now."""
    windows = _Windows(digests.windows(device, limit=_ASKED))
    return DeviceTold(
        served=digests.served(device),
        health=digests.latest(device, HealthReport),
        drift=windows.shown(),
        closed=windows.closed,
        ratios=list(windows.ratios),
    )


def verdict(digests: Digests, device: str, brief: WindowBrief | None) -> DriftReport | None:
    """The whole verdict of which this is the brief, None if it is not kept."""
    if brief is None:
        return None
    found = digests.report(device, brief.boot, brief.seq)
    return found if isinstance(found, DriftReport) else None


class _Windows:
    """Windows in their order; an alarm that came before its end is shown until a quiet window."""

    def __init__(self, briefs: Sequence[WindowBrief]) -> None:
        self.last: WindowBrief | None = None
        self.early: WindowBrief | None = None
        self.closed: WindowBrief | None = None
        self.ratios: deque[float] = deque(maxlen=HISTORY_WINDOWS)
        for brief in briefs:
            self._note(brief)

    def shown(self) -> WindowBrief | None:
        """The last window, or the early alarm that says more about it."""
        if self.last is None or self.last.ratio >= 1.0 or self.early is None:
            return self.last
        of_it = (self.early.model, self.early.version) == (self.last.model, self.last.version)
        return self.early if of_it else self.last

    def _note(self, brief: WindowBrief) -> None:
        self.last = brief
        if not brief.closed:
            self.early = brief
            return
        self.closed = brief
        early, self.early = self.early, self.early if brief.alarm else None
        self.ratios.append(brief.ratio if early is None else max(brief.ratio, early.ratio))
