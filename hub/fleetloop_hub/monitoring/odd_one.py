"""Tells one odd device from an odd cohort and from a changed world, from merged profiles alone.

1. Each device is compared with the others of its cohort, or with all where the cohort is small:
   `moderated` says how likely such a distance is in peace. What a device had of its own in quiet
   times is taken off first, as far as the places of then foretell those of now.
2. What is left of each cohort is merged and compared with the reference by the version's own
   thresholds, and a cohort that has moved with the other cohorts' devices.
3. What is left of the fleet is merged and compared with the reference.

A device is odd if it is apart from the others (1) and either has itself moved away from the
reference, or the others have and it has not followed. Devices differ among themselves always, so
neither of the two is enough.
"""

from collections.abc import Sequence

import numpy as np

from fleetloop_hub.monitoring import apart, odd_cohort, odd_words
from fleetloop_hub.monitoring.apart import FEWEST
from fleetloop_hub.monitoring.merging import merged
from fleetloop_hub.monitoring.strayed import strayed
from fleetloop_hub.monitoring.yardstick import Standing, Yardstick
from fleetloop_hub.verdict_records import FleetVerdict, Odd, Who

_MAJORITY = 0.5
_NAMED = 3
_CLEAR_SD = 0.25


def judge_fleet(
    model: str,
    version: int,
    yardstick: Yardstick,
    standings: list[Standing],
    silent: Sequence[Standing] = (),
) -> FleetVerdict:
    """Who has moved, of the devices that serve this version.

    Args:
        model: The model.
        version: Its version.
        yardstick: What it was trained on, and its thresholds.
        standings: One a device; their order does not matter.
        silent: Devices that have not been heard of for too long; they are compared with nobody,
            but nothing is said of the whole fleet against them.
    """
    ordered = sorted(standings, key=lambda s: s.device)
    able = [s for s in ordered if s.profile.rows >= yardstick.least_rows]
    found = apart.find(able, yardstick)
    rest = _Rest([s for s in able if s.device not in found.odd], yardstick)
    devices = [
        Odd(name=s.device, rows=s.profile.rows, ratio=s.ratio, differences=found.odd[s.device])
        for s in able
        if s.device in found.odd and (s.ratio >= 1.0 or rest.ratio >= 1.0)
    ]
    devices.sort(key=lambda o: (o.differences[0].chance, -o.ratio, o.name))
    odd = {o.name for o in devices}
    cohorts = odd_cohort.find([s for s in able if s.device not in odd], yardstick)
    moved = [s.device for s in able if s.ratio >= 1.0]
    fleet = max(FEWEST, len(silent)) <= len(able) and rest.has_moved()
    if cohorts:
        who = Who.COHORTS
    elif fleet:
        who = Who.FLEET
    elif devices:
        who = Who.DEVICES
    else:
        seen = moved or rest.ratio >= 1.0 or any(_sees_drift(s) for s in silent)
        who = Who.UNDECIDED if seen else Who.NOBODY
    verdict = FleetVerdict(
        model=model,
        version=version,
        who=who,
        text="",
        reasons=[],
        devices=devices,
        cohorts=cohorts,
        ratio=rest.ratio,
        moved=moved,
        judged=len(able),
        rows=sum(s.profile.rows for s in able),
        unjudged=[s.device for s in ordered if s.profile.rows < yardstick.least_rows],
        silent=sorted(s.device for s in silent),
        silent_alarmed=sorted(s.device for s in silent if _sees_drift(s)),
    )
    return odd_words.told(verdict, rest.strayed() if fleet else [], found)


def _sees_drift(standing: Standing) -> bool:
    return standing.ratio >= 1.0 or standing.alarmed is not None


class _Rest:
    """The devices that are not apart, together."""

    def __init__(self, standings: list[Standing], yardstick: Yardstick) -> None:
        self._standings, self._yardstick = standings, yardstick
        self._measures = yardstick.measures
        self._profile = merged([s.profile for s in standings]) if standings else None
        self.together = None if self._profile is None else yardstick.verdict(self._profile)
        self.ratio = 0.0 if self.together is None else self.together.ratio

    def strayed(self) -> list[str]:
        """What has moved in the features that have, the furthest first."""
        if self.together is None or self._profile is None:
            return []
        over = [f for f in self.together.features if f.ratio >= 1.0][:_NAMED]
        return [
            f"{strayed(f, self._yardstick.reference, self._profile)} "
            f"({f.ratio:.1f} times its threshold)"
            for f in over
        ]

    def has_moved(self) -> bool:
        """Whether most devices have moved, and together: in the same, and there the same way.

        A pair of features, or the answers alone, may be what has moved: then any drift counts.
        """
        if self.together is None or self.ratio < 1.0:
            return False
        top = self.together.features[0] if self.together.features else None
        if top is None or top.ratio < 1.0:
            return self._most(sum(s.ratio >= 1.0 for s in self._standings))
        if not self._most(sum(top.name in s.moved_in for s in self._standings)):
            return False
        for j, measure in enumerate(self._measures.list):
            if measure.kind == "mean" and measure.feature == top.name:
                ways = np.array([s.values[j] for s in self._standings])
                far = float(np.median(np.abs(ways)))
                return far < _CLEAR_SD or abs(float(np.median(ways))) >= far / 2
        return True

    def _most(self, devices: int) -> bool:
        return devices >= _MAJORITY * len(self._standings)
