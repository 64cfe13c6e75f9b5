"""Puts the overview together from catalog and telemetry, anew only where something has changed."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Device, Quarantine, Rollout
from fleetloop_hub.monitoring import answer_times, attempts, levels, odd_words, overview_stages
from fleetloop_hub.monitoring import overview_words as words
from fleetloop_hub.monitoring.overview import DeviceView, Overview, RolloutView
from fleetloop_hub.monitoring.overview_devices import DeviceReader, Fleet
from fleetloop_hub.monitoring.overview_events import EventReader
from fleetloop_hub.monitoring.overview_versions import VersionReader
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Alias, Dataset, Model, Record, Run, Version
from fleetloop_hub.verdict_records import FleetVerdict

T = TypeVar("T")
R = TypeVar("R", bound=Record)

_DECISIONS = 50
_SHARE_OF_A_CORE = 0.02


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
            keep_s: For how long an overview is handed out again at least, in seconds; one that
                takes long to make is kept for longer, so that making them is a small share of what
                the hub does. While nothing has changed, none is made.
            moved: Who has moved, of the devices that serve each model's champion.
            unfair: Which versions break a limit of fairness on devices.
        """
        self._unfair = unfair
        self._catalog = catalog
        self._telemetry = telemetry
        self._keep_s = keep_s
        self._moved = moved
        self._devices = DeviceReader(telemetry.digests)
        self._versions = VersionReader(catalog, telemetry.digests)
        self._events = EventReader(telemetry)
        self._sorted: dict[type[Record], tuple[int, list[object]]] = {}
        self._lock = threading.Lock()
        self._last: tuple[float, object, Overview] | None = None

    def read(self) -> Overview:
        """The overview of now."""
        with self._lock:
            now = time.monotonic()
            if self._last is not None and now < self._last[0]:
                return self._last[2]
            moved = self._moved()
            state = self._state(), [id(verdict) for verdict in moved]
            if self._last is not None and self._last[1] == state:
                built = msgspec.structs.replace(self._last[2], at=time.time())
            else:
                built = self._build(moved)
            took_s = time.monotonic() - now
            keep_s = max(self._keep_s, took_s / _SHARE_OF_A_CORE) if self._keep_s else 0.0
            self._last = (now + keep_s, state, built)
            return built

    def _state(self) -> tuple[int, int]:
        kinds = (Device, Dataset, Decision, Run, Version, Quarantine, Rollout, Alias, Model)
        return self._catalog.revision(*kinds), self._telemetry.revision()

    def _build(self, moved: list[FleetVerdict]) -> Overview:
        fleet = self._devices.read(self._catalog.all(Device))
        devices = _with_odd(fleet, moved)
        datasets = self._newest(Dataset, lambda d: d.created_at)
        facts = words.Facts(
            devices=devices,
            versions=self._versions.read(devices),
            rollout=self._rollout(),
            decisions=self._newest(Decision, lambda d: d.at),
            runs=self._newest(Run, lambda r: r.started_at),
            dataset=datasets[0] if datasets else None,
            reports=self._telemetry.report_count(),
            unfair=self._unfair(self._catalog.all(Version)),
        )
        return Overview(
            at=time.time(),
            health=words.health(facts),
            next_step=words.next_step(facts),
            stages=overview_stages.stages(facts),
            devices=devices,
            answers=answer_times.together(fleet.latency_counts),
            moved=moved,
            versions=facts.versions,
            rollout=facts.rollout,
            quarantine=[q for q in self._catalog.all(Quarantine) if q.lifted_at is None],
            decisions=facts.decisions[:_DECISIONS],
            events=self._events.read(fleet.changed),
            attempts=attempts.gather(self._telemetry, fleet.refusing, fleet.heard_at),
        )

    def _newest(self, kind: type[R], when: Callable[[R], float]) -> list[R]:
        """Records of a kind, the newest first; sorted anew only if one of them was put."""
        revision, known = self._catalog.revision(kind), self._sorted.get(kind)
        if known is None or known[0] != revision:
            found = sorted(self._catalog.all(kind), key=when, reverse=True)
            known = self._sorted[kind] = revision, list(found)
        newest: list[R] = known[1]  # type: ignore[assignment]  # of this kind, by its key
        return newest

    def _rollout(self) -> RolloutView | None:
        rollouts = self._newest(Rollout, lambda r: r.started_at)
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


def _share(phase: float | str, devices: int) -> float:
    """The upper end of a phase as a share of the devices."""
    if isinstance(phase, float):
        return phase
    return min(1.0, int(phase.split()[0]) / max(1, devices))


def _with_odd(fleet: Fleet, moved: list[FleetVerdict]) -> list[DeviceView]:
    """What sets a device apart, beside what it says of itself."""
    views = fleet.views
    for verdict in moved:
        for odd in verdict.devices:
            place = fleet.places.get(odd.name)
            if place is None:
                continue
            view = views[place]
            if (view.model, view.version) == (verdict.model, verdict.version):
                views = views.copy() if views is fleet.views else views
                text = "; ".join(odd_words.difference(d) for d in odd.differences)
                views[place] = msgspec.structs.replace(view, odd=text)
    return views
