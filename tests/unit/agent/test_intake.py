"""Rows that are not the model's inputs are refused with row and feature, whole."""

import enum
from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_agent.errors import InputError
from fleetloop_agent.serving.intake import Intake
from fleetloop_shared.manifest import Feature, Signature

SIGNATURE = Signature(
    input_name="x",
    score_name="y",
    features=[Feature(name="wind", low=0.0, high=60.0), Feature(name="rain", low=0.0)],
    classes=[0, 1],
    positive=1,
    decision_threshold=0.5,
)
INTAKE = Intake(SIGNATURE)


class Level(enum.IntEnum):
    LOW = 1


def test_rows_become_float32_in_the_order_of_the_signature() -> None:
    rows = INTAKE.rows([{"rain": 2, "wind": 1.5}, {"wind": None, "rain": float("nan")}])
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    assert np.array_equal(rows, np.array([[1.5, 2], [np.nan, np.nan]], np.float32), equal_nan=True)


def test_numpy_scalars_and_infinities_are_numbers() -> None:
    rows = INTAKE.rows([{"wind": np.float32(1.5), "rain": np.int16(2)}])
    assert rows.tolist() == [[1.5, 2.0]]
    assert INTAKE.rows([{"wind": float("inf"), "rain": float("-inf")}]).tolist() == [
        [float("inf"), float("-inf")]
    ]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8])
def test_arrays_of_numbers_are_copied(dtype: type) -> None:
    given_array: npt.NDArray[np.generic] = np.array([[1, 2], [3, 4]], dtype)
    rows = INTAKE.rows(given_array)
    given_array.fill(0)
    assert rows.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_an_array_that_lies_column_by_column_keeps_its_rows() -> None:
    given_array = np.array([[1, 2], [3, 4]], np.float32).T
    rows = INTAKE.rows(given_array)
    assert rows.flags.c_contiguous
    assert rows.tobytes() == np.array([[1, 3], [2, 4]], np.float32).tobytes()


REFUSED = [
    ([{"wind": 1.0}], "row 0 lacks 'rain'; give null"),
    ([{"wind": 1.0, "rain": 0}, {"rain": 1.0}], "row 1 lacks 'wind'"),
    ([{"wind": 1.0, "rain": 0, "fog": 1}], "row 0 holds 'fog', which the model does not know"),
    ([{"wind": "12", "rain": 0}], "row 0: 'wind' is of type str"),
    ([{"wind": 1.0, "rain": 0}, {"wind": True, "rain": 0}], "row 1: 'wind' is of type bool"),
    ([{"wind": np.True_, "rain": 0}], "row 0: 'wind' is of type bool"),
    ([{"wind": [1.0], "rain": 0}], "row 0: 'wind' is of type list"),
    ([{"wind": 1j, "rain": 0}], "row 0: 'wind' is of type complex"),
    ([{"wind": Level.LOW, "rain": 0}], "row 0: 'wind' is of type Level"),
    ([{"wind": 0, "rain": 10**400}], "row 0: 'rain' is too large for float32"),
    ([{"wind": 0, "rain": -(10**400)}], "row 0: 'rain' is too large for float32"),
    ([{"wind": 1e39, "rain": 0}], "row 0: 'wind' is too large for float32"),
    ([{"wind": 0, "rain": 10**300}], "row 0: 'rain' is too large for float32"),
    ([[1.0, 2.0]], "row 0 is no mapping"),
    ([None], "row 0 is no mapping"),
    ([], "there are no rows"),
    ("wind", "give a list of rows"),
    (7, "give a list of rows"),
    (None, "give a list of rows"),
    ({"wind": 1.0, "rain": 0}, "give a list of rows"),
    (np.zeros(2, np.float32), r"an array of shape \(2,\)"),
    (np.zeros((1, 3), np.float32), r"give \(rows, 2\), the columns being 'wind', 'rain'"),
    (np.zeros((0, 2), np.float32), "there are no rows"),
    (np.array([["1", "2"]]), "an array of <U1"),
    (np.array([[True, False]]), "an array of bool"),
    (np.array([[1e39, 0.0]]), "row 0: 'wind' is too large for float32"),
    (np.array([[None, 1.0]]), "an array of object"),
]


@pytest.mark.parametrize(("rows", "text"), REFUSED)
def test_what_is_no_row_is_refused_by_name(rows: object, text: str) -> None:
    with pytest.raises(InputError, match=text):
        INTAKE.rows(rows)


def test_a_long_list_of_names_is_cut() -> None:
    many = Intake(
        Signature(
            input_name="x",
            score_name="y",
            features=[Feature(name=f"f{k}") for k in range(30)],
            classes=[0, 1],
            positive=1,
            decision_threshold=0.5,
        )
    )
    with pytest.raises(InputError, match="'f4' and 25 more"):
        many.rows([{}])


json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["wind", "rain", "x"]), inner),
)


@given(json)
def test_anything_is_answered_or_refused(value: object) -> None:
    try:
        rows = INTAKE.rows(value)
    except InputError:
        return
    assert isinstance(value, list)
    assert all(isinstance(row, Mapping) for row in value)
    assert rows.shape == (len(value), 2)


def test_values_out_of_range_are_counted_missing_ones_are_not() -> None:
    rows = np.array([[-1, 5], [61, -1], [np.nan, np.inf], [60, 0]], np.float32)
    assert INTAKE.out_of_range(rows) == 3
    features = [Feature(name="wind"), Feature(name="rain")]
    anything = Intake(msgspec.structs.replace(SIGNATURE, features=features))
    assert anything.out_of_range(rows) == 0
