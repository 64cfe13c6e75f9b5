"""What each device of one phase has reported, before the phase and since it opened."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from fleetloop_hub.judging.counting import add_health, add_window
from fleetloop_hub.judging.health import Tallies
from fleetloop_shared.reports import DriftReport, HealthReport, Report

MOST_BETWEEN_S = 3_600.0
"""A longer silence between two reports is not counted as time served."""

Side = tuple[str, bool, int]
"""A device, whether it is before the phase, and a version."""


@dataclass(frozen=True)
class Phase:
    """What a book is about.

    Attributes:
        model: The model.
        version: What is rolled out.
        control: The champion, None if there is none.
        since: Unix seconds at which the phase opened.
    """

    model: str
    version: int
    control: int | None
    since: float


@dataclass
class _Last:
    """The last health report of a device."""

    at: float
    boot: int
    version: int | None
    names: set[tuple[str, int, int]] = field(default_factory=set)


class PhaseBook:
    """Counts each report once, in whatever order and however often it comes.

    Attributes:
        phase: What is counted for.
        devices: Whose reports are.
        counted: How many reports have been.
    """

    def __init__(self, phase: Phase) -> None:
        """Nothing was reported yet."""
        self.phase, self.counted = phase, 0
        self.devices: set[str] = set()
        self._tallies: defaultdict[Side, Tallies] = defaultdict(Tallies)
        self._last: dict[str, _Last] = {}

    def take(self, reports: Iterable[Report]) -> None:
        """Count reports of the devices of this phase; others are passed over."""
        for report in sorted(reports, key=lambda r: (r.device, r.boot, r.seq)):
            if report.device not in self.devices:
                continue
            last = self._last.setdefault(report.device, _Last(report.at, report.boot, None))
            name = (type(report).__name__, report.boot, report.seq)
            if name in last.names:
                continue
            last.names.add(name)
            self.counted += 1
            if isinstance(report, HealthReport):
                self._health(report, last)
            elif isinstance(report, DriftReport) and report.closed and self._is_ours(report):
                side = (report.device, report.at < self.phase.since, report.version)
                self._tallies[side] = add_window(self._tallies[side], report)

    def now(self, device: str, version: int | None) -> Tallies:
        """What a device has done under a version since the phase opened."""
        return self._tallies.get((device, False, version or 0), Tallies())

    def before(self, device: str) -> Tallies | None:
        """What it did under the champion before, None if nothing is known."""
        return self._tallies.get((device, True, self.phase.control or 0))

    def _health(self, report: HealthReport, last: _Last) -> None:
        """Count one; the first after a change of versions has rows of both, and is left out."""
        since_s = min(max(report.at - last.at, 0.0), MOST_BETWEEN_S)
        starts, same = max(report.boot - last.boot, 0), report.version == last.version
        last.at, last.boot, last.version = report.at, report.boot, report.version
        if not same or not self._is_ours(report):
            return
        side = (report.device, report.at < self.phase.since, report.version or 0)
        tallies = self._tallies[side]
        self._tallies[side] = add_health(tallies, report, since_s=since_s, starts=starts)

    def _is_ours(self, report: HealthReport | DriftReport) -> bool:
        phase = self.phase
        return report.model == phase.model and report.version in {phase.version, phase.control}
