"""Conditions of devices: drift, silence, and labels that contradict what a device has loaded.

Many devices with the same cause are one condition with a count. Only what is new since the last
look is read and decoded, so that a look every few seconds stays cheap with thousands of devices.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TypeVar

from fleetloop_hub.alert_records import AlertKind, AlertLevel
from fleetloop_hub.alerting.condition import Condition, listed, some
from fleetloop_hub.digest_records import WindowBrief
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.messages import DeviceState, Message, ReportedState
from fleetloop_shared.reports import HealthReport

KINDS = (AlertKind.DRIFT, AlertKind.SILENT_DEVICE, AlertKind.ACCURACY)
SILENT_S = 300.0
"""A device that is not connected is silent once nothing has come of it for so long."""
UNHEARD_S = 86_400.0
"""One that seems to be connected, after so long."""
_MANY = 0.5
_FEW = 2

M = TypeVar("M", bound=Message)
Loaded = tuple[str | None, int | None]


@dataclass(frozen=True)
class _Told:
    """What a device has said last."""

    seen_at: float
    online: bool | None
    loaded: Loaded
    window: WindowBrief | None
    health: HealthReport | None

    @property
    def alarm(self) -> WindowBrief | None:
        """The last window, if it shows drift under the loaded version."""
        window = self.window
        if window is None or not window.alarm:
            return None
        return window if (window.model, window.version) == self.loaded else None

    @property
    def is_below(self) -> bool:
        """Whether labels contradict the gate of the loaded version."""
        health = self.health
        if health is None or health.evidence is None or health.model is None:
            return False
        return health.evidence.alarm and (health.model, health.version) == self.loaded


class FleetSight:
    """Keeps up with all devices; for one thread at a time."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry) -> None:
        """Begin before the first report that is kept."""
        self._catalog, self._digests = catalog, telemetry.digests
        self._told: dict[str, _Told] = {}
        self._after = 0

    def look(self, now: float) -> list[Condition]:
        """What stands at a time, Unix seconds."""
        changed, self._after = self._digests.changed(self._after)
        for device in changed:
            self._told[device] = self._read(device)
        cohorts = {device.key: device.cohort for device in self._catalog.all(Device)}
        return [*self._drifting(cohorts), *self._silent(cohorts, now), *self._below(cohorts)]

    def _read(self, device: str) -> _Told:
        pulse = self._digests.pulse(device)
        state = _decoded(pulse.state if pulse else None, DeviceState)
        reported = _decoded(pulse.reported if pulse else None, ReportedState)
        windows = self._digests.windows(device, limit=1)
        return _Told(
            seen_at=pulse.seen_at if pulse else 0.0,
            online=state.online if state else None,
            loaded=(reported.model, reported.version) if reported else (None, None),
            window=windows[-1] if windows else None,
            health=self._digests.latest(device, HealthReport),
        )

    def _drifting(self, cohorts: dict[str, str]) -> list[Condition]:
        serving: Counter[tuple[str, str]] = Counter()
        alarmed: defaultdict[tuple[str, str], dict[str, WindowBrief]] = defaultdict(dict)
        for device, cohort in cohorts.items():
            told = self._told.get(device)
            if told is None or told.loaded[0] is None:
                continue
            place = told.loaded[0], cohort
            serving[place] += 1
            if told.alarm is not None:
                alarmed[place][device] = told.alarm
        return [_drift(place, windows, serving[place]) for place, windows in alarmed.items()]

    def _silent(self, cohorts: dict[str, str], now: float) -> list[Condition]:
        silent: defaultdict[str, list[str]] = defaultdict(list)
        known: Counter[str] = Counter()
        for device, cohort in cohorts.items():
            told = self._told.get(device)
            if told is None or told.online is None:
                continue  # it has not begun yet
            known[cohort] += 1
            if now - told.seen_at >= (UNHEARD_S if told.online else SILENT_S):
                silent[cohort].append(device)
        return [
            Condition(
                AlertKind.SILENT_DEVICE,
                cohort,
                _level(len(names), known[cohort]),
                f"{len(names):,} of {known[cohort]:,} devices of {cohort} are silent: "
                f"{listed(names)}",
                f"/devices/{names[0]}" if len(names) == 1 else "/devices",
                len(names),
                some(names),
            )
            for cohort, names in silent.items()
        ]

    def _below(self, cohorts: dict[str, str]) -> list[Condition]:
        below: defaultdict[str, list[str]] = defaultdict(list)
        for device in cohorts:
            told = self._told.get(device)
            if told is not None and told.is_below and told.loaded[0] is not None:
                below[told.loaded[0]].append(device)
        return [
            Condition(
                AlertKind.ACCURACY,
                f"{model}@devices",
                AlertLevel.WARN,
                f"labels on {listed(names)} prove {model} worse than its gate demands",
                f"/devices/{names[0]}" if len(names) == 1 else "/devices",
                len(names),
                some(names),
            )
            for model, names in below.items()
        ]


def _drift(place: tuple[str, str], windows: dict[str, WindowBrief], serving: int) -> Condition:
    model, cohort = place
    device, worst = max(windows.items(), key=lambda one: one[1].ratio)
    names = [*windows]
    text = (
        f"{len(names):,} of {serving:,} devices of {cohort} that serve {model} see drift, most in "
        f"{worst.feature} on {device}: {worst.ratio:.3g} times its threshold under v{worst.version}"
    )
    return Condition(
        AlertKind.DRIFT,
        f"{model}@{cohort}",
        _level(len(names), serving),
        text,
        "/monitoring",
        len(names),
        some(names),
    )


def _level(count: int, of: int) -> AlertLevel:
    """Grave where it is half of several devices."""
    return AlertLevel.BAD if count >= max(_FEW, _MANY * of) else AlertLevel.WARN


def _decoded(payload: bytes | None, type_: type[M]) -> M | None:
    """What a retained message says; one that nobody can read says nothing."""
    if not payload:
        return None
    try:
        return decode(payload, type_)
    except UndecodableError:
        return None
