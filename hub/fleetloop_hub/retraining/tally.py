"""Right answers and errors of each device, added up: is the metric low without any one of them?"""

import math
from collections import defaultdict
from collections.abc import Collection

from fleetloop_shared.estimate.records import MAE, AccuracyReference

_Z = 2.58
"""99 % of the time the true value is within so many standard errors."""


class Tally:
    """Labels of a version by device and class; a regression's by device, their squared errors."""

    def __init__(self, reference: AccuracyReference) -> None:
        """Nothing was counted yet.

        Args:
            reference: Says which classes count alike, and what a loss is capped at.
        """
        self._classes = [float(c) for c in reference.balanced]
        self._regression, self._cap = reference.metric == MAE, reference.loss_cap
        self._sums: defaultdict[tuple[str, float], list[float]] = defaultdict(lambda: [0.0] * 3)
        self.devices: set[str] = set()

    def add(self, device: str, said: float, label: float) -> None:
        """Count one label."""
        loss = min((said - label) ** 2, self._cap) if self._regression else float(said != label)
        group = label if self._classes else 0.0
        sums = self._sums[device, group]
        sums[0] += 1
        sums[1] += loss
        sums[2] += loss * loss
        self.devices.add(device)

    def loss(self, without: Collection[str] = ()) -> tuple[float, float] | None:
        """Mean loss and its standard error, classes counting alike where they must.

        None where a class has no label.

        Args:
            without: Devices whose labels are left out.
        """
        groups: defaultdict[float, list[float]] = defaultdict(lambda: [0.0] * 3)
        for (device, group), sums in self._sums.items():
            if device not in without:
                groups[group] = [a + b for a, b in zip(groups[group], sums, strict=True)]
        wanted = self._classes or [0.0]
        if any(not groups[group][0] for group in wanted):
            return None
        means, variance = [], 0.0
        for group in wanted:
            count, total, squares = groups[group]
            mean = total / count
            means.append(mean)
            # Two losses more, as far apart as they can be: few labels are never sure.
            spread = max(squares / count - mean * mean, 0.0) + self._cap**2 / (4 * (count + 2))
            variance += spread / count
        return sum(means) / len(wanted), math.sqrt(variance) / len(wanted)

    def above(self, bound: float, without: Collection[str] = ()) -> bool:
        """Whether the loss is clearly above a bound without some devices' labels."""
        found = self.loss(without)
        return found is not None and found[0] - _Z * found[1] > bound

    def below(self, bound: float) -> bool:
        """Whether the loss is clearly at most a bound."""
        found = self.loss()
        return found is not None and found[0] + _Z * found[1] <= bound
