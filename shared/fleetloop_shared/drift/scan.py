"""Judges windows of every scale as they end, block after block."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleetloop_shared.drift.onset import Loud, Onset
from fleetloop_shared.drift.rolled import Profiles
from fleetloop_shared.drift.sums import Block
from fleetloop_shared.drift.trace import Part, Trace
from fleetloop_shared.drift.verdict import Judge, Limits, Ratios, Statistics, Verdict
from fleetloop_shared.manifest import Signature
from fleetloop_shared.profile import DriftThresholds, LiveProfile, ReferenceProfile

_AT_ONCE = 8
"""Blocks whose windows are judged in one go, where so many wait."""


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


@dataclass(frozen=True)
class OpenWindows:
    """What a scan must remember to go on after a restart.

    Attributes:
        parts: Of each scale, in their order: the rows of its window so far, None if there are none.
        since_row: Of the alarm of this reporting window, None if there was none.
    """

    parts: list[Part | None]
    since_row: int | None


class Scan:
    """Takes blocks in the order of their rows; tells of alarms at once, of windows at their end.

    A window is put together from those of the longest shorter scale that fills it without a rest.
    Where several scales are an alarm at once, the one with the largest ratio is told. Where an
    alarm and the end of the reporting window would be told at the same time and that window is
    itself an alarm, it alone is told.
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
        self._scales = thresholds.scales
        lengths = [scale.rows for scale in self._scales]
        self._reporting = lengths.index(thresholds.window_rows)
        self._sources = [
            max((j for j in range(k) if rows % lengths[j] == 0), default=None)
            for k, rows in enumerate(lengths)
        ]
        self._judge = Judge(reference)
        self._onset = Onset(reference, self._judge.expected)
        self._profiles = Profiles(reference)
        self._limits = Limits(self._scales)
        self._open: list[Part | None] = [None] * len(lengths)
        self._since_row: int | None = None
        self._trace = Trace()

    def take(self, first_row: int, block: Block) -> list[Judged]:
        """What is to be told now that a block's rows were served.

        Args:
            first_row: The block's first row.
            block: As many rows as the shortest scale has.
        """
        return self.take_all([(first_row, block)])

    def take_all(self, blocks: Sequence[Part]) -> list[Judged]:
        """The same of blocks that follow each other: what is told is the same, and sooner found.

        Args:
            blocks: In the order of their rows.
        """
        told: list[Judged] = []
        for start in range(0, len(blocks), _AT_ONCE):
            some = blocks[start : start + _AT_ONCE]
            over = [self._grow(block) for block in some]
            windows = [window for ended in over for window in ended.values()]
            found = self._judge.statistics([part for _, part in windows])
            places = [place for ended in over for place in ended]
            ratios = self._limits.of(places).ratios(found)
            first = 0
            for block, ended in zip(some, over, strict=True):
                self._trace.add(*block)
                told += self._tell(found, ratios, first, ended)
                first += len(ended)
        return told

    def _tell(
        self, found: Statistics, ratios: Ratios, first: int, over: dict[int, Part]
    ) -> list[Judged]:
        """What is to be told of the windows that a block has ended.

        Args:
            found: Their statistics, among those of others.
            ratios: The same in units of their thresholds.
            first: Where theirs begin.
            over: They.
        """
        told: list[Judged] = []
        due = list(over)
        loudest = int(ratios.largest[first : first + len(due)].argmax())
        if ratios.largest[first + loudest] >= 1.0 and self._since_row is None:
            self._since_row = self._since(ratios, first + loudest, over[due[loudest]])
            told.append(self._early(found, ratios, first + loudest, over[due[loudest]]))
        if self._reporting in over:
            place = first + due.index(self._reporting)
            closed = self._close(found, ratios, place, over[self._reporting])
            told = [closed] if closed.verdict.alarm else [*told, closed]
        return told

    def open_windows(self) -> OpenWindows:
        """What is not over, to be given to `resume` of a scan of the same manifest."""
        return OpenWindows(list(self._open), self._since_row)

    def resume(self, windows: OpenWindows) -> None:
        """Go on where another scan of the same manifest was."""
        self._open, self._since_row = list(windows.parts), windows.since_row
        for first_row, part in _apart([part for part in windows.parts if part is not None]):
            self._trace.add(first_row, part)

    def _grow(self, block: Part) -> dict[int, Part]:
        """The windows that a block ends, by the places of their scales."""
        over: dict[int, Part] = {}
        for place, source in enumerate(self._sources):
            more = block if source is None else over.get(source)
            if more is None:
                continue
            begun = self._open[place]
            part = more if begun is None else (begun[0], begun[1] + more[1])
            full = part[1].rows >= self._scales[place].rows
            self._open[place] = None if full else part
            if full:
                over[place] = part
        return over

    def _since(self, ratios: Ratios, loudest: int, window: Part) -> int:
        """The first row of the blocks that differ, in what a window is an alarm for."""
        first_row, block = window
        parts = self._trace.parts()
        loud = Loud(
            np.flatnonzero(ratios.features[loudest] >= 1.0),
            np.flatnonzero(ratios.pairs[loudest] >= 1.0),
            score=bool(ratios.score[loudest] >= 1.0),
        )
        begun = sum(row < first_row for row, _ in parts)
        place = self._onset.place([part for _, part in parts], begun, block, loud)
        return parts[place][0]

    def _early(self, found: Statistics, ratios: Ratios, place: int, window: Part) -> Judged:
        first_row, block = window
        return Judged(
            first_row=first_row,
            verdict=self._judge.told(found, ratios, place, block),
            closed=False,
            alarm=True,
            since_row=self._since_row,
            profile=None,
        )

    def _close(self, found: Statistics, ratios: Ratios, place: int, window: Part) -> Judged:
        since_row, self._since_row = self._since_row, None
        first_row, block = window
        return Judged(
            first_row=first_row,
            verdict=self._judge.told(found, ratios, place, block),
            closed=True,
            alarm=since_row is not None,
            since_row=since_row,
            profile=self._profiles.rolled(block),
        )


def _apart(parts: Sequence[Part]) -> list[Part]:
    """Parts that have no row in common, the longest first chosen, in the order of their rows."""
    chosen: list[Part] = []
    for part in sorted(parts, key=lambda part: -part[1].rows):
        begin, end = part[0], part[0] + part[1].rows
        if all(end <= row or row + block.rows <= begin for row, block in chosen):
            chosen.append(part)
    return sorted(chosen, key=lambda part: part[0])
