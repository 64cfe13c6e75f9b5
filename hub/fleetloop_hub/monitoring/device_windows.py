"""The last windows of one device under one version, in the form in which they travel."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from fleetloop_hub.digest_records import StoredPayload, WindowBrief
from fleetloop_hub.monitoring.merging import merged
from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.profile import LiveProfile
from fleetloop_shared.reports import ProfileReport

KEPT_WINDOWS = 20
"""Reporting windows of a device that are kept: some 30 kB for 30 features."""

NEWEST_WINDOWS = 4
"""Of these, how many at most are taken together as what it sees now."""

ENOUGH_ROWS = 1_024
"""Rows that these have together where one window has fewer."""

Loaded = tuple[str, int]
"""A model and its version."""


@dataclass
class _Window:
    name: tuple[int, int]
    first_row: int
    rows: int
    stored_at: float
    payload: bytes
    alarm: bool | None


@dataclass
class DeviceWindows:
    """Takes reports in any order; one of a version that was left meanwhile comes too late.

    Attributes:
        loaded: The version that they are of, None before the first.
    """

    loaded: Loaded | None = None
    _windows: list[_Window] = field(default_factory=list)

    def take(self, report: ProfileReport, stored: StoredPayload) -> bool:
        """A window's profile; whether it is news.

        Args:
            report: The profile.
            stored: The same as it came.
        """
        loaded, name = (report.model, report.version), (report.boot, report.seq)
        known = [window.name for window in self._windows]
        if loaded != self.loaded:
            if known and name < known[-1]:
                return False
            self.loaded, self._windows = loaded, []
        elif name in known:
            return False
        rows, at = report.profile.rows, stored.stored_at
        self._windows.append(_Window(name, report.first_row, rows, at, stored.payload, None))
        self._windows.sort(key=lambda w: w.name)
        del self._windows[:-KEPT_WINDOWS]
        return True

    def judge(self, briefs: Iterable[WindowBrief]) -> bool:
        """Which windows were an alarm; whether any of that is news.

        Args:
            briefs: The device's last verdicts.
        """
        alarms = {
            (b.boot, b.first_row): b.alarm
            for b in briefs
            if b.closed and (b.model, b.version) == self.loaded
        }
        news = False
        for window in self._windows:
            alarm = alarms.get((window.name[0], window.first_row), window.alarm)
            news |= alarm != window.alarm
            window.alarm = alarm
        return news

    @property
    def heard_at(self) -> float:
        """When its newest window came, Unix seconds of the hub; 0 before the first."""
        return self._windows[-1].stored_at if self._windows else 0.0

    @property
    def every_s(self) -> float | None:
        """Seconds from one of its windows to the next on average, None with fewer than two."""
        if len(self._windows) < 2:  # noqa: PLR2004  # there is no next one
            return None
        return (self.heard_at - self._windows[0].stored_at) / (len(self._windows) - 1)

    @property
    def pause_s(self) -> float:
        """Seconds of the longest pause between two of its windows, 0 with fewer than two."""
        at = [window.stored_at for window in self._windows]
        return max((after - before for before, after in pairwise(at)), default=0.0)

    def now(self) -> LiveProfile | None:
        """The newest windows together: of equally many rows for all devices of a version.

        A world that changes makes windows of different times differ, and not their devices.
        """
        newest = self._newest()
        return merged([_profile(w) for w in newest]) if newest else None

    def since_alarm(self) -> LiveProfile | None:
        """Of these windows, those of the alarm that stands; None where none does."""
        newest = self._newest()
        quiet = [k for k, window in enumerate(newest) if not window.alarm]
        alarmed = newest[quiet[-1] + 1 :] if quiet else newest
        return merged([_profile(w) for w in alarmed]) if alarmed else None

    def usual(self) -> LiveProfile | None:
        """The quiet windows before these together, None if there were none."""
        before = self._windows[: len(self._windows) - len(self._newest())]
        quiet = [_profile(w) for w in before if w.alarm is False]
        return merged(quiet) if quiet else None

    def _newest(self) -> list[_Window]:
        if not self._windows:
            return []
        rows = self._windows[-1].rows
        return self._windows[-min(NEWEST_WINDOWS, -(-ENOUGH_ROWS // rows)) :]


def _profile(window: _Window) -> LiveProfile:
    return decode_compressed(window.payload, ProfileReport).profile
