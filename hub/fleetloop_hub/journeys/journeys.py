"""Follows rollouts and what devices report of them, and says each piece when it is over.

Times are the hub's: a state began when the hub heard of it. Devices say it at most twice a second,
so that a state that was over sooner is not seen. What a device was at before the hub started is
not seen either; the rollout itself is, since its record has all its states.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from fleetloop_hub.fleet_records import Device, Passage, Rollout, RolloutState
from fleetloop_hub.journeys.spans import Span, Spans, name_of, trace_of
from fleetloop_hub.ports import Catalog
from fleetloop_shared.messages import ReportedState

SERVING, COMMITTED = "serving", "committed"
FAILED = frozenset({"rolled-back", "quarantined"})
"""States of an update that has ended badly, in the words of the agent's table."""

_UNTOLD = frozenset({RolloutState.WAITING, RolloutState.APPROVED})
_BAD = frozenset({RolloutState.REVERTED, RolloutState.ABORTED, RolloutState.EXPIRED})


@dataclass
class _Walk:
    """A device on its way to a rollout's version."""

    rollout: Rollout
    began_at: float
    state: str
    since: float
    states: int = 0


class Journeys:
    """Keeps who is on the way; stepped by one thread."""

    def __init__(self, catalog: Catalog, spans: Spans) -> None:
        """Follow what is under way; what has ended already was told by whoever was here then."""
        self._catalog, self._spans = catalog, spans
        self._walks: dict[str, _Walk] = {}
        self._versions: dict[str, int | None] = {}
        self._told = {r.key for r in catalog.all(Rollout) if r.ended_at is not None}
        self._revision = -1
        self._meant: dict[tuple[str, int], Rollout] = {}

    def look(self) -> None:
        """Say which rollouts have ended."""
        revision = self._catalog.revision(Rollout)
        if revision == self._revision:
            return
        self._revision = revision
        found = sorted(self._catalog.all(Rollout), key=lambda r: r.started_at)
        self._meant = {(r.cohort, r.version): r for r in found if r.state not in _UNTOLD}
        for rollout in found:
            if rollout.ended_at is not None and rollout.key not in self._told:
                self._told.add(rollout.key)
                self._end_rollout(rollout, rollout.ended_at)

    def heard(self, reported: Iterable[tuple[str, ReportedState]], now: float) -> None:
        """Devices have said where they stand.

        Args:
            reported: Device and what it says, in order.
            now: Unix seconds.
        """
        for device, said in reported:
            walk = self._walks.get(device)
            if walk is not None and said.state != walk.state:
                self._end_state(device, walk, now)
                walk.state, walk.since = said.state, now
            if walk is not None:
                self._go_on(device, walk, said, now)
            elif said.state in {SERVING, COMMITTED}:
                self._note_arrival(device, said, now)
            if device not in self._walks:
                self._begin(device, said, now)
            self._versions[device] = said.version

    def close(self) -> None:
        """Send what waits."""
        self._spans.close()

    def _go_on(self, device: str, walk: _Walk, said: ReportedState, now: float) -> None:
        version = walk.rollout.version
        if said.state == COMMITTED or (said.state == SERVING and said.version == version):
            self._end_walk(device, walk, now, None)
        elif said.state in FAILED:
            self._end_walk(device, walk, now, said.error or f"the device says {said.state}")
        elif said.state == SERVING or said.target not in {None, version}:
            self._end_walk(device, walk, now, "another version was wanted before it was there")

    def _note_arrival(self, device: str, said: ReportedState, now: float) -> None:
        """A device may have come to a version while nobody heard it on its way."""
        if self._versions.get(device, said.version) == said.version:
            return
        rollout = self._rollout(device, said.version)
        if rollout is not None and rollout.under_way:
            began_at = min(max(rollout.phase_since, rollout.started_at), now)
            self._end_walk(device, _Walk(rollout, began_at, said.state, now), now, None)

    def _begin(self, device: str, said: ReportedState, now: float) -> None:
        if said.state in {SERVING, COMMITTED, *FAILED}:
            return
        rollout = self._rollout(device, said.target)
        if rollout is not None:
            self._walks[device] = _Walk(rollout, now, said.state, now)

    def _rollout(self, device: str, version: int | None) -> Rollout | None:
        found = self._catalog.find(Device, device)
        if found is None or version is None:
            return None
        self.look()
        return self._meant.get((found.cohort, version))

    def _end_state(self, device: str, walk: _Walk, now: float) -> None:
        walk.states += 1
        span = _span(walk.rollout, walk.state, (walk.since, now), device, str(walk.states))
        self._spans.end(_of_device(span, device, name_of(walk.rollout.key, device)))

    def _end_walk(self, device: str, walk: _Walk, now: float, fault: str | None) -> None:
        self._walks.pop(device, None)
        span = _span(walk.rollout, f"device {device}", (walk.began_at, now), device)
        self._spans.end(replace(_of_device(span, device, name_of(walk.rollout.key)), fault=fault))

    def _end_rollout(self, rollout: Rollout, ended_at: float) -> None:
        end = Passage(at=ended_at, state=rollout.state, text="")
        for place, (one, following) in enumerate(pairwise([*rollout.history, end])):
            if following.at > one.at:
                passed = (one.at, following.at)
                span = _span(rollout, str(one.state), passed, "state", str(place))
                self._spans.end(replace(span, parent=name_of(rollout.key)))
        span = _span(
            rollout,
            f"rollout of {rollout.model} {rollout.version}",
            (rollout.started_at, ended_at),
        )
        facts = {
            **span.facts,
            "fleetloop.place": rollout.place or rollout.cohort,
            "fleetloop.devices": rollout.devices,
            "fleetloop.outcome": str(rollout.state),
        }
        fault = (rollout.text or str(rollout.state)) if rollout.state in _BAD else None
        self._spans.end(replace(span, facts=facts, fault=fault))


def _span(rollout: Rollout, title: str, time: tuple[float, float], *parts: str) -> Span:
    return Span(
        trace=trace_of(rollout.key),
        name=name_of(rollout.key, *parts),
        parent=None,
        title=title,
        began_at=time[0],
        ended_at=max(time),
        facts={
            "fleetloop.rollout": rollout.key,
            "fleetloop.model": rollout.model,
            "fleetloop.version": rollout.version,
        },
    )


def _of_device(span: Span, device: str, parent: str) -> Span:
    return replace(span, parent=parent, facts={**span.facts, "fleetloop.device": device})
