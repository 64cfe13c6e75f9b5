"""A piece of a source: some tens of thousands of rows as columns, each with its place."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fleetloop_hub.dataset_parts import SourceMark

CHUNK_ROWS = 65_536
"""Rows that are in memory at a time, about."""


@dataclass(frozen=True)
class Broken:
    """Something in a source that is no row.

    Attributes:
        line: Where it stands.
        raw: Its text.
        reason: What is wrong with it.
    """

    line: int
    raw: str
    reason: str


@dataclass(frozen=True)
class Chunk:
    """Rows of one source as they stand there.

    Attributes:
        table: The columns that were asked for, as text or as what the source holds.
        lines: The line of each row, or its number where there are no lines; from 1.
        raw: The text of the row at an index.
        mark: What has been read of the source up to the end of this chunk.
        broken: What is no row.
        share: How much of the source has been read, 0 to 1.
    """

    table: pa.Table
    lines: npt.NDArray[np.int64]
    raw: Callable[[int], str]
    mark: SourceMark
    broken: list[Broken] = field(default_factory=list)
    share: float = 1.0
