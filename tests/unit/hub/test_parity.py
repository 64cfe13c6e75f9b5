"""When an artifact answers otherwise than its model, and when it only adds up in another order."""

import numpy as np
from msgspec import structs

from fleetloop_hub.packaging.artifact import Outputs
from fleetloop_hub.packaging.parity import label_flips
from support.fitted_models import example

FORM = example("two", "linear").signature
EVEN = np.array([[0.5, 0.5]], np.float32)


def outputs(second: float) -> Outputs:
    return np.array([[1 - second, second]], np.float32)


def test_the_last_bit_of_a_sum_is_no_flip() -> None:
    assert label_flips(outputs(0.499999), EVEN, FORM) == 0


def test_a_quantized_answer_is_a_flip_at_a_tie_as_anywhere() -> None:
    assert label_flips(outputs(0.49), EVEN, FORM) == 1


def test_a_clear_answer_that_changes_is_a_flip_however_near_the_threshold() -> None:
    assert label_flips(outputs(0.4999), outputs(0.5001), FORM) == 1


def test_a_tie_of_three_classes_is_judged_by_its_margin() -> None:
    three = structs.replace(FORM, classes=[0, 1, 2], positive=-1)
    even, first = np.array([[0.4, 0.4, 0.2]], np.float32), np.array([[0.4, 0.400001, 0.2]])
    assert label_flips(first.astype(np.float32), even, three) == 0
    assert label_flips(np.array([[0.39, 0.41, 0.2]], np.float32), even, three) == 1
