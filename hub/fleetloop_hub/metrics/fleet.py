"""Counts the fleet and what the hub keeps of it, at the moment of asking."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec
from prometheus_client.core import Metric

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Device, Quarantine, Rollout, RolloutState
from fleetloop_hub.metrics.families import (
    DECISIONS,
    DEVICES,
    LABELS_WAITING,
    MOST_SERIES,
    OTHER,
    QUARANTINES,
    REFUSED,
    ROLLOUTS,
    RUNS,
    SERVING,
    UPDATES,
    VERSIONS,
    Family,
)
from fleetloop_hub.metrics.meter import Labels, metric
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Run, RunState, Verdict, Version, VersionState
from fleetloop_hub.telemetry_records import DevicePulse
from fleetloop_shared.errors import reasons

UPDATE_STATES = frozenset(
    {
        "serving",
        "planned",
        "fetching",
        "staged",
        "trial",
        "committed",
        "deferred",
        "rolled-back",
        "quarantined",
    }
)
"""The words of devices for the state of an update; any other is `other`."""

ONLINE, OFFLINE, UNHEARD = "online", "offline", "never-heard"


class _Birth(msgspec.Struct, frozen=True, gc=False):
    """What is counted of a device's birth or will."""

    online: bool


class _Reported(msgspec.Struct, frozen=True, gc=False):
    """What is counted of a reported state."""

    state: str
    model: str | None = None
    version: int | None = None


class _Known(msgspec.Struct, frozen=True, gc=False):
    """What a device's retained messages said when they were read last."""

    birth: bytes | None
    reported: bytes | None
    online: bool
    update: str | None
    loaded: tuple[str, str] | None


_decode_birth = msgspec.json.Decoder(_Birth).decode
_decode_reported = msgspec.json.Decoder(_Reported).decode


class Fleet:
    """Reads catalog and telemetry; a message that was read before is not read again.

    Safe to be called from many threads.
    """

    def __init__(self, catalog: Catalog, telemetry: Telemetry) -> None:
        """Read from these."""
        self._catalog, self._telemetry = catalog, telemetry
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def collect(self) -> Iterator[Metric]:
        """Everything that is counted when somebody asks, for an exposition."""
        yield from self._devices()
        catalog = self._catalog
        yield _by_state(VERSIONS, VersionState, Counter(v.state for v in catalog.all(Version)))
        yield _by_state(RUNS, RunState, Counter(r.state for r in catalog.all(Run)))
        yield _by_state(ROLLOUTS, RolloutState, Counter(r.state for r in catalog.all(Rollout)))
        yield _by_state(DECISIONS, Verdict, Counter(d.verdict for d in catalog.all(Decision)))
        standing = sum(q.lifted_at is None for q in catalog.all(Quarantine))
        yield metric(QUARANTINES, {(): standing})
        refused: Counter[Labels] = Counter({(reason,): 0 for reason in sorted(reasons())})
        for (_, reason), count in self._telemetry.refusals().items():
            refused[(reason,)] += count
        yield metric(REFUSED, _largest(refused))
        waiting = sum(self._telemetry.labels_waiting().values())
        yield metric(LABELS_WAITING, {(): waiting})

    def _devices(self) -> Iterator[Metric]:
        pulses = {pulse.device: pulse for pulse in self._telemetry.pulses()}
        states: Counter[Labels] = Counter()
        updates: Counter[Labels] = Counter({(state,): 0 for state in sorted(UPDATE_STATES)})
        serving: Counter[Labels] = Counter()
        with self._lock:
            for device in self._catalog.all(Device):
                known = self._read(pulses.get(device.key))
                if known is None:
                    states[device.cohort, UNHEARD] += 1
                    continue
                states[device.cohort, ONLINE if known.online else OFFLINE] += 1
                if known.update is not None:
                    updates[(known.update,)] += 1
                if known.loaded is not None:
                    serving[known.loaded] += 1
        yield metric(DEVICES, _largest(states))
        yield metric(UPDATES, updates)
        yield metric(SERVING, _largest(serving))

    def _read(self, pulse: DevicePulse | None) -> _Known | None:
        if pulse is None:
            return None
        known = self._known.get(pulse.device)
        if known is None or (known.birth, known.reported) != (pulse.state, pulse.reported):
            known = self._known[pulse.device] = _known(pulse)
        return known


def _known(pulse: DevicePulse) -> _Known:
    """What was taken in has been decoded already, so that it is whole."""
    online = pulse.state is not None and _decode_birth(pulse.state).online
    update, loaded = None, None
    if pulse.reported is not None:
        said = _decode_reported(pulse.reported)
        update = said.state if said.state in UPDATE_STATES else OTHER
        if said.model is not None:
            loaded = said.model, str(said.version)
    return _Known(pulse.state, pulse.reported, online, update, loaded)


def _by_state(family: Family, states: type[StrEnum], counts: Mapping[StrEnum, int]) -> Metric:
    """One number a state, also where there is nothing in it."""
    return metric(family, {(str(state),): counts.get(state, 0) for state in states})


def _largest(counts: Counter[Labels]) -> dict[Labels, float]:
    """The largest, and the sum of the others as `other`."""
    told: dict[Labels, float] = dict(counts.most_common(MOST_SERIES))
    rest = sum(counts.values()) - sum(told.values())
    if rest:
        others = tuple(OTHER for _ in next(iter(told)))
        told[others] = told.get(others, 0) + rest
    return told
