"""Judges windows of every scale as they end, block after block."""

from dataclasses import dataclass

from fleetloop_shared.drift.block import Block, Blocks
from fleetloop_shared.drift.verdict import Verdict, judge
from fleetloop_shared.manifest import Signature
from fleetloop_shared.profile import (
    DriftThresholds,
    LiveProfile,
    ReferenceProfile,
    ScaleThresholds,
)


@dataclass(frozen=True)
class Judged:
    """A window that is to be told of.

    Attributes:
        first_row: Its first row.
        verdict: How far its rows are from the reference.
        closed: Whether it is a reporting window that is over; False for an alarm said before.
        alarm: Whether this window, or any that ended within it, is an alarm.
        since_row: With an alarm: the row from which on rows most plausibly differ.
        profile: Of a closed window: its rows, as sums.
    """

    first_row: int
    verdict: Verdict
    closed: bool
    alarm: bool
    since_row: int | None
    profile: LiveProfile | None


class _Open:
    """A window of one scale that is not over."""

    def __init__(self, thresholds: ScaleThresholds) -> None:
        self.thresholds = thresholds
        self.first_row = 0
        self.block: Block | None = None

    def add(self, first_row: int, block: Block) -> Block | None:
        """The whole window, if this block ends it."""
        if self.block is None:
            self.first_row, self.block = first_row, block
        else:
            self.block = self.block + block
        if self.block.rows < self.thresholds.rows:
            return None
        whole, self.block = self.block, None
        return whole


class Scan:
    """Takes blocks in the order of their rows; tells of alarms at once, of windows at their end.

    Where both would be told at the same time and the reporting window is itself an alarm, it alone
    is told.
    """

    def __init__(
        self, reference: ReferenceProfile, thresholds: DriftThresholds, signature: Signature
    ) -> None:
        """Begin the first window of every scale.

        Args:
            reference: What rows are compared with.
            thresholds: The scales, and the reporting window.
            signature: Of the model.
        """
        self._reference = reference
        self._window_rows = thresholds.window_rows
        self._blocks = Blocks(reference, signature)
        self._open = [_Open(scale) for scale in thresholds.scales]
        self._since_row: int | None = None

    def take(self, first_row: int, block: Block) -> list[Judged]:
        """What is to be told now that a block's rows were served.

        Args:
            first_row: The block's first row.
            block: As many rows as the shortest scale has.
        """
        told: list[Judged] = []
        closing: tuple[int, Verdict, LiveProfile] | None = None
        for window in self._open:
            whole = window.add(first_row, block)
            if whole is None:
                continue
            profile = self._blocks.profile(whole)
            verdict = judge(self._reference, window.thresholds, profile)
            if verdict.alarm and self._since_row is None:
                self._since_row = window.first_row
                told.append(
                    Judged(window.first_row, verdict, False, True, self._since_row, None)  # noqa: FBT003  # a record, in order
                )
            if window.thresholds.rows == self._window_rows:
                closing = window.first_row, verdict, profile
        if closing is None:
            return told
        over = self._close(*closing)
        return [over] if over.verdict.alarm else [*told, over]

    def _close(self, first_row: int, verdict: Verdict, profile: LiveProfile) -> Judged:
        since, self._since_row = self._since_row, None
        return Judged(first_row, verdict, True, since is not None, since, profile)  # noqa: FBT003  # a record, in order
