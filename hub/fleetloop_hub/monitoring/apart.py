"""Devices that are apart from the others, and what sets them apart.

What a device had of its own in quiet times is taken off first, as far as the places of then
foretell those of now: devices differ among themselves also in peace.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fleetloop_hub.monitoring import moderated
from fleetloop_hub.monitoring.measures import KINDS
from fleetloop_hub.monitoring.moderated import Distances
from fleetloop_hub.monitoring.swapped import CHANCE, exchange
from fleetloop_hub.monitoring.yardstick import Standing, Yardstick
from fleetloop_hub.verdict_records import Difference

Floats = npt.NDArray[np.float64]

FEWEST = 3
"""Devices without which there is no telling a device from the world."""

FEWEST_OF_COHORT = 4
"""Devices of a cohort that are compared among themselves."""

_PER_DEVICE = 3
_KNOWN = 0.7
_AS_LONG = 0.5
_CENTRAL = 0.7


@dataclass(frozen=True)
class Apart:
    """Devices that are apart from the others.

    Attributes:
        odd: What sets each of them apart, the least likely first.
        likeliest: The chance of the largest distance of any other device.
        crowd: Devices of groups in which so many are apart that nobody can be called the odd one.
    """

    odd: dict[str, list[Difference]]
    likeliest: float
    crowd: list[str] = field(default_factory=list)


def find(able: list[Standing], yardstick: Yardstick) -> Apart:
    """Devices that are apart from their peers.

    Args:
        able: The devices that have rows enough.
        yardstick: What their measures are.
    """
    odd, likeliest, crowd = dict[str, list[Difference]](), 1.0, list[str]()
    for judged, peers in _peers(able):
        of_group = dict[str, list[Difference]]()
        values, known = _without_the_usual(peers, yardstick)
        for of_these in (known, ~known):
            chosen = values if of_these is known else np.array([s.values for s in peers])
            found = _distances(chosen, peers, yardstick)
            chances = found.chance(chosen) * looks(yardstick.measures.kind, len(able))
            for k, standing in enumerate(peers):
                if standing.device not in judged or not of_these[k]:
                    continue
                smallest = float(chances[k].min(initial=1.0))
                if smallest < CHANCE:
                    own = standing.values - chosen[k]
                    one = Distances(found.centre[k] + own, found.spread[k], found.freedom[k])
                    of_group[standing.device] = _differences(standing, one, len(able), yardstick)
                else:
                    likeliest = min(likeliest, smallest)
        if len(of_group) > max(1, int(moderated.FAR * (len(peers) - 1))):
            crowd += sorted(of_group)
        else:
            odd |= of_group
    return Apart(odd, likeliest, crowd)


def _peers(able: list[Standing]) -> list[tuple[set[str], list[Standing]]]:
    """Whom to judge among whom: cohorts that are large enough, the others among all."""
    groups = defaultdict[str, list[Standing]](list)
    for standing in able:
        groups[standing.cohort].append(standing)
    large = [group for group in groups.values() if len(group) >= FEWEST_OF_COHORT]
    small = {s.device for s in able} - {s.device for group in large for s in group}
    pairs = [({s.device for s in group}, group) for group in large]
    if small and len(able) >= FEWEST:
        pairs.append((small, able))
    return pairs


def _without_the_usual(
    peers: list[Standing], yardstick: Yardstick
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The measures less what each device had of its own in quiet times; who has had such times.

    By how much of it is what best foretells the present over all devices and measures of a kind:
    nothing where quiet times were too short, all of it where devices differ and stay as they are.
    Quiet times much shorter than others' were other times: they tell of the world, not the device.
    """
    long = float(np.median([s.usual_rows for s in peers])) * _AS_LONG
    known = np.array([s.usual is not None and s.usual_rows >= long for s in peers])
    values = np.array([s.values for s in peers])
    if known.mean() < _KNOWN or known.sum() < FEWEST:
        return values, np.zeros(len(peers), np.bool_)
    usual = np.array([s.values if s.usual is None else s.usual for s in peers])
    now = values - np.median(values[known], axis=0)
    then = usual - np.median(usual[known], axis=0)
    central = known[:, None] & (np.abs(now) <= np.quantile(np.abs(now[known]), _CENTRAL, axis=0))
    share = np.zeros(values.shape[1])
    for kind in range(len(KINDS)):
        used = central & (yardstick.measures.kind == kind)
        power = float((then[used] ** 2).sum())
        if power > 0:
            share[yardstick.measures.kind == kind] = (now[used] * then[used]).sum() / power
    return values - np.clip(share, 0.0, 1.0) * np.where(known[:, None], then, 0.0), known


def _distances(values: Floats, peers: list[Standing], yardstick: Yardstick) -> Distances:
    rows = np.array([s.profile.rows for s in peers], np.float64)
    usual_rows = float(np.median(rows))
    scarce = np.maximum(usual_rows / rows, 1.0)
    least = yardstick.measures.variance(usual_rows)
    return moderated.distances(values, least, yardstick.measures.kind, scarce)


def looks(kind: npt.NDArray[np.int64], looked_at: int) -> Floats:
    """Bonferroni's bound: each kind gets the same part, each of its measures the same of that."""
    of_kind = np.bincount(kind, minlength=len(KINDS))
    times: Floats = of_kind[kind].astype(np.float64) * float((of_kind > 0).sum()) * looked_at
    return times


def _differences(
    standing: Standing, others: Distances, devices: int, yardstick: Yardstick
) -> list[Difference]:
    """What sets a device apart, each feature once; first the two that it seems to have swapped."""
    times, here = looks(yardstick.measures.kind, devices), standing.values
    shown = here if standing.alarmed is None else standing.alarmed
    found = named(shown, others.centre, others.chance(here) * times, yardstick)
    swapped = exchange(here, others.chance, times, yardstick.measures)
    return found if swapped is None else [swapped, *found]


def named(here: Floats, there: Floats, chance: Floats, yardstick: Yardstick) -> list[Difference]:
    """What sets somebody apart, each feature once, the least likely first, three at most.

    Args:
        here: Measures of whom it is about.
        there: What the others have instead.
        chance: The chance of each difference in peace, all looks counted.
        yardstick: What the measures are.
    """
    different = list[Difference]()
    taken = set[str]()
    for j in np.argsort(chance, kind="stable"):
        measure = yardstick.measures.list[j]
        if chance[j] >= CHANCE or len(different) == _PER_DEVICE:
            break
        if measure.feature in taken or (measure.kind == "correlation" and measure.other in taken):
            continue
        taken |= {measure.feature} | ({measure.other} if measure.kind == "correlation" else set())
        value, other = measure.plain(float(here[j])), measure.plain(float(there[j]))
        different.append(
            Difference(
                feature=measure.feature,
                what=measure.kind,
                size=value - other,
                here=value,
                there=other,
                other=measure.other,
                unit=measure.unit_name,
                chance=float(chance[j]),
            )
        )
    return different
