"""Counts served rows into blocks.

A served row costs two list appends. Every block of rows is joined, binned and summed at once, so
that equal rows give equal blocks whether they came one by one or many at a time.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows
from fleetloop_shared.drift.block import Block, Blocks


@dataclass(frozen=True)
class FinishedBlock:
    """A block that is full.

    Attributes:
        first_row: Number of its first row since the monitor began, from 1.
        block: Its rows, as sums.
    """

    first_row: int
    block: Block


class Monitor:
    """Takes rows with their scores, gives back the blocks they fill. Not thread-safe."""

    def __init__(self, blocks: Blocks, block_rows: int) -> None:
        """Begin the first block.

        Args:
            blocks: Counts rows.
            block_rows: Rows in a block.
        """
        self._blocks = blocks
        self._block_rows = block_rows
        self._first_row = 1
        self._finished: list[FinishedBlock] = []
        self._rows: list[Rows | bytes] = []
        self._scores: list[float] = []

    def add(self, row: Rows | bytes, score: float) -> bool:
        """Take one row; it is kept as it is until its block is counted, so it must not change.

        Args:
            row: Its float32 values, contiguous, of any shape; or their bytes.
            score: What the model said.

        Returns:
            Whether a block was counted, so that there may be something to take.
        """
        self._rows.append(row)
        self._scores.append(score)
        if len(self._scores) == self._block_rows:
            self._count_block()
            return True
        return False

    def extend(self, rows: Rows, scores: npt.NDArray[np.float64]) -> None:
        """Take many rows, which must not change either.

        Args:
            rows: Their values, contiguous, shape (rows, features).
            scores: What the model said about each.
        """
        done = 0
        while done < len(rows):
            more = min(len(rows) - done, self._block_rows - len(self._scores))
            self._rows.append(rows[done : done + more])
            self._scores.extend(scores[done : done + more].tolist())
            done += more
            if len(self._scores) == self._block_rows:
                self._count_block()

    def take(self) -> list[FinishedBlock]:
        """The blocks that have become full since the last call."""
        finished, self._finished = self._finished, []
        return finished

    def _count_block(self) -> None:
        rows: Rows = np.frombuffer(
            b"".join(self._rows),  # type: ignore[arg-type]  # arrays are buffers, untold before 3.12
            np.float32,
        )
        block = self._blocks.count(rows.reshape(self._block_rows, -1), np.array(self._scores))
        self._finished.append(FinishedBlock(self._first_row, block))
        self._first_row += self._block_rows
        self._rows, self._scores = [], []
