"""The tables of the spec that say how devices get, watch and renew the model."""

from typing import Annotated

from msgspec import Meta

from fleetloop_hub.spec.scalars import Table
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
