"""Categories are watched by their counts: their numbers are names, in whatever order they stand."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from fleetloop_hub.packaging.reference import build_reference
from fleetloop_hub.packaging.thresholds import calibrate
from fleetloop_shared.drift.verdict import Verdict
from fleetloop_shared.manifest import OTHER, Feature
from fleetloop_shared.profile import DriftThresholds, ReferenceProfile
from support.watching import judged

Rows = npt.NDArray[np.float32]
WINDOW_ROWS = 64
PLACES = 6
SHARES = np.array([0.4, 0.25, 0.15, 0.1, 0.07, 0.03])
FEATURES = [
    Feature(name="code", categories=[f"c{k}" for k in range(PLACES)]),
    Feature(name="twin", categories=[f"t{k}" for k in range(PLACES)]),
    Feature(name="level"),
]
SHUFFLED = np.array([3, 0, 5, 1, 4, 2])


def world(count: int, seed: int, shares: npt.NDArray[np.float64] = SHARES) -> Rows:
    """Two categories that go with each other and with a number."""
    lot = np.random.default_rng(seed)
    code = lot.choice(PLACES, count, p=shares)
    twin = np.where(lot.random(count) < 0.8, code, lot.choice(PLACES, count))
    level = code + lot.standard_normal(count)
    rows: Rows = np.stack([code, twin, level], axis=1).astype(np.float32)
    rows[lot.random(count) < 0.05, 0] = np.nan
    return rows


def recoded(rows: Rows) -> Rows:
    """The same rows, the categories in another order."""
    codes = np.append(SHUFFLED, OTHER).astype(np.float32)
    again = rows.copy()
    for column in (0, 1):
        present = np.isfinite(rows[:, column])
        again[present, column] = codes[rows[present, column].astype(int)]
    return again


@dataclass(frozen=True)
class Watch:
    reference: ReferenceProfile
    thresholds: DriftThresholds

    def verdicts(self, rows: Rows) -> list[Verdict]:
        windows = judged(self.reference, self.thresholds, rows, np.full(len(rows), 0.5))
        return [window.verdict for window in windows if window.closed]


def watch(rows: Rows) -> Watch:
    scores = np.full(len(rows), 0.5)
    reference = build_reference(FEATURES, rows, scores)
    thresholds = calibrate(
        reference,
        rows,
        scores,
        window_rows=WINDOW_ROWS,
        false_alarms_per_million_rows=10_000 / WINDOW_ROWS,
        seed=0,
    )
    return Watch(reference, thresholds)


PLAIN, OTHERWISE = watch(world(3_000, 0)), watch(recoded(world(3_000, 0)))


def changed(rows: Rows, kind: str) -> Rows:
    rows = rows.copy()
    if kind == "unseen":
        rows[::4, 1] = OTHER
    elif kind == "missing":
        rows[::3, 0] = np.nan
    else:
        rows[:, 1] = (rows[:, 1] + 1) % PLACES
    return rows


def test_the_false_alarm_budget_is_kept() -> None:
    found = [v.alarm for v in PLAIN.verdicts(world(500 * WINDOW_ROWS, 1))]
    assert len(found) == 500
    assert sum(found) <= 15


@pytest.mark.parametrize("kind", ["unseen", "missing", "swapped"])
def test_a_change_of_shares_is_an_alarm_by_the_counts(kind: str) -> None:
    (verdict,) = PLAIN.verdicts(changed(world(WINDOW_ROWS, 2), kind))
    assert verdict.alarm
    first = verdict.features[0]
    assert first.name == ("code" if kind == "missing" else "twin")
    at = [f.name for f in FEATURES].index(first.name)
    limits = PLAIN.thresholds.scales[0]
    share, rare = first.triangular / limits.triangular[at], first.rare / limits.rare[at]
    assert first.ratio == max(share, rare)
    assert first.unlisted_ratio == (0.25 if kind == "unseen" else 0.0)
    assert first.anderson_darling == first.shift == first.shift_sd == 0.0


def test_the_order_of_the_list_changes_no_verdict() -> None:
    rows = np.concatenate(
        [
            world(60 * WINDOW_ROWS, 3),
            *(changed(world(WINDOW_ROWS, 4), kind) for kind in ("unseen", "missing", "swapped")),
            world(WINDOW_ROWS, 5, SHARES[::-1]),
        ]
    )
    plain, otherwise = PLAIN.verdicts(rows), OTHERWISE.verdicts(recoded(rows))
    assert [v.alarm for v in plain] == [v.alarm for v in otherwise]
    assert sum(v.alarm for v in plain) >= 4
    for one, other in zip(plain, otherwise, strict=True):
        twins = {f.name: f for f in other.features}
        for feature in one.features:
            assert feature.triangular == pytest.approx(twins[feature.name].triangular)
            assert feature.psi == pytest.approx(twins[feature.name].psi)
            assert feature.anderson_darling == twins[feature.name].anderson_darling


def test_a_category_has_no_correlation_with_anything() -> None:
    assert PLAIN.reference.correlations == [0.0, 0.0, 0.0]
    rows = world(WINDOW_ROWS, 6)
    rows[:, 1] = rows[::-1, 1]
    (verdict,) = PLAIN.verdicts(rows)
    assert verdict.correlations == []
