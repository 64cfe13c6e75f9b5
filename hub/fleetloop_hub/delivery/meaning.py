"""From what happens to a rollout to what a cohort's devices are told, and what they have then."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from fleetloop_hub.delivery.phasing import BUCKETS
from fleetloop_hub.delivery.rollout_states import Effect
from fleetloop_hub.fleet_records import Cohort, Kept, Quarantine, Rollout

MOST_SETTLED = 32
"""Parts of a cohort that may have versions of their own."""


@dataclass(frozen=True)
class Turn:
    """A rollout as it is from now on, and what is to be said of it.

    Attributes:
        rollout: The rollout.
        effect: What is said.
        ended: Rollouts that it supersedes, as they are from now on.
        quarantines: What is barred from now on.
    """

    rollout: Rollout
    effect: Effect
    ended: Sequence[Rollout] = ()
    quarantines: Sequence[Quarantine] = ()


@dataclass(frozen=True)
class Meaning:
    """What a cohort's devices are told.

    Attributes:
        version: Key of what is rolled out.
        control: Key of what the others keep, None for whatever they have.
        phase: Upper bucket for hardware types without one of their own.
        by_hardware: The same by type.
        where: Label query of the devices that it is about.
        settled: What parts of the cohort keep.
        timed: Whether the spec's start and spread apply.
        deadline: After this nobody begins, Unix seconds; None: no limit.
    """

    version: str
    control: str | None
    phase: int
    by_hardware: dict[str, int] = field(default_factory=dict)
    where: str = ""
    settled: list[Kept] = field(default_factory=list)
    timed: bool = False
    deadline: float | None = None


def meaning(turn: Turn, settled: list[Kept], barred: bool, now: float) -> Meaning:  # noqa: FBT001  # what is known of it
    """What an effect means for the devices of a cohort.

    Args:
        turn: The rollout, and what is to be said.
        settled: What parts of the cohort have from earlier ones.
        barred: Whether some hardware type may not have the version.
        now: Unix seconds.
    """
    rollout = turn.rollout
    version = f"{rollout.model}/{rollout.version}"
    control = None if rollout.control is None else f"{rollout.model}/{rollout.control}"
    if turn.effect is Effect.REVERT:
        if control is None:
            return Meaning(version, None, 0, settled=settled)
        if settled:
            return Meaning(control, control, 0, settled=settled)
        return Meaning(control, None, BUCKETS)
    if turn.effect is Effect.FINISH:
        if rollout.where:
            return Meaning(version, control, BUCKETS, where=rollout.where, settled=settled)
        return Meaning(version, control if barred else None, BUCKETS)
    stops = turn.effect is Effect.STOP
    return Meaning(
        version,
        control,
        rollout.bucket,
        by_hardware=rollout.phase_by_hardware,
        where=rollout.where,
        settled=settled,
        timed=not stops,
        deadline=now if stops else rollout.deadline,
    )


def after(turn: Turn, cohort: Cohort) -> Cohort:
    """What a cohort has when a rollout to it has ended well; the same where it has not."""
    rollout = turn.rollout
    if turn.effect is not Effect.FINISH:
        return cohort
    version = f"{rollout.model}/{rollout.version}"
    if rollout.where:
        others = [k for k in cohort.settled if k.where != rollout.where]
        kept = [Kept(where=rollout.where, version=version), *others]
        base = f"{rollout.model}/{rollout.control}" if rollout.control is not None else None
        return replace(cohort, settled=kept[:MOST_SETTLED], base=cohort.base or base)
    previous = cohort.base if cohort.base != version else cohort.previous
    return replace(cohort, base=version, previous=previous, settled=[])
