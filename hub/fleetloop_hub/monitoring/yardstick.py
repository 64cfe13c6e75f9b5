"""Where a device stands: its measures, and how far it is from what its model was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_hub.monitoring.measures import Measures
from fleetloop_hub.monitoring.merging import shape, thinned
from fleetloop_shared.drift.rolled import near_step
from fleetloop_shared.drift.verdict import Verdict, judge
from fleetloop_shared.manifest import Feature
from fleetloop_shared.profile import (
    DriftThresholds,
    LiveProfile,
    ReferenceProfile,
    ScaleThresholds,
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """One device, as far as its windows tell.

    Attributes:
        device: Its id.
        cohort: Its cohort.
        profile: The newest windows together.
        values: Their measures.
        ratio: Their largest drift statistic / threshold.
        usual: Its measures in earlier windows that were quiet, None without such.
        usual_rows: Rows of these.
        moved_in: Features at or over their threshold.
        alarmed: Its measures since the alarm that stands, which sizes are told by; None if none
            stands.
    """

    device: str
    cohort: str
    profile: LiveProfile
    values: Floats
    ratio: float
    usual: Floats | None
    usual_rows: int = 0
    moved_in: frozenset[str] = frozenset()
    alarmed: Floats | None = None


class Yardstick:
    """One version's reference and thresholds, for profiles of any number of rows."""

    def __init__(
        self,
        reference: ReferenceProfile,
        thresholds: DriftThresholds,
        described: Sequence[Feature] = (),
    ) -> None:
        """Prepare the comparison.

        Args:
            reference: The training rows.
            thresholds: Where statistics become alarms.
            described: The model's features, for the names of units and categories.
        """
        self.measures = Measures(reference, described)
        self.least_rows = thresholds.window_rows
        self.reference, self._thresholds = reference, thresholds
        bins = (len(f.counts) for f in reference.features)
        self._shape = *bins, near_step(thresholds.window_rows)

    def fits(self, profile: LiveProfile) -> bool:
        """Whether a profile is of a window on this reference, as far as bins and step tell."""
        return shape(profile) == self._shape

    def verdict(self, profile: LiveProfile) -> Verdict:
        """The device's own statistics, by the limits of the longest windows it is long enough for.

        One of more rows than any limits were calibrated for is judged as that many rows of the
        same shares: a fleet of thousands of devices would otherwise alarm at differences that no
        window of the reference is free of.
        """
        scales = self._thresholds.scales
        scale = max((s for s in scales if s.rows <= profile.rows), key=_rows, default=scales[0])
        return judge(self.reference, scale, thinned(profile, scale.rows))

    def stand(
        self,
        device: str,
        cohort: str,
        profile: LiveProfile,
        usual: LiveProfile | None,
        alarmed: LiveProfile | None = None,
    ) -> Standing:
        """Where a device stands.

        Args:
            device: Its id.
            cohort: Its cohort.
            profile: Its newest windows together.
            usual: Earlier windows that were quiet, together.
            alarmed: Of the newest windows those of an alarm that stands, together.
        """
        verdict = self.verdict(profile)
        return Standing(
            device=device,
            cohort=cohort,
            profile=profile,
            values=self.measures.of(profile),
            ratio=verdict.ratio,
            moved_in=frozenset(f.name for f in verdict.features if f.ratio >= 1.0),
            usual=None if usual is None else self.measures.of(usual),
            usual_rows=0 if usual is None else usual.rows,
            alarmed=None if alarmed is None else self.measures.of(alarmed),
        )


def _rows(scale: ScaleThresholds) -> int:
    return scale.rows
