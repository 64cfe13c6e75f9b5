"""The split in time: nothing newer is ever used to fit or choose what is judged on older rows."""

import numpy as np
import pytest

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.training.classes import classes_of
from fleetloop_hub.training.split import ordered, split
from support.learnable import SPEC, toy_spec


def frame(at: list[float], label: list[int] | None = None, device: str = "") -> Frame:
    rows = len(at)
    return Frame(
        values=np.arange(rows, dtype=np.float32)[:, None],
        label=np.array([i % 2 for i in range(rows)] if label is None else label, np.float64),
        at=np.array(at),
        label_at=np.array(at),
        device=np.array([device] * rows),
        groups={},
    )


def spec(held_out: float) -> ModelSpec:
    return parse(f"{SPEC}[gates]\nheld_out = {held_out}\n")


def test_every_part_is_newer_than_the_one_before() -> None:
    parts = split(frame([float(i) for i in range(100)]), spec(0.2))
    assert [len(p) for p in (parts.train, parts.validation, parts.held_out)] == [64, 16, 20]
    assert parts.train.at.max() < parts.validation.at.min()
    assert parts.validation.at.max() < parts.held_out.at.min()


def test_rows_of_one_moment_stay_together() -> None:
    parts = split(frame([float(i // 10) for i in range(100)]), spec(0.25))
    assert parts.validation.at.max() < parts.held_out.at.min()
    assert parts.train.at.max() < parts.validation.at.min()
    assert len(parts.held_out) == 30


def test_time_that_is_too_coarse_to_cut_is_told_with_what_to_write() -> None:
    for at in ([2015.0] * 100, [2015.0] * 70 + [2016.0] * 30):
        with pytest.raises(TrainingError, match=r"different moments, too few.*rows\.shuffle"):
            split(frame(at), spec(0.2))


def test_a_label_that_was_not_known_yet_is_not_learned_from() -> None:
    rows = frame([float(i) for i in range(100)])
    rows.label_at[[10, 63, 70]] = [63.5, 64.5, 99.0]
    parts = split(rows, spec(0.2))
    assert 10.0 in parts.train.at
    assert 63.0 not in parts.train.at
    assert 70.0 not in parts.validation.at


def test_rows_without_an_order_are_shuffled_by_the_seed_and_those_of_devices_are_not() -> None:
    rows = frame([float(i) for i in range(100)], [0] * 50 + [1] * 50)
    late = frame([7.0, 8.0], device="s-1")
    both = Frame(
        np.concatenate([rows.values, late.values]),
        np.concatenate([rows.label, late.label]),
        np.concatenate([rows.at, late.at]),
        np.concatenate([rows.at, late.at]),
        np.concatenate([rows.device, late.device]),
        {},
    )
    unordered = parse(SPEC.replace('time = "t"', "shuffle = true"))
    one, two = (ordered(both, unordered) for _ in range(2))
    assert ordered(both, spec(0.2)) is both
    np.testing.assert_array_equal(one.values, two.values)
    assert sorted(one.values[:100, 0].tolist()) == rows.values[:, 0].tolist()
    assert one.at[:100].tolist() == list(range(100))
    assert one.at[100:].tolist() == [7.0, 8.0]
    assert set(split(one, unordered).held_out.label.tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("newest", [0, 1])
def test_held_out_rows_of_one_class_are_refused(newest: int) -> None:
    label = [i % 2 for i in range(80)] + [newest] * 20
    with pytest.raises(
        TrainingError, match=rf"held_out part has 20 rows with the labels {newest};"
    ):
        split(frame([float(i) for i in range(100)], label), spec(0.2))


def test_rows_of_one_class_only_are_refused() -> None:
    with pytest.raises(TrainingError, match="needs 2 to"):
        classes_of(frame([1.0, 2.0], [1, 1]), toy_spec())


def test_two_classes_without_the_positive_one_are_refused() -> None:
    with pytest.raises(TrainingError, match="none of them"):
        classes_of(frame([1.0, 2.0], [0, 2]), toy_spec())


def test_several_classes_need_no_positive_one() -> None:
    assert classes_of(frame([1.0, 2.0, 3.0], [4, 2, 0]), toy_spec()) == [0, 2, 4]


def test_rows_by_device_are_what_each_device_has_seen_in_its_order() -> None:
    found = frame([1.0, 2.0, 3.0, 4.0])
    mixed = Frame(found.values, found.label, found.at, found.at, np.array(["b", "a", "b", "a"]), {})
    assert mixed.by_device()[:, 0].tolist() == [1.0, 3.0, 0.0, 2.0]
