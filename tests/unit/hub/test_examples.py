"""The split in time: nothing newer is ever used to fit or choose what is judged on older rows."""

import numpy as np
import pytest

from fleetloop_hub.data.row import Row
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.training.examples import Examples, split, to_examples


def examples(at: list[float], truth: list[bool] | None = None, device: str = "") -> Examples:
    rows = len(at)
    return Examples(
        values=np.arange(rows, dtype=np.float32)[:, None],
        truth=np.array([i % 2 == 0 for i in range(rows)] if truth is None else truth),
        at=np.array(at),
        device=np.array([device] * rows),
    )


def test_every_part_is_newer_than_the_one_before() -> None:
    parts = split(examples([float(i) for i in range(100)]), 0.2)
    assert [len(p.truth) for p in (parts.train, parts.validation, parts.held_out)] == [64, 16, 20]
    assert parts.train.at.max() < parts.validation.at.min()
    assert parts.validation.at.max() < parts.held_out.at.min()


def test_rows_of_one_moment_stay_together() -> None:
    parts = split(examples([float(i // 10) for i in range(100)]), 0.25)
    assert parts.validation.at.max() < parts.held_out.at.min()
    assert parts.train.at.max() < parts.validation.at.min()
    assert len(parts.held_out.truth) == 30


@pytest.mark.parametrize("newest", [True, False])
def test_held_out_rows_of_one_class_are_refused(*, newest: bool) -> None:
    truth = [i % 2 == 0 for i in range(80)] + [newest] * 20
    with pytest.raises(TrainingError, match=r"held_out part has 20 rows, (0|20) of them positive"):
        split(examples([float(i) for i in range(100)], truth), 0.2)


def test_rows_all_of_one_moment_are_refused() -> None:
    with pytest.raises(TrainingError, match="train part has 0 rows"):
        split(examples([1.0] * 100), 0.2)


def test_quarantined_rows_are_not_learned_from() -> None:
    rows = [Row(float(i), i % 2, (1.0,), "", str(i), "bad" if i == 3 else "") for i in range(6)]
    found, labels = to_examples(rows, 1)
    assert found.at.tolist() == [0.0, 1.0, 2.0, 4.0, 5.0]
    assert labels == [0, 1]


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [0, 2, 0]])
def test_other_labels_than_yes_and_no_are_refused(labels: list[int]) -> None:
    rows = [Row(float(i), label, (1.0,), "", str(i)) for i, label in enumerate(labels)]
    with pytest.raises(TrainingError, match="two are needed"):
        to_examples(rows, 1)


def test_rows_by_device_are_what_each_device_has_seen_in_its_order() -> None:
    found = examples([1.0, 2.0, 3.0, 4.0])
    mixed = Examples(found.values, found.truth, found.at, np.array(["b", "a", "b", "a"]))
    assert mixed.by_device()[:, 0].tolist() == [1.0, 3.0, 0.0, 2.0]
