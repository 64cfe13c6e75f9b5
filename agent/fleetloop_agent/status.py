"""What a program on this device is told about the agent."""

import msgspec

from fleetloop_shared.manifest import Manifest
from fleetloop_shared.messages import ReportedState
from fleetloop_shared.system import ClockOffset, SystemHealth


class SensorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How messages of sensors were answered since the agent started.

    Attributes:
        connected: Whether the sensors' broker is there.
        received: Messages that came.
        answered: Messages whose answers were handed to the broker.
        refused: Messages that are no rows of the model.
        failed: Messages that the model failed on, or for which there was no model.
        dropped: Messages that had to make room for newer ones.
        too_long: Messages longer than is read, passed over; and packets that ended the connection.
        unsent: Answers that the broker did not take.
        ignored: Messages without payload, or that the broker had kept.
        waiting: Messages that wait for their answers.
        trouble: What went wrong last, in words.
    """

    connected: bool
    received: int
    answered: int
    refused: int
    failed: int
    dropped: int
    too_long: int
    unsent: int
    ignored: int
    waiting: int
    trouble: str | None


class DriftStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The episode of drift that goes on, or the last that did, of the model that serves.

    Attributes:
        alarm: Whether it goes on: no whole reporting window was calm since.
        feature: What has moved furthest: a feature, a pair of them, or the score.
        size: How far, in words and in the feature's unit.
        ratio: The same in units of its threshold.
        since_row: From which row on rows most plausibly differ; counted as in drift reports.
        at: When it was told first, Unix seconds.
        over_at: When a whole reporting window was calm again, None while it goes on.
    """

    alarm: bool
    feature: str
    size: str
    ratio: float
    since_row: int | None
    at: float
    over_at: float | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a program on this device is told about the agent.

    Attributes:
        device: The device's name.
        cohort: Its cohort.
        agent: The agent's version.
        connected: Whether the broker is there.
        reports: Reports ever written.
        unacknowledged: Reports that the hub does not have.
        dropped: Reports that had to make room.
        active: The committed model, name and version.
        previous: The one committed before it.
        factory: The first ever committed; it is never taken away.
        quarantine: Models that have failed on this device and are not tried again.
        outbox_bytes: Payload of the reports that the hub does not have.
        unkept: Reports that wait in memory for room on the disk.
        system: How the machine was at the last health report.
        clock: How far its clock was from the hub's then.
        drift: The last episode of drift, None where there was none since the agent started.
        sensors: How messages of sensors were answered, None where none are taken.
        reported: What the hub is told.
    """

    device: str
    cohort: str
    agent: str
    connected: bool
    reports: int
    unacknowledged: int
    dropped: int
    active: str | None
    previous: str | None
    factory: str | None
    quarantine: list[str]
    outbox_bytes: int
    unkept: int
    system: SystemHealth
    clock: ClockOffset | None
    drift: DriftStatus | None
    sensors: SensorStatus | None
    reported: ReportedState


def serves(manifest: Manifest | None) -> str:
    """What serves, in words."""
    if manifest is None:
        return "no model yet, it comes with the first rollout"
    return f"{manifest.model} {manifest.version} serves"
