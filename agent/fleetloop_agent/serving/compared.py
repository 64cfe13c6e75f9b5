"""Compares what champion and challenger say of the same rows, as counts that add up."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from fleetloop_shared.latency import BINS, bin_of
from fleetloop_shared.manifest import REGRESSION, Manifest, Signature
from fleetloop_shared.shadow_bins import difference_bins, score_bins
from fleetloop_shared.shadow_report import (
    DIFFERENCE_BINS,
    SCORE_BINS,
    Labelled,
    ShadowCounts,
)

PAIRS = 16_384
"""Pairs of answers that are remembered for labels that come later: 0.4 MB."""

ALIKE_RATIO = 0.02
"""Of the range of scores: two numbers agree so near, where nobody has said how near."""

_NONE = 0

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Said = tuple[Floats, Floats]
"""Scores and labels of rows."""


class Compared:
    """Counts of one champion and one challenger; the caller holds a lock.

    Attributes:
        rows: Rows that both have scored.
        agreed: Those with the same answer.
        answers: How often they said what, champion's classes by challenger's.
        differences: How far apart numbers were.
        champion_scores: Histogram of the champion's scores.
        challenger_scores: Of the challenger's.
        latency_counts: Of the challenger's runs.
        skipped: Rows that were not scored, by why.
        answered: Rows that the challenger has answered in the champion's place.
        answered_labels: Labels for those.
        answered_right: Right answers among those.
        fell_back: Rows that the champion had to answer for it.
    """

    def __init__(self, champion: Signature, challenger: Signature, most_difference: float) -> None:
        """Nothing was compared yet.

        Args:
            champion: Whose answers are given.
            challenger: Who is compared with it; of the same task.
            most_difference: Numbers agree that are no further apart; 0: `ALIKE_RATIO`.
        """
        self._champion, self._challenger = champion, challenger
        self._span = champion.score_high - champion.score_low
        self._most = most_difference or ALIKE_RATIO * self._span
        self._numbers = champion.task == REGRESSION
        self._places = np.zeros(PAIRS, np.uint64)
        self._pairs = np.zeros((PAIRS, 2))
        self.clear()

    def clear(self) -> None:
        """Count from nothing again; pairs are remembered on."""
        sizes = len(self._champion.classes), len(self._challenger.classes)
        self.rows = self.agreed = 0
        self.answers = np.zeros(sizes, np.int64)
        self.differences = np.zeros(DIFFERENCE_BINS if self._numbers else 0, np.int64)
        self.champion_scores = np.zeros(SCORE_BINS, np.int64)
        self.challenger_scores = np.zeros(SCORE_BINS, np.int64)
        self.latency_counts = [0] * BINS
        self.skipped: Counter[str] = Counter()
        self.answered = self.answered_labels = self.answered_right = self.fell_back = 0
        self._right: Counter[tuple[bool, bool]] = Counter()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        seen = self.rows, self.answered, self.answered_labels, self.fell_back
        return not (any(seen) or self.skipped or self._right)

    def take(self, champion: Manifest, challenger: Manifest) -> ShadowCounts:
        """The counts, which begin again."""
        counts = ShadowCounts(
            model=challenger.model,
            champion=champion.version,
            challenger=challenger.version,
            artifact=challenger.sha256,
            rows=self.rows,
            agreed=self.agreed,
            answers=[] if self._numbers else self.answers.tolist(),
            differences=self.differences.tolist(),
            champion_scores=self.champion_scores.tolist(),
            challenger_scores=self.challenger_scores.tolist(),
            labelled=self.labelled,
            latency_counts=self.latency_counts,
            skipped=dict(self.skipped),
            answered=self.answered,
            answered_labels=self.answered_labels,
            answered_right=self.answered_right,
            fell_back=self.fell_back,
        )
        self.clear()
        return counts

    @property
    def labelled(self) -> Labelled:
        """Rows whose label came, by who was right."""
        right = self._right
        return Labelled(
            both=right[True, True],
            only_champion=right[True, False],
            only_challenger=right[False, True],
            neither=right[False, False],
        )

    def took(self, took_ns: int) -> None:
        """A run of the challenger has taken so long."""
        self.latency_counts[bin_of(took_ns)] += 1

    def add(self, numbers: Numbers, champion: Said, challenger: Said) -> npt.NDArray[np.bool_]:
        """Count rows that both have scored; whether they agree on each.

        Args:
            numbers: Of the champion's answers.
            champion: What it said.
            challenger: What the other said.
        """
        (scores, said), (other_scores, other) = champion, challenger
        low, high = self._champion.score_low, self._champion.score_high
        if self._numbers:
            apart = np.abs(said - other)
            alike = apart <= self._most
            bins = difference_bins(apart, self._span)
            self.differences += np.bincount(bins, minlength=DIFFERENCE_BINS)
        else:
            alike = said == other
            np.add.at(
                self.answers, (_index(self._champion, said), _index(self._challenger, other)), 1
            )
        self.rows += len(said)
        self.agreed += int(alike.sum())
        self.champion_scores += score_bins(scores, low, high)
        self.challenger_scores += score_bins(other_scores, low, high)
        places = (numbers % PAIRS).astype(np.int64)
        self._places[places] = numbers
        self._pairs[places, 0], self._pairs[places, 1] = said, other
        return alike

    def label(self, number: int, label: float) -> None:
        """The truth about a row came; it is counted once, if both have scored that row."""
        place = number % PAIRS
        if self._places[place] != number:
            return
        self._places[place] = _NONE
        said, other = self._pairs[place].tolist()
        self._right[self._is_right(said, label), self._is_right(other, label)] += 1

    def _is_right(self, said: float, label: float) -> bool:
        return abs(said - label) <= self._most if self._numbers else said == label


def _index(signature: Signature, labels: Floats) -> Places:
    """The place of each label among a signature's classes."""
    classes = np.array(signature.classes, np.float64)
    order = np.argsort(classes)
    found: Places = order[np.searchsorted(classes[order], labels)]
    return found
