"""One device at length: what it is, what has happened on it, how its rows and its machine do."""

from dataclasses import dataclass

from fleetloop_hub.digest_records import moved_most
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.monitoring import levels
from fleetloop_hub.monitoring.drift_words import feature_words
from fleetloop_hub.monitoring.overview import AttemptView, DeviceView, EventView, Level, Overview
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import DevicePulse
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.messages import DeviceState, ReportedState
from fleetloop_shared.reports import DriftReport, EventReport, FeatureDrift, HealthReport

WINDOWS = 48
EVENTS = 100
REPORTS = 1_500


@dataclass(frozen=True)
class FeatureStory:
    """How far a feature is from training, now and before.

    Attributes:
        now: The last window.
        words: The same in words.
        history: Ratios of the last windows under the same version, oldest first.
    """

    now: FeatureDrift
    words: str
    history: list[float]


@dataclass(frozen=True)
class DeviceStory:
    """A device.

    Attributes:
        view: Its line in the list.
        enrolled_at: Unix seconds, None if it is not enrolled.
        agent: The version of its agent, "" before it was heard of.
        reported: Its reported state, None before the first.
        window: Its last window under the loaded version, or else under one before it; None before
            the first.
        features: Every feature in that window, the furthest from training first.
        timeline: What has happened, the newest first.
        health: Its health reports of the span that was asked for, oldest first.
        attempts: What was refused there.
    """

    view: DeviceView
    enrolled_at: float | None
    agent: str
    reported: ReportedState | None
    window: DriftReport | None
    features: list[FeatureStory]
    timeline: list[EventView]
    health: list[HealthReport]
    attempts: list[AttemptView]


def tell(
    overview: Overview, device: Device | None, telemetry: Telemetry, name: str, *, since: float
) -> DeviceStory | None:
    """The story of a device, None if there is none of this name.

    Args:
        overview: Of now.
        device: Its record, None if it is not enrolled.
        telemetry: What it has said.
        name: Its name.
        since: Unix seconds from which on its health is told.
    """
    view = next((d for d in overview.devices if d.device == name), None)
    if view is None:
        return None
    state, reported = _said(telemetry.digests.pulse(name))
    windows = _windows(telemetry, name)
    window = _shown(windows, view)
    return DeviceStory(
        view=view,
        enrolled_at=device.enrolled_at if device else None,
        agent=state.agent if state else "",
        reported=reported,
        window=window,
        features=_features(window, windows) if window else [],
        timeline=_timeline(telemetry, windows, name),
        health=_health(telemetry, name, since),
        attempts=[a for a in overview.attempts if name in {a.device, a.by}],
    )


def _said(pulse: DevicePulse | None) -> tuple[DeviceState | None, ReportedState | None]:
    """What its retained messages say; one that nobody can read says nothing."""
    try:
        state = decode(pulse.state, DeviceState) if pulse and pulse.state else None
    except UndecodableError:
        state = None
    try:
        reported = decode(pulse.reported, ReportedState) if pulse and pulse.reported else None
    except UndecodableError:
        reported = None
    return state, reported


def _windows(telemetry: Telemetry, name: str) -> list[DriftReport]:
    stored = telemetry.reports("drift", device=name, limit=WINDOWS)
    found = [s.report for s in stored if isinstance(s.report, DriftReport)]
    return sorted(found, key=lambda report: (report.boot, report.seq))


def _shown(windows: list[DriftReport], view: DeviceView) -> DriftReport | None:
    under = [w for w in windows if (w.model, w.version) == (view.model, view.version)]
    return next(iter((under or windows)[-1:]), None)


def _features(window: DriftReport, windows: list[DriftReport]) -> list[FeatureStory]:
    history: dict[str, list[float]] = {}
    same = (window.model, window.version)
    for report in (w for w in windows if w.closed and (w.model, w.version) == same):
        for feature in report.features:
            history.setdefault(feature.name, []).append(feature.ratio)
    return [FeatureStory(f, feature_words(f), history.get(f.name, [])) for f in window.features]


def _timeline(telemetry: Telemetry, windows: list[DriftReport], name: str) -> list[EventView]:
    """Events, and the alarms among its windows, each alarm once."""
    told = [
        EventView(
            at=report.at,
            device=name,
            kind=str(report.kind),
            level=levels.EVENT.get(report.kind, Level.BUSY),
            text=report.text,
        )
        for report in (s.report for s in telemetry.reports("events", device=name, limit=EVENTS))
        if isinstance(report, EventReport)
    ]
    for before, report in zip([None, *windows], windows, strict=False):
        if report.alarm and not (before and before.alarm):
            row = "" if report.since_row is None else f", since row {report.since_row:,}"
            text = (
                f"drift under {report.model} v{report.version}, most in {moved_most(report)}{row}"
            )
            told.append(
                EventView(at=report.at, device=name, kind="drift", level=Level.WARN, text=text)
            )
    return sorted(told, key=lambda event: -event.at)[:EVENTS]


def _health(telemetry: Telemetry, name: str, since: float) -> list[HealthReport]:
    stored = telemetry.reports("health", device=name, since=since, limit=REPORTS)
    found = [s.report for s in stored if isinstance(s.report, HealthReport)]
    return sorted(found, key=lambda report: report.at)
