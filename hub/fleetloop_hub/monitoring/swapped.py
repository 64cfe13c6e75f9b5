"""Finds the two features of a device that have each other's wire."""

from collections import Counter
from collections.abc import Callable
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fleetloop_hub.monitoring.measures import Measures
from fleetloop_hub.verdict_records import Difference

Floats = npt.NDArray[np.float64]

CHANCE = 0.01
"""The chance that any device of a fleet in peace is called apart from the others, a look."""

_SUSPECTS = 6
_CLEARLY = np.log(100.0)
"""By how much the best exchange must explain more than the next one."""


def exchange(
    here: Floats, chance: Callable[[Floats], Floats], looks: Floats, measures: Measures
) -> Difference | None:
    """The two features which, exchanged, leave nothing that sets the device apart.

    Args:
        here: The device's measures.
        chance: Of measures: the chance of each in peace, each for itself.
        looks: How many such chances there are, as Bonferroni counts them for each.
        measures: What they are about.

    Returns:
        None if no exchange explains all, or if two do so about as well.
    """
    before, limits = chance(here), CHANCE / looks
    judged = np.array([m.kind != "score" for m in measures.list])
    suspects = Counter[str]()
    for j in np.flatnonzero((before < limits) & judged):
        measure = measures.list[j]
        if measure.kind not in {"missing", "category"}:
            suspects.update({measure.feature, measure.other} - {""})
    found = []
    for one, other in combinations(sorted(name for name, _ in suspects.most_common(_SUSPECTS)), 2):
        after = chance(measures.exchanged(here, one, other))
        if (after >= limits)[judged].all():
            found.append((float(np.log(after[judged]).sum()), one, other))
    found.sort(reverse=True)
    if not found or (len(found) > 1 and found[0][0] - found[1][0] < _CLEARLY):
        return None
    _, one, other = found[0]
    least = float((before * looks)[judged].min())
    return Difference(
        feature=one, other=other, what="swapped", size=0.0, here=0.0, there=0.0, chance=least
    )
