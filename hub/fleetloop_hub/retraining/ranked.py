"""Whether labels prove a metric below its gate that is no mean of single rows: ranks, F1."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from fleetloop_hub.spec.validation_tables import GateTable
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_hub.validation.bootstrap import deviation
from fleetloop_hub.validation.metrics import Answers, measure
from fleetloop_shared.estimate.betting import RISK
from fleetloop_shared.manifest import NO_CLASS, Signature

FEWEST = 20
"""Labels of each class, below which such a metric says nothing."""

_WANTED = 40
_MORE = 1.25
_BOTH = 2
_MOST_DEVICES = 50


class RankedTest:
    r"""Looks at the newest labels each time that there are a quarter more of them.

    At the $k$-th look the metric counts as below the gate if it is so by $z_k$ standard deviations
    over resampled rows, with $1 - \Phi(z_k) = \alpha \cdot 6 / (\pi^2 k^2)$: all looks together err
    with a chance of about $\alpha = 1\,\%$, as far as the metric is nearly normal.
    """

    def __init__(self, signature: Signature, gates: GateTable, seed: int) -> None:
        """No label was seen yet.

        Args:
            signature: How answers are read: of two classes, one of them the positive one.
            gates: The metric, and the floor it must reach.
            seed: Of the resampling.
        """
        self._signature, self._gates, self._seed = signature, gates, seed
        self._due, self._looks = 0.0, 0
        self.value: float | None = None
        self.proven, self.well, self.shared = False, False, True
        self.device = ""

    @staticmethod
    def fits(signature: Signature, gates: GateTable) -> bool:
        """Whether it can be told from what samples hold: one score a row."""
        ranked = gates.metric in {"roc_auc", "average_precision", "f1"}
        return ranked and len(signature.classes) == _BOTH and signature.positive != NO_CLASS

    def look(self, labels: int, newest: Sequence[LabelledSample]) -> None:
        """Take the newest labelled rows.

        Args:
            labels: How many there have been in all.
            newest: The newest of them.
        """
        if labels < self._due:
            return
        newest = _recent(newest)
        answers = self._answers(newest)
        _, counts = np.unique(answers.truth, return_counts=True)
        if len(counts) < _BOTH or counts.min() < FEWEST:
            return
        self._due, self._looks = labels * _MORE, self._looks + 1
        chance = RISK * 6 / (np.pi**2 * self._looks**2)
        z = NormalDist().inv_cdf(1 - chance)
        metric, floor = self._gates.metric, self._gates.floor
        self.value = measure(metric, answers)
        spread = deviation(metric, answers, self._seed)
        below = self.value + z * spread < floor
        self.proven = self.proven or below
        self.well = not self.proven and self.value - NormalDist().inv_cdf(0.975) * spread >= floor
        if below:
            self._look_without(newest, answers, spread)

    def _look_without(
        self, newest: Sequence[LabelledSample], answers: Answers, spread: float
    ) -> None:
        """Whether it is below also without any single device; of many the most heard of."""
        names = np.array([one.device for one in newest], object)
        devices, counts = np.unique(names, return_counts=True)
        most = devices[np.argsort(-counts, kind="stable")][:_MOST_DEVICES]
        self.shared, self.device = True, ""
        for device in most if len(devices) > 1 else []:
            left = measure(self._gates.metric, answers.take(names != device))
            if not left + spread < self._gates.floor:
                self.shared, self.device = False, str(device)

    def _answers(self, newest: Sequence[LabelledSample]) -> Answers:
        """Samples hold the score of the positive class."""
        scores = np.array([one.sample.score for one in newest], np.float64)
        outputs = np.stack([1 - scores, scores], axis=1)
        if self._signature.positive == 0:
            outputs = outputs[:, ::-1]
        truth = np.array([one.label.label for one in newest], np.float64)
        return Answers(truth, outputs.astype(np.float32), self._signature)


def _recent(newest: Sequence[LabelledSample]) -> list[LabelledSample]:
    """The shortest piece at the end that has labels enough of each class; all, where none has.

    What was good before must not hide what is bad now.
    """
    truth = np.array([one.label.label for one in newest])
    firsts = [np.flatnonzero(truth == label) for label in np.unique(truth)]
    rare = min((len(places) for places in firsts), default=0)
    if rare <= _WANTED:
        return list(newest)
    return list(newest)[min(int(places[-_WANTED]) for places in firsts) :]
