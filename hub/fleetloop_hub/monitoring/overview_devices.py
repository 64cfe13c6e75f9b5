"""From what devices said last to one line a device.

A line is made anew only where its device has said something, so that a look at thousands of devices
costs what is new.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from fleetloop_hub.digests_port import Digests
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.monitoring.device_told import DeviceTold, told, verdict
from fleetloop_hub.monitoring.drift_words import moved_in
from fleetloop_hub.monitoring.overview import DeviceView, Level
from fleetloop_hub.monitoring.overview_accuracy import with_accuracy
from fleetloop_hub.telemetry_records import DevicePulse
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.latency import BINS
from fleetloop_shared.messages import DeviceState, Message, ReportedState

_SHORT_HASH = 12

M = TypeVar("M", bound=Message)

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
        places: Where each is among the views.
        changed: Devices whose view is another one than in the last reading.
        refusing: The reported state of those that have refused something.
        latency_counts: How long models took on all of them, by their last health reports.
    """

    views: list[DeviceView]
    places: dict[str, int]
    changed: set[str]
    refusing: dict[str, ReportedState]
    latency_counts: list[int]

    def heard_at(self, device: str) -> float:
        """When a device was heard last, Unix seconds; 0 if never."""
        place = self.places.get(device)
        return 0.0 if place is None else self.views[place].seen_at or 0.0


@dataclass(frozen=True)
class _Line:
    """A device as it was looked at last."""

    pulse: DevicePulse | None
    reported: ReportedState | None
    known: DeviceTold
    enrolled: Device | None
    view: DeviceView


@dataclass
class _Sums:
    """What is added up over all lines."""

    refusing: dict[str, ReportedState] = field(default_factory=dict)
    latency: list[int] = field(default_factory=lambda: [0] * BINS)

    def change(self, device: str, before: _Line | None, now: _Line) -> None:
        """A line has taken the place of another one."""
        self.refusing.pop(device, None)
        if now.reported is not None and now.reported.refusals:
            self.refusing[device] = now.reported
        old, new = before.known.health if before else None, now.known.health
        if old is not new:
            gone = old.latency_counts if old else [0] * BINS
            come = new.latency_counts if new else [0] * BINS
            self.latency = [n + c - g for n, c, g in zip(self.latency, come, gone, strict=True)]


class DeviceReader:
    """Keeps up with what all devices say; for one thread at a time."""

    def __init__(self, digests: Digests) -> None:
        """Begin before the first report that is kept."""
        self._digests = digests
        self._after = 0
        self._lines: dict[str, _Line] = {}
        self._sums = _Sums()
        self._names: list[str] = []
        self._places: dict[str, int] = {}
        self._views: list[DeviceView] = []

    def read(self, enrolled: Iterable[Device]) -> Fleet:
        """Every device that is enrolled or was heard of."""
        spoken, self._after = self._digests.changed(self._after)
        devices = {d.key: d for d in enrolled}
        moved = {
            name
            for name, device in devices.items()
            if (line := self._lines.get(name)) is None or line.enrolled is not device
        }
        changed = spoken | moved
        for name in changed:
            self._look(name, devices.get(name), anew=name in spoken or name not in self._lines)
        if not changed <= self._places.keys():
            self._names = sorted(
                n for n, line in self._lines.items() if line.pulse or line.enrolled
            )
            self._places = {name: k for k, name in enumerate(self._names)}
            self._views = [self._lines[name].view for name in self._names]
        elif changed:
            self._views = self._views.copy()
            for name in changed:
                self._views[self._places[name]] = self._lines[name].view
        return Fleet(
            self._views, self._places, changed, self._sums.refusing.copy(), self._sums.latency
        )

    def _look(self, name: str, enrolled: Device | None, *, anew: bool) -> None:
        before = self._lines.get(name)
        if anew or before is None:
            pulse, known = self._digests.pulse(name), told(self._digests, name)
            reported = _decoded(pulse.reported, ReportedState) if pulse else None
        else:
            pulse, known, reported = before.pulse, before.known, before.reported
        view = _with_reports(self._digests, _view(name, enrolled, pulse, reported), known)
        line = self._lines[name] = _Line(pulse, reported, known, enrolled, view)
        self._sums.change(name, before, line)


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
        called=state.labels if state else {},
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


def _with_reports(digests: Digests, view: DeviceView, known: DeviceTold) -> DeviceView:
    """What the reports add; drift and labels only where they are about the loaded version."""
    loaded, drift, closed = (view.model, view.version), known.drift, known.closed
    labels, right = known.labels(loaded)
    view = msgspec.structs.replace(
        view,
        rows=known.rows,
        drift_history=known.ratios,
        labels=labels,
        accuracy=right / labels if labels and right is not None else None,
        outbox=known.health.outbox if known.health else None,
        health=known.health,
    )
    if drift is not None and (drift.model, drift.version) == loaded:
        whole = verdict(digests, view.device, drift) if drift.alarm else None
        alarmed = drift.alarm and view.level is Level.GOOD
        view = msgspec.structs.replace(
            view,
            drift_ratio=drift.ratio,
            drift_feature=drift.feature,
            alarm=drift.alarm,
            since_row=whole.since_row if whole else None,
            moved=moved_in(whole) if whole else [],
            level=Level.WARN if alarmed else view.level,
        )
    about = closed is not None and (closed.model, closed.version) == loaded
    return with_accuracy(
        view, known.health, verdict(digests, view.device, closed) if about else None
    )


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


def _decoded(payload: bytes | None, type_: type[M]) -> M | None:
    """What a retained message says; one that nobody can read says nothing."""
    if not payload:
        return None
    try:
        return decode(payload, type_)
    except UndecodableError:
        return None
