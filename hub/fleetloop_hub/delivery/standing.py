"""How a device stands towards a rollout, from what its retained messages say."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from fleetloop_hub.telemetry_records import DevicePulse
from fleetloop_shared.codec import decode
from fleetloop_shared.messages import DeviceState, ReportedState

_REMEMBERED = 20_000


class Standing(StrEnum):
    """How a device of the open phase stands.

    UNSEEN: it is off since before it was told. DEFERRED: it waits for its hours, an application or
    room. LOST: silent for long in the middle, counts as failed. EXEMPT: it is not asked to take it.
    """

    UNSEEN = "unseen"
    DEFERRED = "deferred"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    LOST = "lost"
    EXEMPT = "exempt"


ON_THE_WAY = (Standing.RUNNING, Standing.DEFERRED)
"""A phase is not over while there are some of these."""


@dataclass(frozen=True)
class Sighting:
    """What is known of a device when a rollout is looked at.

    Attributes:
        online: Whether the broker holds its connection.
        artifact: SHA-256 of what it has loaded.
        settled: Whether it is between updates: nothing is fetched or on trial.
        quarantined: What it will not try again.
        sequence: The last statement it has accepted.
        silent_s: Seconds since it was last heard.
        waits: Whether its update waits for something on the device.
        labels: What its config calls it.
    """

    online: bool
    artifact: str | None
    settled: bool
    quarantined: frozenset[str]
    sequence: int
    silent_s: float
    waits: bool = False
    labels: dict[str, str] = field(default_factory=dict)


NEVER_SEEN = Sighting(
    online=False,
    artifact=None,
    settled=True,
    quarantined=frozenset(),
    sequence=0,
    silent_s=float("inf"),
)
"""A device that has enrolled and not connected."""


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
    return Standing.DEFERRED if sighting.waits else Standing.RUNNING


def sight(pulse: DevicePulse, now: float) -> Sighting:
    """What a device's retained messages say of it."""
    state, reported = _read(pulse.state, pulse.reported)
    return Sighting(
        online=state is not None and state.online,
        artifact=None if reported is None else reported.artifact,
        settled=reported is not None and reported.target is None,
        quarantined=frozenset(() if reported is None else reported.quarantined),
        sequence=0 if reported is None else reported.sequence,
        silent_s=now - pulse.seen_at,
        waits=reported is not None and reported.waits_for is not None,
        labels={} if state is None else state.labels,
    )


@lru_cache(_REMEMBERED)
def _read(
    state: bytes | None, reported: bytes | None
) -> tuple[DeviceState | None, ReportedState | None]:
    """Rollouts look every second at what most devices said hours ago."""
    return (
        None if state is None else decode(state, DeviceState),
        None if reported is None else decode(reported, ReportedState),
    )
