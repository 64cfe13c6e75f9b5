"""Puts the overview together from catalog and telemetry."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.delay_words import sentences
from fleetloop_hub.fleet_records import Device, Quarantine, Rollout
from fleetloop_hub.monitoring import answer_times, attempts, levels, odd_words
from fleetloop_hub.monitoring import overview_words as words
from fleetloop_hub.monitoring.overview import (
    DeviceView,
    EventView,
    Level,
    Overview,
    RolloutView,
)
from fleetloop_hub.monitoring.overview_devices import DeviceReader, Fleet
from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Alias, Dataset, Run, Version
from fleetloop_hub.verdict_records import FleetVerdict
from fleetloop_hub.version_parts import GateResult
from fleetloop_shared.manifest import REGRESSION
from fleetloop_shared.reports import EventKind, EventReport

T = TypeVar("T")

_EVENTS = 50
_DECISIONS = 50
_A_DEVICE = 20
_ASKED = 500
_BUCKETS = 10_000


@dataclass(frozen=True)
class _Field:
    """How a version's answers on devices compare with the labels that came."""

    labels: int
    accuracy: float | None
    error: float | None


class OverviewReader:
    """Makes overviews; however many look, one a `keep_s` is made. Safe to use from many threads."""

    def __init__(
        self,
        catalog: Catalog,
        telemetry: Telemetry,
        keep_s: float = 0.5,
        moved: Callable[[], list[FleetVerdict]] = list,
        unfair: Callable[[list[Version]], list[str]] = lambda _: [],
    ) -> None:
        """Read from these.

        Args:
            catalog: Models, versions, rollouts, decisions, devices.
            telemetry: What devices say.
            keep_s: For how long an overview is handed out again, in seconds.
            moved: Who has moved, of the devices that serve each model's champion.
            unfair: Which versions break a limit of fairness on devices.
        """
        self._unfair = unfair
        self._catalog = catalog
        self._telemetry = telemetry
        self._keep_s = keep_s
        self._moved = moved
        self._devices = DeviceReader(telemetry)
        self._lock = threading.Lock()
        self._last: tuple[float, Overview] | None = None

    def read(self) -> Overview:
        """The overview of now."""
        with self._lock:
            now = time.monotonic()
            if self._last is None or now - self._last[0] >= self._keep_s:
                self._last = (now, self._build())
            return self._last[1]

    def _build(self) -> Overview:
        fleet, moved = self._devices.read(self._catalog.all(Device)), self._moved()
        datasets = _newest(self._catalog.all(Dataset), lambda d: d.created_at)
        facts = words.Facts(
            devices=_with_odd(fleet.views, moved),
            versions=self._versions(fleet.views),
            rollout=self._rollout(),
            decisions=_newest(self._catalog.all(Decision), lambda d: d.at),
            runs=_newest(self._catalog.all(Run), lambda r: r.started_at),
            dataset=datasets[0] if datasets else None,
            reports=self._telemetry.report_count(),
            unfair=self._unfair(self._catalog.all(Version)),
        )
        return Overview(
            at=time.time(),
            health=words.health(facts),
            next_step=words.next_step(facts),
            stages=words.stages(facts),
            devices=facts.devices,
            answers=answer_times.together(d.health for d in facts.devices if d.health),
            moved=moved,
            versions=facts.versions,
            rollout=facts.rollout,
            quarantine=[q for q in self._catalog.all(Quarantine) if q.lifted_at is None],
            decisions=facts.decisions[:_DECISIONS],
            events=self._events(fleet),
            attempts=attempts.gather(self._telemetry, fleet.reported),
        )

    def _versions(self, devices: list[DeviceView]) -> list[VersionView]:
        serving = Counter((d.model, d.version) for d in devices)
        names: dict[tuple[str, int], list[str]] = {}
        for alias in self._catalog.all(Alias):
            model, _, name = alias.key.partition("/")
            names.setdefault((model, alias.version), []).append(name)
        views = []
        for version in self._catalog.all(Version):
            key = (version.model, version.number)
            decision = self._catalog.find(Decision, version.decision)
            views.append(
                _version_view(
                    version,
                    aliases=sorted(names.get(key, [])),
                    serving=serving[key],
                    field=self._field(version),
                    why=_why(decision),
                )
            )
        return _newest(views, lambda v: v.created_at)

    def _field(self, version: Version) -> _Field:
        model, number = version.model, version.number
        labels, right = self._telemetry.labelled_count(model, version=number)
        if version.task == REGRESSION:
            return _Field(labels, None, self._telemetry.labelled_error(model, version=number))
        return _Field(labels, right / labels if labels else None, None)

    def _rollout(self) -> RolloutView | None:
        rollouts = _newest(self._catalog.all(Rollout), lambda r: r.started_at)
        under_way = [r for r in rollouts if r.ended_at is None]
        for rollout in under_way or rollouts:
            return RolloutView(
                key=rollout.key,
                model=rollout.model,
                version=rollout.version,
                control=rollout.control,
                cohort=rollout.place or rollout.cohort,
                state=str(rollout.state),
                level=levels.ROLLOUT[rollout.state],
                phase=rollout.phase + 1,
                shares=[_share(phase, rollout.devices) for phase in rollout.phases],
                counts=rollout.evidence,
                text=rollout.text,
                judgement=rollout.judgement,
                started_at=rollout.started_at,
                ended_at=rollout.ended_at,
            )
        return None

    def _events(self, fleet: Fleet) -> list[EventView]:
        """The newest, of no device more than a few; what was refused stands among the attempts."""
        names = [view.device for view in fleet.views[:_ASKED]]
        stored = [
            s for d in names for s in self._telemetry.reports("events", device=d, limit=_A_DEVICE)
        ]
        stored.sort(key=lambda s: s.stored_at)
        return [
            EventView(
                at=report.at,
                device=report.device,
                kind=str(report.kind),
                level=levels.EVENT.get(report.kind, Level.BUSY),
                text=report.text,
            )
            for report in (s.report for s in reversed(stored))
            if isinstance(report, EventReport) and report.kind is not EventKind.REFUSED
        ][:_EVENTS]


def _share(phase: float | str, devices: int) -> float:
    """The upper end of a phase as a share of the devices."""
    if isinstance(phase, float):
        return phase
    return min(1.0, int(phase.split()[0]) / max(1, devices))


def _with_odd(devices: list[DeviceView], moved: list[FleetVerdict]) -> list[DeviceView]:
    """What sets a device apart, beside what it says of itself."""
    apart: dict[tuple[str | None, int | None, str], str] = {
        (verdict.model, verdict.version, odd.name): "; ".join(
            odd_words.difference(d) for d in odd.differences
        )
        for verdict in moved
        for odd in verdict.devices
    }
    return [
        msgspec.structs.replace(view, odd=apart.get((view.model, view.version, view.device), ""))
        if apart
        else view
        for view in devices
    ]


def _version_view(
    version: Version, *, aliases: list[str], serving: int, field: _Field, why: str
) -> VersionView:
    measured = next((g for g in version.gates if g.low is not None), None)
    return VersionView(
        model=version.model,
        number=version.number,
        state=str(version.state),
        aliases=aliases,
        metric=_metric(version, measured) if measured else "",
        value=measured.value if measured else None,
        low=measured.low if measured else None,
        high=measured.high if measured else None,
        gates=version.gates,
        gates_judged=sum(g.judged for g in version.gates),
        gates_passed=sum(g.judged and not g.blocks for g in version.gates),
        float_bytes=version.parity.float_bytes,
        artifact_bytes=version.parity.artifact_bytes,
        label_flips=version.parity.label_flips,
        parity_rows=version.parity.rows,
        serving=serving,
        field_labels=field.labels,
        field_accuracy=field.accuracy,
        field_error=field.error,
        why=why,
        decision=version.decision,
        run=version.run,
        created_at=version.created_at,
        delays=sentences(version.evidence.delays) if version.evidence.delays else [],
    )


def _metric(version: Version, measured: GateResult) -> str:
    """The metric's name: a gate is called by what it is for, not by what it measures."""
    named = (name for name, value in version.metrics.items() if value == measured.value)
    return next(named, measured.name).replace("_", " ")


def _why(decision: Decision | None) -> str:
    if decision is None:
        return ""
    return "; ".join(decision.reasons) or f"asked for by {decision.trigger}"


def _newest(records: list[T], when: Callable[[T], float]) -> list[T]:
    return sorted(records, key=when, reverse=True)
