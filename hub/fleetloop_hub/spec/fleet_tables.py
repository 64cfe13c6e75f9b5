"""The tables of the spec that say how devices get, watch and renew the model."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fleetloop_hub.spec.scalars import Hours, Phase, Positive, Seconds, Share, Table
from fleetloop_shared.chunks import CHUNK_BYTES

FEWEST_WINDOW_ROWS = 16
"""Rows in a window, below which its statistics say nothing."""

BLOCK_ROWS = 256
"""Rows that a device counts at once, and the shortest window it judges; fewer where the spec's
reporting window is shorter."""


class DriftTable(Table, frozen=True, kw_only=True):
    """How devices watch the world.

    Attributes:
        window_rows: Rows in a reporting window: a multiple of 256, or fewer than 256. Shorter and
            longer windows are judged as well, and an alarm is said at once.
        false_alarms_per_million_rows: The budget of all windows and statistics together, on rows
            like those of the reference.
    """

    window_rows: Annotated[int, Meta(ge=FEWEST_WINDOW_ROWS)] = 1024
    false_alarms_per_million_rows: Annotated[float, Meta(gt=0.0, lt=10_000.0)] = 1.0

    def __post_init__(self) -> None:
        """Refuse a reporting window that is no whole number of blocks."""
        if self.window_rows > BLOCK_ROWS and self.window_rows % BLOCK_ROWS:
            below = self.window_rows // BLOCK_ROWS * BLOCK_ROWS
            raise ValueError(
                f"window_rows = {self.window_rows} is no multiple of {BLOCK_ROWS}: write {below} or"
                f" {below + BLOCK_ROWS}, or fewer than {BLOCK_ROWS}"
            )


class DeliveryTable(Table, frozen=True, kw_only=True):
    """How bytes travel.

    Attributes:
        chunk_bytes: The length of a chunk.
    """

    chunk_bytes: Annotated[int, Meta(ge=1_024, le=CHUNK_BYTES)] = CHUNK_BYTES


class RolloutTable(Table, frozen=True, kw_only=True):
    """How a version takes over.

    Attributes:
        phases: Upper ends of the phases as shares of the cohort; the first is the canary.
        soak_rows: Rows a trial must serve on a device before it is committed.
        soak_s: Seconds after which a trial is committed also without rows.
        success_threshold: Share of decided and lost devices that must be well.
        error_threshold: Share of them at which the rollout is reverted.
        min_devices: Decided and lost devices needed for a judgement.
        lost_after_s: A device silent for so long in the middle of an update counts as failed.
        start_after_h: Hours after a phase has opened, before which no device begins.
        spread_s: Each device begins at a moment of its own within so many seconds, so that a
            large fleet does not begin together; 0: at once.
        deadline_h: Hours after a phase has opened, after which no device begins and none tries
            what it has fetched; 0: no limit. It must leave room for start and spread.
    """

    phases: Annotated[list[Phase], Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: [0.25, 1.0]
    )
    soak_rows: Annotated[int, Meta(ge=0)] = 20
    soak_s: Seconds = 60.0
    success_threshold: Share = 0.9
    error_threshold: Share = 0.2
    min_devices: Positive = 1
    lost_after_s: Seconds = 120.0
    start_after_h: Hours = 0.0
    spread_s: Seconds = 0.0
    deadline_h: Hours = 0.0

    def __post_init__(self) -> None:
        """Refuse a deadline before which not every device may begin."""
        last_h = self.start_after_h + self.spread_s / 3600
        if self.deadline_h and self.deadline_h <= last_h:
            raise ValueError(
                f"deadline_h = {self.deadline_h:g} is over before every device may begin"
                f" (start_after_h and spread_s come to {last_h:g} hours): write a later one, or 0"
                " for no limit"
            )
