"""Rollouts under way: looked at, moved on, and said to the cohorts."""

from dataclasses import dataclass

from msgspec.structs import replace

from fleetloop_hub.delivery import quarantines
from fleetloop_hub.delivery.director import Director, Statement
from fleetloop_hub.delivery.meaning import Turn
from fleetloop_hub.delivery.phasing import Wave, draw, size, wave
from fleetloop_hub.delivery.places import Inhabitant
from fleetloop_hub.delivery.rollout import (
    Look,
    Policy,
    Seen,
    come,
    counted,
    harmed,
    may_exclude,
    see,
)
from fleetloop_hub.delivery.rollout_states import Effect, Event
from fleetloop_hub.delivery.sights import TOLD, Sights, inside_of
from fleetloop_hub.delivery.standing import ON_THE_WAY
from fleetloop_hub.errors import AbsentError
from fleetloop_hub.fleet_records import Passage, Quarantine, Rollout, RolloutState
from fleetloop_hub.ports import Catalog
from fleetloop_hub.spec.model_spec import ModelSpec

_HOUR_S = 3600.0
_OPEN = RolloutState.OPEN
_LOOKS = 6
"""Events that one look may lead to, one after the other: decided, soaked, passed."""


WAITS = frozenset({RolloutState.WAITING, RolloutState.APPROVED})
"""States in which no device has been told."""


@dataclass(frozen=True)
class Judged:
    """A rollout that has been looked at.

    Attributes:
        rollout: As it is now.
        effect: What was done; None if nothing but the text may have changed.
        statement: What its cohort is told now, None if nothing new.
    """

    rollout: Rollout
    effect: Effect | None
    statement: Statement | None


class Rollouts:
    """Moves rollouts on; everything is in the catalog, so a restart goes on."""

    def __init__(self, catalog: Catalog, director: Director, sights: Sights) -> None:
        """Nothing happens until `step` or `happen`."""
        self._catalog, self._director, self._sights = catalog, director, sights

    def under_way(self, cohort: str | None = None) -> list[Rollout]:
        """Rollouts that have not ended, of one cohort or of all."""
        return [r for r in self._catalog.all(Rollout) if r.under_way and cohort in {None, r.cohort}]

    def find(self, key: str) -> Rollout:
        """A rollout.

        Raises:
            AbsentError: There is none.
        """
        found = self._catalog.find(Rollout, key)
        if found is None:
            raise AbsentError(f"no rollout {key[:80]!r}: see `fleetloop rollouts list`")
        return found

    def same_place(self, rollout: Rollout) -> list[Rollout]:
        """Others under way whose devices are in part the same."""
        mine = self._sights.names(rollout)
        return [
            other
            for other in self.under_way(rollout.cohort)
            if other.key != rollout.key
            and (not (other.where and rollout.where) or self._sights.names(other) & mine)
        ]

    def keep(self, made: Rollout) -> Judged:
        """Take in a rollout that must wait; others that wait for the same devices give way."""
        text = f"superseded by {made.model}/{made.version}"
        waiting = [r for r in self.same_place(made) if r.state in WAITS]
        ended = [come(r, Event.SUPERSEDE, made.started_at, text)[0] for r in waiting]
        self._catalog.put(*ended, made)
        return Judged(made, None, None)

    def step(self, rollout: Rollout, spec: ModelSpec, now: float) -> Judged:
        """Look at a rollout that is under way, and do what follows.

        Args:
            rollout: As it is.
            spec: Of its model.
            now: Unix seconds.
        """
        if self._is_off(rollout, now):
            return self._redraw(rollout, spec, now)
        done = Judged(rollout, None, None)
        for _ in range(_LOOKS):
            done = self._once(done.rollout, spec, now)
            if done.effect is not Effect.KEEP or done.rollout.state not in TOLD - {_OPEN}:
                break
        if done.effect is Effect.REVERT:  # a device that has failed has gone back by itself
            back = self._once(done.rollout, spec, now)
            done = Judged(back.rollout, done.effect, done.statement)
        return done

    def happen(
        self, rollout: Rollout, event: Event, text: str, spec: ModelSpec, now: float
    ) -> Judged:
        """Let an event happen to a rollout; what follows is durable when this returns.

        Args:
            rollout: As it is.
            event: What happens; what the table does not have changes nothing.
            text: Why, in words.
            spec: Of its model.
            now: Unix seconds.
        """
        return self._happen(rollout, Seen(event, text), Look(now), spec)

    # --- what follows -----------------------------------------------------------------------------

    def _once(self, rollout: Rollout, spec: ModelSpec, now: float) -> Judged:
        look = self._sights.look(rollout, spec, now)
        seen = see(rollout, look, Policy(spec.rollout, spec.judge))
        noted = _noted(rollout, look, seen)
        if seen.event is None:
            return self._admit(noted, look, spec, now)
        if seen.event is Event.HARM and may_exclude(look, spec.rollout):
            return self._exclude(noted, look, spec, now)
        return self._happen(noted, seen, look, spec)

    def _happen(self, rollout: Rollout, seen: Seen, look: Look, spec: ModelSpec) -> Judged:
        if seen.event is None:
            return Judged(rollout, None, None)
        moved, effect = come(rollout, seen.event, look.now, seen.text)
        if effect is None or effect is Effect.KEEP:
            if moved != self._catalog.find(Rollout, rollout.key):
                self._catalog.put(moved)
            return Judged(moved, effect, None)
        if effect is Effect.OPEN:
            return self._open(moved, spec, look.now)
        imposed = self._imposed(moved, look) if seen.event is Event.HARM else []
        return self._told(Turn(moved, effect, quarantines=imposed), spec, look.now)

    def _open(self, rollout: Rollout, spec: ModelSpec, now: float) -> Judged:
        """Count a phase, and say so; what else was on its way to these devices gives way."""
        people = self._sights.counting(rollout, now)
        members = [p.member for p in people]
        phase, first = rollout.phases[rollout.phase], rollout.phase == 0
        deadline_s = spec.rollout.deadline_h * _HOUR_S
        fresh = replace(
            rollout,
            salt=draw(rollout.key, members, phase) if first else rollout.salt,
            devices=len(members),
            phase_since=now,
            deadline=now + deadline_s if deadline_s else None,
            evidence={},
        )
        opened = _widened(fresh, people, spec, decided=0)
        text = f"superseded by {rollout.model}/{rollout.version}"
        others = self.same_place(rollout) if first else []
        ended = [come(other, Event.SUPERSEDE, now, text)[0] for other in others]
        return self._told(Turn(opened, Effect.OPEN, ended=ended), spec, now)

    def _admit(self, rollout: Rollout, look: Look, spec: ModelSpec, now: float) -> Judged:
        """Nothing has happened; those who waited for their turn may have it now."""
        if rollout.state is RolloutState.OPEN and spec.rollout.at_once:
            coming = sum(s in ON_THE_WAY for s in look.standings.values())
            decided = len(look.standings) - coming
            people = self._sights.counting(rollout, now)
            wider = _widened(rollout, people, spec, decided=decided)
            if wider != rollout:
                return self._told(Turn(wider, Effect.GO_ON), spec, now)
        if rollout != self._catalog.find(Rollout, rollout.key):
            self._catalog.put(rollout)
        return Judged(rollout, None, None)

    def _is_off(self, rollout: Rollout, now: float) -> bool:
        """Whether nobody of the canary is there and nobody has begun, and others are there."""
        if rollout.state is not RolloutState.OPEN or rollout.phase != 0:
            return False
        people = self._sights.counting(rollout, now)
        sequence = self._director.sequence(rollout.cohort)
        inside = [p.sighting for p in inside_of(rollout, people)]
        begun = any(s.online or s.sequence >= sequence for s in inside)
        return not begun and any(p.sighting.online for p in people)

    def _redraw(self, rollout: Rollout, spec: ModelSpec, now: float) -> Judged:
        """Draw the canary anew, so that somebody of it is there."""
        people = self._sights.counting(rollout, now)
        salt = draw(f"{rollout.salt}-again", [p.member for p in people], rollout.phases[0])
        fresh = replace(rollout, salt=salt, phase_by_hardware={}, bucket=0, devices=len(people))
        return self._told(Turn(_widened(fresh, people, spec, decided=0), Effect.GO_ON), spec, now)

    def _exclude(self, rollout: Rollout, look: Look, spec: ModelSpec, now: float) -> Judged:
        """Go on without the types on which the version does harm."""
        text = f"{rollout.text}; no: on without {', '.join(harmed(look))}"
        passage = Passage(at=now, state=RolloutState.OPEN, text=text)
        going = replace(
            rollout,
            state=RolloutState.OPEN,
            since=now,
            text=text,
            history=[*rollout.history, passage],
        )
        turn = Turn(going, Effect.GO_ON, quarantines=self._imposed(going, look))
        return self._told(turn, spec, now)

    def _imposed(self, rollout: Rollout, look: Look) -> list[Quarantine]:
        version = self._sights.version(rollout)
        return quarantines.imposed(rollout, version, harmed(look), look.now)

    def _told(self, turn: Turn, spec: ModelSpec, now: float) -> Judged:
        return Judged(turn.rollout, turn.effect, self._director.state(turn, spec, now))


def _widened(
    rollout: Rollout, people: list[Inhabitant], spec: ModelSpec, *, decided: int
) -> Rollout:
    """Let in as many as the phase is for, and as may be on their way at the same time."""
    members, phase = [p.member for p in people], rollout.phases[rollout.phase]
    wanted = size(phase, len(members)) if members else 0
    if spec.rollout.at_once:
        wanted = min(wanted, decided + spec.rollout.at_once)
    before = Wave(rollout.phase_by_hardware, rollout.bucket)
    inside = wave(members, phase, wanted, rollout.salt, before)
    return replace(rollout, phase_by_hardware=inside.by_hardware, bucket=inside.others)


def _noted(rollout: Rollout, look: Look, seen: Seen) -> Rollout:
    if rollout.state not in TOLD:
        return replace(rollout, text=seen.text)
    judgement = look.judgement or rollout.judgement
    return replace(rollout, evidence=counted(look), judgement=judgement, text=seen.text)
