"""Settings, folds and the search among them."""

import itertools

import numpy as np
import pytest
from msgspec import structs

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.spec.training_tables import CandidateTable, RangeTable, TrainingTable
from fleetloop_hub.training.folds import folds
from fleetloop_hub.training.settings import draw
from fleetloop_hub.training.split import split
from support.families import frame, rows_for, spec_for

WIDE = CandidateTable(
    name="forest",
    family="random-forest",
    search={
        "trees": RangeTable(low=4, high=40, whole=True),
        "depth": [2, 3, 4],
        "leaf_rows": RangeTable(low=1, high=100, log=True),
    },
)


def test_settings_are_drawn_alike_for_a_seed_and_stay_within_their_ranges() -> None:
    found = draw(WIDE, 30, 1)
    assert found == draw(WIDE, 30, 1) != draw(WIDE, 30, 2)
    assert len(found) == len({(s.trees, s.depth, s.leaf_rows) for s in found}) > 20
    for setting in found:
        assert setting.search == {}
        assert setting.trees is not None
        assert 4 <= setting.trees <= 40
        assert setting.depth in {2, 3, 4}
        assert setting.leaf_rows is not None
        assert 1 <= setting.leaf_rows <= 100
    assert np.median([s.leaf_rows or 0 for s in found]) < 30


def test_nothing_to_search_is_one_setting_and_lists_are_not_repeated() -> None:
    plain = CandidateTable(name="a", family="knn", neighbours=3)
    assert draw(plain, 20, 0) == [plain]
    few = CandidateTable(name="a", family="knn", search={"neighbours": [3, 5, 9]})
    assert sorted(s.neighbours or 0 for s in draw(few, 20, 0)) == [3, 5, 9]


def test_what_the_spec_itself_writes_is_tried_first_and_only_if_it_is_whole() -> None:
    given = structs.replace(WIDE, trees=7, depth=9, leaf_rows=5)
    first = draw(given, 5, 0)[0]
    assert (first.trees, first.depth, first.leaf_rows) == (7, 9, 5)
    assert all(s.depth != 9 for s in draw(structs.replace(WIDE, depth=9), 20, 0))


def test_widths_of_layers_can_be_searched() -> None:
    net = CandidateTable(name="net", family="mlp", search={"hidden": [[8], [16, 8]]})
    assert sorted(s.hidden or [] for s in draw(net, 9, 0)) == [[8], [16, 8]]


def test_value_that_a_key_cannot_have_is_named() -> None:
    wrong = CandidateTable(name="net", family="mlp", search={"alpha": [0.0]})
    with pytest.raises(TrainingError, match=r"candidate net: .*alpha.*change candidates\.search"):
        draw(wrong, 9, 0)


def test_each_fold_is_newer_than_what_is_fitted_for_it() -> None:
    spec = structs.replace(spec_for("two classes"), training=TrainingTable(folds=3))
    parts = split(rows_for("two classes", 400), spec)
    found, notes = folds(parts, spec)
    assert notes == []
    assert len(found) == 3
    for fold in found:
        assert fold.train.at.max() < fold.newer.at.min()
        assert len(fold.newer) == len(parts.validation)
    for newer, older in itertools.pairwise(found):
        assert older.newer.at.max() + 1 == newer.newer.at.min()


def test_folds_that_cannot_be_are_left_out_and_told() -> None:
    rows = rows_for("two classes", 200)
    late = frame(rows.values, np.where(np.arange(200) < 100, 0.0, rows.label))
    spec = structs.replace(spec_for("two classes"), training=TrainingTable(folds=8))
    found, notes = folds(split(late, spec), spec)
    assert 1 <= len(found) < 8
    assert f"only {len(found)} of 8 folds" in notes[0]
