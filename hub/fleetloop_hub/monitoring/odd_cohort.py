"""Cohorts that have moved where others have not."""

from collections import defaultdict

import numpy as np

from fleetloop_hub.monitoring import moderated
from fleetloop_hub.monitoring.apart import looks, named
from fleetloop_hub.monitoring.merging import merged
from fleetloop_hub.monitoring.yardstick import Standing, Yardstick
from fleetloop_hub.verdict_records import Difference, Odd

_FEWEST = 2


def find(rest: list[Standing], yardstick: Yardstick) -> list[Odd]:
    """Cohorts that have moved and are apart from those that have not; none if all have moved.

    Args:
        rest: The devices that are not themselves odd.
        yardstick: What their model was trained on.
    """
    groups = defaultdict[str, list[Standing]](list)
    for standing in rest:
        groups[standing.cohort].append(standing)
    together = {name: merged([s.profile for s in group]) for name, group in groups.items()}
    ratios = {name: yardstick.verdict(profile).ratio for name, profile in together.items()}
    still = [s for name, group in groups.items() if ratios[name] < 1.0 for s in group]
    apart = []
    for name, group in sorted(groups.items()):
        if ratios[name] < 1.0 or min(len(group), len(still)) < _FEWEST:
            continue
        differences = _differences(group, still, len(groups), yardstick)
        if differences:
            rows = together[name].rows
            apart.append(Odd(name=name, rows=rows, ratio=ratios[name], differences=differences))
    return apart


def _differences(
    group: list[Standing], still: list[Standing], groups: int, yardstick: Yardstick
) -> list[Difference]:
    here, there = (np.array([s.values for s in part]) for part in (group, still))
    rows = float(np.median([s.profile.rows for s in [*group, *still]]))
    kind = yardstick.measures.kind
    found = moderated.between(here, there, yardstick.measures.variance(rows), kind)
    middle = np.median(here, axis=0)
    chance = found.chance(middle) * looks(kind, groups)
    return named(middle, found.centre, chance, yardstick)
