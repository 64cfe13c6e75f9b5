"""One version's way through the phases of a cohort, as a pure function of events.

A look at the devices becomes at most one event, and the table says what the event leads to. A
device counts as well only once it has committed, which it does after the version has served its
soak there. Devices that were off when they were told neither block nor dilute a phase.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from fleetloop_hub.delivery.failures import surely_above, surely_below
from fleetloop_hub.delivery.rollout_states import Effect, Event, follow
from fleetloop_hub.delivery.standing import ON_THE_WAY, Standing
from fleetloop_hub.fleet_records import Passage, Rollout, RolloutState
from fleetloop_hub.judgement_records import Finding, Judgement
from fleetloop_hub.spec.judge_table import JudgeTable
from fleetloop_hub.spec.rollout_table import RolloutTable

HISTORY = 100
_LOOKED_AT = frozenset(
    {
        RolloutState.WAITING,
        RolloutState.APPROVED,
        RolloutState.OPEN,
        RolloutState.SOAKING,
        RolloutState.JUDGED,
        RolloutState.HALTING,
    }
)
"""States in which time and devices can move a rollout."""

_BAD = (Standing.FAILED, Standing.LOST)


@dataclass(frozen=True)
class Look:
    """What there is to see of a rollout at a moment.

    Attributes:
        now: Unix seconds.
        standings: How each device of the open phase stands.
        hardware: Their hardware types.
        judgement: How they do beside the control; None where nothing is to be judged.
        nobody: Whether there are devices and none of them is asked to take the version.
        queued: Devices of the phase that are let in when others have decided.
        holders: Devices that are there and have the version, while everybody is to go back.
    """

    now: float
    standings: Mapping[str, Standing] = field(default_factory=dict)
    hardware: Mapping[str, str] = field(default_factory=dict)
    judgement: Judgement | None = None
    nobody: bool = False
    queued: int = 0
    holders: int = 0


@dataclass(frozen=True)
class Seen:
    """What a look says.

    Attributes:
        event: What has happened, None for nothing.
        text: Why, or what is waited for, in words.
    """

    event: Event | None
    text: str


@dataclass(frozen=True)
class Policy:
    """What the model's spec says of rollouts.

    Attributes:
        rollout: Its `[rollout]` table.
        judge: Its `[judge]` table.
    """

    rollout: RolloutTable
    judge: JudgeTable


def see(rollout: Rollout, look: Look, policy: Policy) -> Seen:
    """What has happened to a rollout since the last look."""
    state = rollout.state
    if state not in _LOOKED_AT:
        return Seen(None, rollout.text)
    if rollout.expires_at is not None and look.now >= rollout.expires_at:
        return Seen(Event.EXPIRE, f"{rollout.text}; its time is over")
    if state is RolloutState.WAITING:
        return Seen(
            None, f"waits for approval: fleetloop rollouts approve {rollout.key} --reason TEXT"
        )
    if state is RolloutState.APPROVED:
        return Seen(Event.READY, "phase 1: the canary may take it")
    if state is RolloutState.HALTING:
        return Seen(Event.BACK if look.holders == 0 else None, rollout.text)
    return _see_phase(rollout, look, policy)


def come(rollout: Rollout, event: Event, now: float, text: str) -> tuple[Rollout, Effect | None]:
    """The rollout after an event, and what is to be done; the same and None if nothing is.

    Args:
        rollout: As it is.
        event: What has happened.
        now: Unix seconds.
        text: Why, in words.
    """
    step = follow(rollout.state, event, rollout.resumes)
    if step is None:
        return rollout, None
    passage = Passage(at=now, state=step.state, text=text)
    moved = replace(
        rollout,
        state=step.state,
        since=now,
        text=text,
        history=[*rollout.history, passage][-HISTORY:],
        resumes=rollout.state if event is Event.PAUSE else None,
    )
    if event is Event.RESUME:
        paused_s = now - rollout.since
        late, end = rollout.deadline, rollout.expires_at
        moved = replace(
            moved,
            expires_at=None if end is None else end + paused_s,
            deadline=None if late is None else late + paused_s,
        )
    if event is Event.PASSED:
        moved = replace(moved, phase=rollout.phase + 1)
    return replace(moved, ended_at=None if moved.under_way else now), step.effect


def harmed(look: Look) -> list[str]:
    """The hardware types that a version does harm on, as far as it is known."""
    judgement = look.judgement
    if judgement is not None and judgement.finding is Finding.HARMFUL:
        return sorted(judgement.hardware)
    failed = (d for d, s in look.standings.items() if s is Standing.FAILED)
    return sorted({look.hardware[d] for d in failed if d in look.hardware})


def counted(look: Look) -> dict[str, int]:
    """How many devices of the phase stand how."""
    counts = Counter(look.standings.values())
    return {str(s): counts[s] for s in Standing}


def may_exclude(look: Look, table: RolloutTable) -> bool:
    """Whether the rollout may go on without the types on which the version does harm."""
    types = {
        look.hardware[d]
        for d, s in look.standings.items()
        if s is not Standing.EXEMPT and d in look.hardware
    }
    return table.on_harm == "exclude" and bool(harmed(look)) and bool(types - {*harmed(look)})


def _see_phase(rollout: Rollout, look: Look, policy: Policy) -> Seen:
    table, judgement = policy.rollout, look.judgement
    if look.nobody:
        return Seen(Event.HARM, "every device there has given it up, or it is in quarantine there")
    counts = Counter(look.standings.values())
    ok, bad = counts[Standing.OK], sum(counts[s] for s in _BAD)
    coming = sum(counts[s] for s in ON_THE_WAY) + look.queued
    place = f"phase {rollout.phase + 1} of {len(rollout.phases)}"
    said = f"{place}: {ok} well, {bad} failed, {coming} on the way"
    if judgement is not None and judgement.finding is Finding.HARMFUL:
        return Seen(Event.HARM, f"{said}: {judgement.text}, going back")
    late_s = table.soak_s + table.lost_after_s
    over = rollout.deadline is not None and look.now >= rollout.deadline + late_s
    open_ended = coming > 0 and not over
    if _too_many(ok, bad, table, open_ended=open_ended):
        return Seen(Event.HARM, f"{said}: too many failed, going back")
    settled = rollout.state is not RolloutState.OPEN
    if _well(ok, bad, table, open_ended=open_ended and not settled):
        return _see_well(rollout, look, policy, said)
    if over:
        return Seen(Event.EXPIRE, f"{said}: its deadline has passed, and too few have it")
    return Seen(Event.RECEDED if settled else None, said)


def _see_well(rollout: Rollout, look: Look, policy: Policy, said: str) -> Seen:
    """What follows for a phase whose devices are well."""
    soak_s = policy.rollout.phase_soak_s
    if rollout.state is RolloutState.OPEN:
        return Seen(Event.DECIDED, said)
    if rollout.state is RolloutState.SOAKING:
        left_s = rollout.since + soak_s - look.now
        text = f"{said}: watched for {left_s:.0f} s more"
        return Seen(None, text) if left_s > 0 else Seen(Event.SOAKED, said)
    return _judged(rollout, look, policy.judge, said)


def _judged(rollout: Rollout, look: Look, table: JudgeTable, said: str) -> Seen:
    """Whether the next phase may open; in the last one there is nobody left to compare with."""
    judgement = look.judgement
    last = rollout.phase + 1 == len(rollout.phases)
    event = Event.COMPLETED if last else Event.PASSED
    if judgement is None or judgement.finding is Finding.HEALTHY:
        return Seen(event, f"{said}: passed")
    patient = look.now - rollout.phase_since >= table.patience_s and table.then == "go on"
    if (last or patient) and not judgement.speaks_against:
        return Seen(event, f"{said}: passed, {judgement.text}")
    return Seen(None, f"{said}: {judgement.text}")


def _too_many(ok: int, bad: int, table: RolloutTable, *, open_ended: bool) -> bool:
    decided = ok + bad
    if not bad or decided < table.min_devices:
        return False
    if open_ended:
        return surely_above(bad, decided, table.error_threshold, table.confidence)
    return bad / decided >= table.error_threshold


def _well(ok: int, bad: int, table: RolloutTable, *, open_ended: bool) -> bool:
    decided = ok + bad
    if decided < table.min_devices or ok / decided < table.success_threshold:
        return False
    return not open_ended or surely_below(bad, decided, table.error_threshold, table.confidence)
