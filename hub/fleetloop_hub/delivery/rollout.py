"""One version's way through the phases of a cohort, as a pure function of what devices report.

Judged on model health: a device counts as well only once it has committed, which it does after the
version has served its soak without errors. Unseen devices neither block nor dilute a phase.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from fleetloop_hub.fleet_records import Rollout, RolloutState
from fleetloop_hub.spec.fleet_tables import RolloutTable
from fleetloop_shared.ids import bucket

BUCKETS = 10_000


class Standing(StrEnum):
    """How a device of the open phase stands."""

    UNSEEN = "unseen"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    LOST = "lost"


class Move(StrEnum):
    """What a judgement leads to."""

    STAY = "stay"
    NEXT = "next"
    FINISH = "finish"
    REVERT = "revert"
    SUPERSEDE = "supersede"


MOVES: dict[tuple[RolloutState, Move], RolloutState] = {
    (RolloutState.OPEN, Move.STAY): RolloutState.OPEN,
    (RolloutState.OPEN, Move.NEXT): RolloutState.OPEN,
    (RolloutState.OPEN, Move.FINISH): RolloutState.DONE,
    (RolloutState.OPEN, Move.REVERT): RolloutState.REVERTED,
    (RolloutState.OPEN, Move.SUPERSEDE): RolloutState.SUPERSEDED,
}
"""Every move there is; a state that is no key here has ended."""


@dataclass(frozen=True)
class Sighting:
    """What is known of a device when a rollout is judged.

    Attributes:
        online: Whether the broker holds its connection.
        artifact: SHA-256 of what it has loaded.
        settled: Whether it is between updates: nothing is fetched or on trial.
        quarantined: What it will not try again.
        sequence: The last statement it has accepted.
        silent_s: Seconds since it was last heard.
    """

    online: bool
    artifact: str | None
    settled: bool
    quarantined: frozenset[str]
    sequence: int
    silent_s: float


def standing(sighting: Sighting, artifact: str, sequence: int, lost_after_s: float) -> Standing:
    """How a device stands towards the artifact that statement `sequence` gives it."""
    if artifact in sighting.quarantined:
        return Standing.FAILED
    if sighting.artifact == artifact and sighting.settled:
        return Standing.OK
    if sighting.sequence < sequence and not sighting.online:
        return Standing.UNSEEN
    if not sighting.online and sighting.silent_s > lost_after_s:
        return Standing.LOST
    return Standing.RUNNING


def in_phase(device: str, rollout: Rollout) -> bool:
    """Whether the open phase includes this device; the device computes the same."""
    return bucket(device, rollout.salt) < rollout.phases[rollout.phase]


def judge(
    rollout: Rollout, standings: Mapping[str, Standing], policy: RolloutTable
) -> tuple[Move, dict[str, int], str]:
    """What to do, the counts it rests on, and the same in words.

    Shares are taken over decided and lost devices, never over the whole phase, so that devices
    that are switched off neither block success nor dilute failures.
    """
    counts = Counter(str(s) for s in standings.values())
    ok, bad = counts[Standing.OK], counts[Standing.FAILED] + counts[Standing.LOST]
    decided = ok + bad
    evidence = {str(s): counts[s] for s in Standing}
    place = f"phase {rollout.phase + 1} of {len(rollout.phases)}"
    said = f"{place}: {ok} well, {bad} failed, {counts[Standing.RUNNING]} on the way"
    if decided >= policy.min_devices and bad and bad / decided >= policy.error_threshold:
        return Move.REVERT, evidence, f"{said}: too many failed, going back"
    if (
        decided < policy.min_devices
        or counts[Standing.RUNNING]
        or ok / decided < policy.success_threshold
    ):
        return Move.STAY, evidence, said
    last = rollout.phase + 1 == len(rollout.phases)
    return (Move.FINISH if last else Move.NEXT), evidence, f"{said}: passed"


def advance(rollout: Rollout, move: Move, now: float, *, text: str = "") -> Rollout:
    """The rollout after a move.

    Raises:
        KeyError: The rollout has ended, so the move is not in the table.
    """
    state = MOVES[rollout.state, move]
    opened = move is Move.NEXT
    return msgspec.structs.replace(
        rollout,
        state=state,
        phase=rollout.phase + opened,
        phase_since=now if opened else rollout.phase_since,
        ended_at=None if state is RolloutState.OPEN else now,
        text=text or rollout.text,
    )


def draw_salt(name: str, devices: list[str], share: float) -> str:
    """A salt whose first phase holds the intended number of the devices that are there now.

    With a handful of devices a plain hash would often leave the canary empty. Salts are tried in
    a fixed order until one fits, so that the draw is fair among the fitting ones, and repeatable.
    """
    wanted = max(1, round(share * len(devices)))
    limit = round(share * BUCKETS)
    for attempt in range(10_000):
        salt = f"{name}-{attempt}"
        if not devices or sum(bucket(d, salt) < limit for d in devices) == wanted:
            return salt
    return name
