"""From what devices said last to one line a device.

Only reports that are new since the last look are read, so that a look every second stays cheap.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from fleetloop_hub.fleet_records import Device
from fleetloop_hub.fresh import FreshReports
from fleetloop_hub.monitoring.drift_words import moved_in, top
from fleetloop_hub.monitoring.overview import DeviceView, Level
from fleetloop_hub.monitoring.overview_accuracy import with_accuracy
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import DevicePulse
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.messages import DeviceState, Message, ReportedState
from fleetloop_shared.reports import DriftReport, HealthReport, Report

HISTORY_WINDOWS = 32
_HEALTH_AT_START = 1_000
_SHORT_HASH = 12

M = TypeVar("M", bound=Message)
R = TypeVar("R", bound=Report)

Loaded = tuple[str | None, int | None]
"""A model and its version, as a device has it loaded."""

_WORDS = {
    "planned": "about to fetch {target}",
    "fetching": "fetching {target}",
    "staged": "testing {target} before use",
    "trial": "trying {target} on live rows",
    "deferred": "waits with {target}",
    "rolled-back": "going back from {target}",
    "quarantined": "has given up {target}",
}
"""What the agent's states mean while it moves to another version."""


@dataclass(frozen=True)
class Fleet:
    """All devices.

    Attributes:
        views: One a device, by id.
        reported: The reported state of those that have one.
    """

    views: list[DeviceView]
    reported: dict[str, ReportedState]


@dataclass
class _Told:
    """What the reports of one device add up to."""

    rows: int = 0
    labels: Counter[Loaded] = field(default_factory=Counter)
    right: Counter[Loaded] = field(default_factory=Counter)
    unjudged: set[Loaded] = field(default_factory=set)
    health: HealthReport | None = None
    drift: DriftReport | None = None
    early: DriftReport | None = None
    closed: DriftReport | None = None
    ratios: deque[float] = field(default_factory=lambda: deque(maxlen=HISTORY_WINDOWS))

    def note(self, report: DriftReport) -> None:
        """A window's verdict; an alarm that came before its end is shown until a quiet window."""
        self.drift = _later(self.drift, report)
        if not report.closed:
            self.early = report
            return
        self.closed = _later(self.closed, report)
        early, self.early = self.early, self.early if report.alarm else None
        self.ratios.append(report.ratio if early is None else max(report.ratio, early.ratio))

    def shown(self) -> DriftReport | None:
        """The last window, or the early alarm that says more about it."""
        if self.drift is None or self.drift.ratio >= 1.0 or self.early is None:
            return self.drift
        of_it = (self.early.model, self.early.version) == (self.drift.model, self.drift.version)
        return self.early if of_it else self.drift


class DeviceReader:
    """Keeps up with the reports of all devices; for one thread at a time."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Begin before the first report that is kept."""
        self._telemetry = telemetry
        self._health = FreshReports(telemetry, "health", _HEALTH_AT_START)
        self._drift = FreshReports(telemetry, "drift", HISTORY_WINDOWS)
        self._told: dict[str, _Told] = {}

    def read(self, enrolled: Iterable[Device]) -> Fleet:
        """Every device that is enrolled or was heard of."""
        self._keep_up()
        devices = {d.key: d for d in enrolled}
        pulses = {p.device: p for p in self._telemetry.pulses()}
        reported = {
            name: state
            for name, pulse in pulses.items()
            if (state := _decoded(pulse.reported, ReportedState)) is not None
        }
        views = [
            _with_reports(
                _view(name, devices.get(name), pulses.get(name), reported.get(name)),
                self._told.get(name, _Told()),
            )
            for name in sorted({*devices, *pulses})
        ]
        return Fleet(views, reported)

    def _keep_up(self) -> None:
        for stored in self._health.read():
            if isinstance(stored.report, HealthReport):
                told = self._told.setdefault(stored.report.device, _Told())
                loaded = (stored.report.model, stored.report.version)
                told.rows += stored.report.rows
                told.labels[loaded] += stored.report.labels
                if stored.report.labels_correct is None:
                    told.unjudged.add(loaded)
                else:
                    told.right[loaded] += stored.report.labels_correct
                told.health = _later(told.health, stored.report)
        for stored in self._drift.read():
            if isinstance(stored.report, DriftReport):
                self._told.setdefault(stored.report.device, _Told()).note(stored.report)


def _view(
    name: str, device: Device | None, pulse: DevicePulse | None, reported: ReportedState | None
) -> DeviceView:
    state = _decoded(pulse.state, DeviceState) if pulse else None
    online = state is not None and state.online
    view = DeviceView(
        device=name,
        cohort=device.cohort if device else "",
        hardware=device.hardware if device else state.hardware if state else "",
        online=online,
        level=Level.OFF,
        state="",
        words="enrolled, never heard of" if state is None else "no model yet",
        seen_at=pulse.seen_at if pulse else None,
    )
    if reported is None:
        return view
    level, words = _standing(reported)
    return msgspec.structs.replace(
        view,
        level=level if online else Level.OFF,
        state=reported.state,
        words=words,
        model=reported.model,
        version=reported.version,
        artifact=reported.artifact[:_SHORT_HASH] if reported.artifact else None,
        target=reported.target,
        chunks_have=reported.chunks_have,
        chunks_total=reported.chunks_total,
    )


def _with_reports(view: DeviceView, told: _Told) -> DeviceView:
    """What the reports add; drift and labels only where they are about the loaded version."""
    loaded, drift = (view.model, view.version), told.shown()
    labels = told.labels[loaded]
    judged = labels > 0 and loaded not in told.unjudged
    view = msgspec.structs.replace(
        view,
        rows=told.rows,
        drift_history=list(told.ratios),
        labels=labels,
        accuracy=told.right[loaded] / labels if judged else None,
        outbox=told.health.outbox if told.health else None,
        health=told.health,
    )
    if drift is not None and (drift.model, drift.version) == loaded:
        alarmed = drift.alarm and view.level is Level.GOOD
        view = msgspec.structs.replace(
            view,
            drift_ratio=drift.ratio,
            drift_feature=top(drift),
            alarm=drift.alarm,
            since_row=drift.since_row,
            moved=moved_in(drift) if drift.alarm else [],
            level=Level.WARN if alarmed else view.level,
        )
    return with_accuracy(view, told.health, told.closed)


def _standing(reported: ReportedState) -> tuple[Level, str]:
    serving = "no model yet" if reported.version is None else f"serving v{reported.version}"
    target = reported.version if reported.target is None else reported.target
    if reported.state in _WORDS and target is not None:
        level, words = Level.BUSY, _WORDS[reported.state].format(target=f"v{target}")
        if reported.state == "fetching" and reported.chunks_total:
            words += f", {reported.chunks_have} of {reported.chunks_total} chunks"
    else:
        level, words = (Level.OFF if reported.version is None else Level.GOOD), serving
    if reported.waits_for and reported.waits_for != reported.error:
        words = f"{words}: {reported.waits_for}{_until(reported.waits_until)}"
    if reported.error:
        return Level.WARN, f"{words}; {reported.error}"
    return level, words


def _until(at: float | None) -> str:
    """A device may have said any number."""
    try:
        return "" if at is None else f", until {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return ""


def _later(known: R | None, new: R) -> R:
    """The later of two reports, by (boot, seq) and never by arrival."""
    if known is not None and (known.boot, known.seq) > (new.boot, new.seq):
        return known
    return new


def _decoded(payload: bytes | None, type_: type[M]) -> M | None:
    """What a retained message says; one that nobody can read says nothing."""
    if not payload:
        return None
    try:
        return decode(payload, type_)
    except UndecodableError:
        return None
