"""Rollouts under way: watched, judged, moved on, and said to the cohorts."""

from dataclasses import dataclass

import msgspec

from fleetloop_hub.delivery.director import Director, Statement
from fleetloop_hub.delivery.rollout import (
    BUCKETS,
    Move,
    Sighting,
    Standing,
    advance,
    draw_salt,
    in_phase,
    judge,
    standing,
)
from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import Cohort, Device, Rollout, RolloutState, Token
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Version
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.telemetry_records import DevicePulse
from fleetloop_shared.codec import decode
from fleetloop_shared.messages import DeviceState, ReportedState


@dataclass(frozen=True)
class Judged:
    """A rollout that has been looked at.

    Attributes:
        rollout: As it is now.
        move: What it did.
        statement: What its cohort is told now, None if nothing new.
    """

    rollout: Rollout
    move: Move
    statement: Statement | None


class Rollouts:
    """Starts rollouts and moves them on; everything is in the catalog, so a restart goes on."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry, director: Director) -> None:
        """Nothing happens until `start` or `step`."""
        self._catalog, self._telemetry, self._director = catalog, telemetry, director

    def check_place(self, model: str, cohort: str, *, replacing: bool) -> None:
        """See that there is such a cohort, and that no other model would have to go from it.

        A cohort begins with its first device or token; a hub that has neither takes any.

        Args:
            model: What is to be rolled out.
            cohort: Where.
            replacing: Whether another model may go; a device runs one.

        Raises:
            GateError: There is none, or one would; the text says which.
        """
        known = {device.cohort for device in self._catalog.all(Device)}
        known |= {token.cohort for token in self._catalog.all(Token)}
        if known and cohort not in known:
            raise GateError(
                f"no device is in cohort {cohort}; there are: {', '.join(sorted(known))}. Nothing "
                f"was rolled out; a new cohort begins with `fleetloop token --cohort {cohort}`"
            )
        if replacing:
            return
        found = self._catalog.find(Cohort, cohort)
        others = [] if found is None else [k for k in found.versions if not _is_of(k, model)]
        if others:
            raise GateError(
                f"cohort {cohort} runs {', '.join(others)}, and a device runs one model: it would "
                "stop answering there. Nothing was rolled out; name another --cohort, or --replace "
                "it"
            )

    def cohorts_of(self, model: str) -> list[str]:
        """The cohorts that are told to run a version of a model."""
        cohorts = self._catalog.all(Cohort)
        return [c.key for c in cohorts if any(_is_of(key, model) for key in c.versions)]

    def start(
        self, version: Version, cohort: str, spec: ModelSpec, *, control: int | None, now: float
    ) -> tuple[Rollout, Statement]:
        """Begin with the canary; an open rollout of the same cohort is superseded."""
        text = f"superseded by {version.key}"
        ended = [advance(old, Move.SUPERSEDE, now, text=text) for old in self.open(cohort)]
        name = f"{version.model}-{version.number}-{cohort}-{len(self._catalog.all(Rollout)) + 1}"
        rollout = Rollout(
            key=name,
            model=version.model,
            version=version.number,
            control=control,
            cohort=cohort,
            salt=draw_salt(name, _online(self._sightings(cohort, now)), spec.rollout.phases[0]),
            phases=[round(share * BUCKETS) for share in spec.rollout.phases],
            phase=0,
            state=RolloutState.OPEN,
            phase_since=now,
            started_at=now,
            text="phase 1: the canary may take it",
        )
        return rollout, self._director.state(rollout, spec, now, ended=ended)

    def open(self, cohort: str | None = None) -> list[Rollout]:
        """Rollouts that have not ended, of one cohort or of all."""
        return [
            r
            for r in self._catalog.all(Rollout)
            if r.state is RolloutState.OPEN and cohort in {None, r.cohort}
        ]

    def step(self, rollout: Rollout, spec: ModelSpec, now: float) -> Judged:
        """Judge a rollout that is open, and move it on."""
        version = self._catalog.find(Version, f"{rollout.model}/{rollout.version}")
        if version is None:
            raise LookupError(f"{rollout.model}/{rollout.version}")
        sightings = self._sightings(rollout.cohort, now)
        standings = self._standings(rollout, version, sightings, spec)
        online = _online(sightings)
        if online and rollout.phase == 0 and set(standings.values()) <= {Standing.UNSEEN}:
            return self._redraw(rollout, online, spec, now)
        move, evidence, text = judge(rollout, standings, spec.rollout)
        if move is Move.STAY and evidence == rollout.evidence:
            return Judged(rollout, move, None)
        moved = msgspec.structs.replace(advance(rollout, move, now, text=text), evidence=evidence)
        if move is Move.STAY:
            self._catalog.put(moved)
            return Judged(moved, move, None)
        return Judged(moved, move, self._director.state(moved, spec, now))

    def _redraw(self, rollout: Rollout, online: list[str], spec: ModelSpec, now: float) -> Judged:
        """Nobody of the canary is there and nobody has begun: draw it among those who are."""
        salt = draw_salt(f"{rollout.salt}-again", online, spec.rollout.phases[0])
        drawn = msgspec.structs.replace(rollout, salt=salt)
        return Judged(drawn, Move.STAY, self._director.state(drawn, spec, now))

    def _standings(
        self,
        rollout: Rollout,
        version: Version,
        sightings: dict[str, Sighting | None],
        spec: ModelSpec,
    ) -> dict[str, Standing]:
        sequence = self._director.sequence(rollout.cohort)
        return {
            device: standing(sighting, version.artifact, sequence, spec.rollout.lost_after_s)
            if sighting
            else Standing.UNSEEN
            for device, sighting in sightings.items()
            if in_phase(device, rollout)
        }

    def _sightings(self, cohort: str, now: float) -> dict[str, Sighting | None]:
        pulses = {p.device: p for p in self._telemetry.pulses()}
        return {
            d.key: sight(pulses[d.key], now) if d.key in pulses else None
            for d in self._catalog.all(Device)
            if d.cohort == cohort
        }


def _online(sightings: dict[str, Sighting | None]) -> list[str]:
    return sorted(d for d, s in sightings.items() if s is not None and s.online)


def sight(pulse: DevicePulse, now: float) -> Sighting:
    """What a device's retained messages say of it."""
    state = None if pulse.state is None else decode(pulse.state, DeviceState)
    reported = None if pulse.reported is None else decode(pulse.reported, ReportedState)
    return Sighting(
        online=state is not None and state.online,
        artifact=None if reported is None else reported.artifact,
        settled=reported is not None and reported.target is None,
        quarantined=frozenset(() if reported is None else reported.quarantined),
        sequence=0 if reported is None else reported.sequence,
        silent_s=now - pulse.seen_at,
    )


def _is_of(version: str, model: str) -> bool:
    return version.rpartition("/")[0] == model
