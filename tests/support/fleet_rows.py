"""A fleet of devices on paper: rows of correlated features, and the profiles they give."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from msgspec import structs

from fleetloop_hub.monitoring.yardstick import Standing, Yardstick
from fleetloop_hub.packaging.reference import build_reference
from fleetloop_hub.packaging.thresholds import calibrate
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.manifest import Feature
from fleetloop_shared.profile import DriftThresholds, LiveProfile, ReferenceProfile
from support.watching import a_signature

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

WINDOW_ROWS = 256


@dataclass
class World:
    """Where devices stand: correlated numbers, a category, and one feature that never varies.

    Attributes:
        width: How many features.
        apart: Standard deviation of what each device has of its own in each feature's mean, in
            standard deviations of the rows.
        seed: Of everything that is drawn.
    """

    width: int = 6
    apart: float = 0.02
    seed: int = 0
    random: np.random.Generator = field(init=False)
    loads: Floats = field(init=False)
    reference: ReferenceProfile = field(init=False)
    thresholds: DriftThresholds = field(init=False)
    blocks: Blocks = field(init=False)
    yardstick: Yardstick = field(init=False)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.loads = np.linspace(0.3, 0.85, self.width - 2)
        self.loads[::2] *= -1
        rows = self.rows(8_000)
        scores = self.scores(rows)
        features = [
            Feature(
                name=f"f{k}",
                unit="°C" if k == 0 else "",
                high=40.0 if k == 3 else None,
                categories=["a", "b", "c"] if k == self.width - 2 else [],
            )
            for k in range(self.width)
        ]
        self.reference = build_reference(features, rows, scores)
        self.thresholds = calibrate(
            self.reference,
            rows,
            scores,
            window_rows=WINDOW_ROWS,
            false_alarms_per_million_rows=1.0,
            seed=0,
        )
        signature = structs.replace(a_signature(self.reference), features=features)
        self.blocks = Blocks(self.reference, signature)
        self.yardstick = Yardstick(self.reference, self.thresholds, features)

    def own(self) -> Floats:
        """What one device has of its own."""
        own = np.zeros(self.width)
        own[:-2] = self.random.normal(0.0, self.apart, self.width - 2)
        return own

    def rows(self, count: int, own: Floats | None = None) -> Rows:
        """Rows of one device: temperatures and the like about 20, in steps of 5."""
        common = self.random.standard_normal((count, 1))
        alone = self.random.standard_normal((count, self.width - 2))
        numbers = common * self.loads + alone * np.sqrt(1 - self.loads**2)
        names = self.random.choice(3, count, p=[0.6, 0.3, 0.1])
        rows = np.column_stack([numbers, names, np.zeros(count)])
        if own is not None:
            rows += own
        rows[:, :-2] = 20 + 5 * rows[:, :-2]
        return rows.astype(np.float32)

    @staticmethod
    def scores(rows: Rows) -> Floats:
        scores: Floats = 1 / (1 + np.exp(-(np.nan_to_num(rows[:, 0]) - 20.0) / 5))
        return scores

    def profile(self, rows: Rows) -> LiveProfile:
        """What a device counts of these rows."""
        return self.blocks.profile(self.blocks.count(rows, self.scores(rows)))

    def stand(
        self, device: str, rows: Rows, *, cohort: str = "default", usual: Rows | None = None
    ) -> Standing:
        """Where a device stands that has served these rows, and `usual` in quiet times."""
        before = None if usual is None else self.profile(usual)
        return self.yardstick.stand(device, cohort, self.profile(rows), before)
