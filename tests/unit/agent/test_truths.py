"""Labels by number or name, answers with their names, and what right means."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_agent.errors import InputError
from fleetloop_agent.serving.truths import Truths
from fleetloop_shared.manifest import NO_CLASS, REGRESSION, Feature, Signature

NAMED = Signature(
    input_name="x",
    score_name="y",
    features=[Feature(name="a")],
    classes=[4, 9],
    class_names=["dry", "rain"],
    positive=1,
    decision_threshold=0.5,
)
NUMBERED = msgspec.structs.replace(NAMED, class_names=[])
VALUE = msgspec.structs.replace(
    NAMED, task=REGRESSION, classes=[], class_names=[], positive=NO_CLASS
)


@pytest.mark.parametrize("label", ["rain", 9, 9.0, np.int8(9), np.float32(9)])
def test_a_class_is_told_by_name_or_number(label: object) -> None:
    read = Truths(NAMED).read(label)
    assert (read, type(read)) == (9, int)


def test_a_class_without_a_name_may_be_a_text_as_in_the_spec() -> None:
    assert Truths(NUMBERED).read("9") == 9


@pytest.mark.parametrize(
    ("signature", "label", "told"),
    [
        (NAMED, "snow", r"'snow' is no class; there are 'dry' \(4\), 'rain' \(9\)$"),
        (NAMED, 5, "^5 is no class"),
        (NAMED, "9", "'9' is no class"),
        (NAMED, 1.5, "1.5 is no class"),
        (NAMED, None, "None is no class"),
        (NUMBERED, "dry", "'dry' is no class; there are 4, 9$"),
        (NUMBERED, True, "True"),
        (NUMBERED, 7, "^7 is no class; there are 4, 9$"),
        (VALUE, "4", "'4' is no label; give a finite number$"),
        (VALUE, True, "True"),
        (VALUE, math.nan, "nan"),
        (VALUE, -math.inf, "-inf"),
        (VALUE, 10**400, "give a finite number"),
        (None, "dry", "give a finite number"),
    ],
)
def test_what_is_no_label_is_refused(signature: Signature | None, label: object, told: str) -> None:
    with pytest.raises(InputError, match=told):
        Truths(signature).read(label)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_regression_takes_any_finite_number_as_it_is(label: float) -> None:
    assert Truths(VALUE).read(label) == label


def test_answers_are_classes_with_names_or_numbers() -> None:
    assert [Truths(NAMED).said(answer) for answer in (4.0, 9.0)] == [(4, "dry"), (9, "rain")]
    assert Truths(NUMBERED).said(9.0) == (9, None)
    assert Truths(VALUE).said(-0.5) == (-0.5, None)


def test_only_a_class_is_right_or_wrong() -> None:
    assert Truths(NAMED).right(9, 9) is True
    assert Truths(NAMED).right(9, 4) is False
    assert Truths(VALUE).right(1.5, 1.5) is None
