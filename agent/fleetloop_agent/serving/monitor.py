"""Counts served rows into blocks.

A served row costs two list appends. Every block of rows is joined, binned and summed at once, so
that equal rows give equal blocks whether they came one by one or many at a time.
"""

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows
from fleetloop_agent.serving.open_window import Rest
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.drift.sums import Block

Scores = npt.NDArray[np.float64]

_AT_ONCE = 4
"""Blocks counted in one go where so many rows come at a time."""


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

    def extend(self, rows: Rows, scores: Scores) -> None:
        """Take many rows, which must not change either.

        Args:
            rows: Their values, contiguous, shape (rows, features).
            scores: What the model said about each.
        """
        done = 0
        while done < len(rows):
            room = self._block_rows - len(self._scores)
            whole = (len(rows) - done) // self._block_rows
            if room == self._block_rows and whole:
                some = self._block_rows * min(whole, _AT_ONCE)
                self._count(rows[done : done + some], scores[done : done + some])
            else:
                some = min(len(rows) - done, room)
                self._rows.append(rows[done : done + some])
                self._scores.extend(scores[done : done + some].tolist())
                if some == room:
                    self._count_block()
            done += some

    def take(self) -> list[FinishedBlock]:
        """The blocks that have become full since the last call."""
        finished, self._finished = self._finished, []
        return finished

    def nothing(self) -> Block:
        """A block without rows."""
        return self._blocks.nothing()

    def rest(self) -> Rest:
        """The rows of the block that is not full."""
        values = b"".join(self._rows)  # type: ignore[arg-type]  # arrays are buffers, as below
        return Rest(self._first_row, values, array("d", self._scores).tobytes())

    def resume(self, rest: Rest) -> None:
        """Go on where another monitor was; this one has taken no row yet.

        Args:
            rest: What it had.
        """
        self._first_row = rest.first_row
        self._scores = array("d", rest.scores).tolist()
        self._rows = [rest.values] if self._scores else []

    def _joined(self) -> tuple[Rows, Scores]:
        rows: Rows = np.frombuffer(
            b"".join(self._rows),  # type: ignore[arg-type]  # arrays are buffers, untold before 3.12
            np.float32,
        )
        scores = np.frombuffer(array("d", self._scores))
        return rows.reshape(len(scores), -1), scores

    def _count_block(self) -> None:
        joined = self._joined()
        self._rows.clear()
        self._scores.clear()
        self._count(*joined)

    def _count(self, rows: Rows, scores: Scores) -> None:
        for block in self._blocks.count_parts(rows, scores, len(scores) // self._block_rows):
            self._finished.append(FinishedBlock(self._first_row, block))
            self._first_row += self._block_rows
