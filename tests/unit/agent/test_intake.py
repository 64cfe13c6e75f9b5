"""Rows that are not the model's inputs are refused with row and feature, whole."""

import enum
from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

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


CATEGORIES = Intake(
    msgspec.structs.replace(
        SIGNATURE,
        features=[
            Feature(name="wind", low=0.7, high=60.0),
            Feature(name="sky", categories=["clear", "cloud", "7"]),
        ],
    )
)


class Sky(enum.StrEnum):
    CLOUDY = "cloud"


class Sort(str, enum.Enum):  # noqa: UP042  # one whose str() is its own name
    CLOUDY = "cloud"


SKIES: list[tuple[object, float]] = [
    ("clear", 0),
    ("cloud", 1),
    (Sky.CLOUDY, 1),
    (Sort.CLOUDY, 1),
    ("7", 2),
    (7, 2),
    (7.0, 2),
    (np.float32(7), 2),
    (np.uint8(7), 2),
    (np.str_("clear"), 0),
    ("Clear", -1),
    (" 7.0 ", 2),
    ("", np.nan),
    (True, -1),
    (0, -1),
    (1, -1),
    (float("inf"), -1),
    (10**400, -1),
    (None, np.nan),
    (float("nan"), np.nan),
    (np.float64("nan"), np.nan),
]


@pytest.mark.parametrize(("sky", "place"), SKIES)
def test_a_category_becomes_its_place(sky: object, place: float) -> None:
    rows = CATEGORIES.rows([{"wind": 1, "sky": sky}])
    assert np.array_equal(rows, np.array([[1, place]], np.float32), equal_nan=True)


@pytest.mark.parametrize("sky", [[], {}, b"clear", 1j, object()])
def test_what_is_no_category_is_refused_by_name(sky: object) -> None:
    with pytest.raises(InputError, match=r"row 1: 'sky' is of type .*; give a text, a number, or"):
        CATEGORIES.rows([{"wind": 1, "sky": "clear"}, {"wind": 1, "sky": sky}])


def test_true_and_false_are_the_texts_that_a_table_has_for_them() -> None:
    yes = Feature(name="wind", categories=["false", "true"])
    intake = Intake(msgspec.structs.replace(SIGNATURE, features=[yes]))
    rows = intake.rows([{"wind": True}, {"wind": np.bool_(0)}, {"wind": "true"}, {"wind": 1}])
    assert rows.tolist() == [[1], [0], [1], [-1]]


def test_a_text_is_no_number() -> None:
    with pytest.raises(InputError, match="row 0: 'wind' is of type str"):
        CATEGORIES.rows([{"wind": "clear", "sky": "clear"}])


def test_an_array_holds_places() -> None:
    given_array = np.array([[1, 0], [1, 2], [1, -1], [1, np.nan]])
    assert np.array_equal(
        CATEGORIES.rows(given_array), given_array.astype(np.float32), equal_nan=True
    )
    assert CATEGORIES.rows(np.array([[1, 2]], np.uint8)).tolist() == [[1, 2]]


@pytest.mark.parametrize("place", [3, -2, 0.5, np.inf, -np.inf, 1e30])
def test_what_is_no_place_is_refused(place: float) -> None:
    with pytest.raises(InputError, match=r"row 1: 'sky' is .*no place among its 3 .* 0 to 2, or"):
        CATEGORIES.rows(np.array([[1, 0], [1, place]]))


@given(json)
def test_anything_is_a_category_or_refused(value: object) -> None:
    try:
        ((_, place),) = CATEGORIES.rows([{"wind": 1, "sky": value}]).tolist()
    except InputError:
        assert isinstance(value, list | dict)
        return
    assert value is None or isinstance(value, str | int | float)
    assert place in {-1.0, 0.0, 1.0, 2.0} or np.isnan(place)


values = st.one_of(
    st.none(),
    st.floats(),
    st.integers(),
    st.integers(min_value=10**300),
    st.booleans(),
    st.sampled_from(["clear", "rain", "1", "", "mauve", 3.4028235e38, 3.4028236e38, 1e-46]),
)


@pytest.mark.parametrize("intake", [INTAKE, CATEGORIES])
@given(st.lists(st.fixed_dictionaries({"wind": values, "sky": values}), max_size=2))
def test_a_row_alone_is_read_as_among_others(intake: Intake, rows: list[dict[str, object]]) -> None:
    if intake is INTAKE:
        rows = [{"wind": row["wind"], "rain": row["sky"]} for row in rows]
    alone = intake.one(rows)
    if alone is not None:
        assert alone == intake.rows(rows).tobytes()
    elif len(rows) == 1 and {type(value) for value in rows[0].values()} <= {float, type(None)}:
        with pytest.raises(InputError):
            intake.rows(rows)


@pytest.mark.parametrize("intake", [INTAKE, CATEGORIES])
@given(
    arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.bool_]),
        st.sampled_from([(1, 2), (1, 3), (2,), (2, 2), (0, 2), (1, 1, 2)]),
    )
)
def test_an_array_of_one_row_is_read_as_any_other(
    intake: Intake, array: npt.NDArray[np.generic]
) -> None:
    alone = intake.one(array)
    if alone is not None:
        assert alone == intake.rows(array).tobytes()
    elif array.dtype == np.float32 and array.shape == (1, 2):
        with pytest.raises(InputError):
            intake.rows(array)


REFUSING = msgspec.structs.replace(
    SIGNATURE,
    features=[
        Feature(name="wind", unit="m/s", low=0.1, high=60.0, out_of_range="refuse"),
        Feature(name="sky", categories=["clear", "rain"], out_of_range="refuse"),
        Feature(name="rain", low=0.0),
    ],
)
USUAL = {"wind": 1.0, "sky": "rain", "rain": 1.0}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"wind": 0.05}, "'wind' is 0.05; values from 0.1 to 60 m/s alone are answered"),
        ({"wind": float("inf")}, "'wind' is inf; values"),
        ({"sky": "mauve"}, "'sky' is none of its categories, and they alone"),
    ],
)
def test_a_row_out_of_range_is_refused_where_the_signature_says_so(
    row: dict[str, object], told: str
) -> None:
    intake = Intake(REFUSING)
    assert intake.one([USUAL | row]) is None
    with pytest.raises(InputError, match=f"row 1: {told}"):
        intake.rows([USUAL, USUAL | row])


@pytest.mark.parametrize("row", [{}, {"wind": None, "sky": None}, {"rain": -5.0}, {"wind": 0.1}])
def test_missing_values_and_bounds_are_within(row: dict[str, object]) -> None:
    intake = Intake(REFUSING)
    rows = intake.rows([USUAL | row])
    assert intake.one([USUAL | row]) == intake.one(rows) == rows.tobytes()
