"""Counts served rows into blocks.

A served row costs two list appends. Every block of rows is joined, binned and summed at once, two
blocks together where nobody asks before; equal rows give equal blocks whether they came one by one
or many at a time.
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

_HELD = 2
"""Blocks that rows may fill before they are counted, if nobody asks before: two in one go take a
fifth less than one by one."""


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
        self._most_rows = _HELD * block_rows
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
            Whether blocks were counted, so that there is something to take.
        """
        self._rows.append(row)
        self._scores.append(score)
        if len(self._scores) == self._most_rows:
            self._count_whole()
            return True
        return False

    def extend(self, rows: Rows, scores: Scores) -> None:
        """Take many rows, which must not change either.

        Args:
            rows: Their values, contiguous, shape (rows, features).
            scores: What the model said about each.
        """
        begun = len(self._scores) % self._block_rows
        done = min(self._block_rows - begun, len(rows)) if begun else 0
        self._hold(rows[:done], scores[:done])
        whole = (len(rows) - done) // self._block_rows * self._block_rows
        if whole:
            self._count_whole()
            self._count(rows[done : done + whole], scores[done : done + whole])
            done += whole
        self._hold(rows[done:], scores[done:])
        if len(self._scores) >= self._most_rows:
            self._count_whole()

    def take(self) -> list[FinishedBlock]:
        """The blocks that have become full since the last call."""
        if len(self._scores) >= self._block_rows:
            self._count_whole()
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

    def _hold(self, rows: Rows, scores: Scores) -> None:
        if len(rows):
            self._rows.append(rows)
            self._scores.extend(scores.tolist())

    def _count_whole(self) -> None:
        """Count the blocks that are full; what is over begins the next one."""
        scores = np.frombuffer(array("d", self._scores))
        whole = len(scores) // self._block_rows * self._block_rows
        if not whole:
            return
        joined: Rows = np.frombuffer(
            b"".join(self._rows),  # type: ignore[arg-type]  # arrays are buffers, untold before 3.12
            np.float32,
        )
        rows = joined.reshape(len(scores), -1)
        self._rows.clear()
        self._scores.clear()
        self._hold(rows[whole:], scores[whole:])
        self._count(rows[:whole], scores[:whole])

    def _count(self, rows: Rows, scores: Scores) -> None:
        for start in range(0, len(scores), _AT_ONCE * self._block_rows):
            some = slice(start, start + _AT_ONCE * self._block_rows)
            parts = len(scores[some]) // self._block_rows
            for block in self._blocks.count_parts(rows[some], scores[some], parts):
                self._finished.append(FinishedBlock(self._first_row, block))
                self._first_row += self._block_rows
