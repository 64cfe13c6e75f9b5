"""How soon a change is seen: what is told before a release is what devices then do."""

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from fleetloop_hub.delay_parts import Delays, FeatureDelay
from fleetloop_hub.delay_words import briefs
from fleetloop_hub.packaging.delays import delays
from fleetloop_hub.packaging.reference import build_reference
from fleetloop_hub.packaging.thresholds import calibrate
from fleetloop_shared.manifest import Feature, Manifest
from support.examples import MANIFEST
from support.watching import a_signature, judged

Rows = npt.NDArray[np.float32]
FEATURES = [
    Feature(name="level", unit="hPa"),
    Feature(name="twin"),
    Feature(name="flag"),
    Feature(name="code", categories=["a", "b", "c"]),
    Feature(name="stuck"),
]


def world(count: int, seed: int) -> Rows:
    random = np.random.default_rng(seed)
    rows = random.standard_normal((count, 5)).astype(np.float32)
    rows[:, 1] = 0.6 * rows[:, 0] + 0.8 * rows[:, 1]
    rows[:, 0] = 1_000 + 6 * rows[:, 0]
    rows[:, 2] = rows[:, 2] > 1
    rows[:, 3] = random.integers(0, 3, count)
    rows[:, 4] = 7.0
    return rows


def manifest(rows: Rows, window_rows: int = 64) -> Manifest:
    scores = np.full(len(rows), 0.5)
    reference = build_reference(FEATURES, rows, scores)
    thresholds = calibrate(
        reference,
        rows,
        scores,
        window_rows=window_rows,
        false_alarms_per_million_rows=10.0,
        seed=0,
    )
    signature = msgspec.structs.replace(a_signature(reference), features=FEATURES)
    return msgspec.structs.replace(
        MANIFEST, signature=signature, reference=reference, thresholds=thresholds
    )


ROWS = world(3_000, 0)
KNOWN = manifest(ROWS)
TOLD = delays(KNOWN, ROWS)


def first_alarm(rows: Rows, began: int) -> int:
    for window in judged(KNOWN.reference, KNOWN.thresholds, rows, np.full(len(rows), 0.5)):
        if window.alarm:
            return window.first_row - 1 + window.verdict.rows - began
    raise AssertionError("it was never seen")


def changed(rows: Rows, kind: str) -> None:
    if kind == "half_sd":
        rows[:, 0] += 3.0
    elif kind == "spread":
        rows[:, 0] = 1_000 + 1.5 * (rows[:, 0] - 1_000)
    elif kind == "missing":
        rows[np.random.default_rng(len(rows)).random(len(rows)) < 0.02, 0] = np.nan
    else:
        rows[:, 1] *= -1


@pytest.mark.parametrize("kind", ["half_sd", "spread", "missing", "flipped"])
def test_a_change_is_seen_about_when_it_was_told(kind: str) -> None:
    found = []
    for seed in range(9):
        rows = world(1_536, 10 + seed)
        began = 37 * seed
        changed(rows[began:], kind)
        found.append(first_alarm(rows, began))
    told = TOLD.pairs[0].flipped if kind == "flipped" else getattr(TOLD.features[0], kind)
    assert told / 1.6 <= float(np.median(found)) <= told * 1.6


def test_a_larger_change_is_seen_sooner() -> None:
    level = TOLD.features[0]
    assert level.quarter_sd is not None
    assert level.half_sd is not None
    assert level.whole_sd is not None
    assert level.quarter_sd > level.half_sd > level.whole_sd > 0


def test_only_what_can_happen_to_a_feature_is_told() -> None:
    level, _twin, flag, code, stuck = TOLD.features
    assert (level.unit, level.unknown) == ("hPa", None)
    assert flag.half_sd is not None, "more of its values are up"
    assert flag.spread is None
    assert [code.half_sd, code.spread] == [None, None]
    assert code.unknown is not None
    assert [stuck.half_sd, stuck.spread] == [None, None]
    assert stuck.missing is not None
    assert [(p.a, p.b) for p in TOLD.pairs] == [("level", "twin")]


def test_what_no_window_is_long_enough_to_show_is_said() -> None:
    rows = world(300, 0)
    told = delays(manifest(rows, window_rows=16), rows)
    level = told.features[0]
    assert level.quarter_sd == 0
    quarter = briefs(told)[0]
    assert "level" in quarter.unseen
    assert level.whole_sd, "a large one is seen all the same"


def test_a_kind_of_change_that_fits_no_feature_is_left_out() -> None:
    only = FeatureDelay(name="code", unit="", sd=1.0, missing=300, unknown=200)
    assert [b.words for b in briefs(Delays(features=[only], pairs=[]))] == [
        "missing + 2 %",
        "unknown category 2 %",
    ]
