"""A category is the same number in a table at the hub and in a row on a device."""

import math

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_agent.serving.intake import Intake
from fleetloop_hub.data.columns import places, texts
from fleetloop_shared.manifest import Feature, Signature

LISTED = ["red", "1", "02", "3.0", "2.5", "true", "false", "Ünder", "1e3", "-4"]

words = st.sampled_from([*LISTED, "Red", " red ", "1.0", "2", "3", "", "  ", "nan", "1_0", "1000"])
numbers = st.sampled_from([1, 1.0, 2, 3, 2.5, 1000, -4, -4.0, 0, 10, 1e300, math.nan, math.inf])

INTAKE = Intake(
    Signature(
        input_name="x",
        score_name="y",
        features=[Feature(name="sky", categories=LISTED)],
        classes=[0, 1],
        positive=1,
        decision_threshold=0.5,
    )
)


def at_the_hub(column: pa.Array) -> list[float]:
    found: list[float] = places(texts(pa.chunked_array([column])), LISTED).tolist()
    return found


def on_a_device(values: list[object]) -> list[float]:
    return [float(x) for x in INTAKE.rows([{"sky": value} for value in values])[:, 0]]


def same(values: list[object], kind: pa.DataType) -> bool:
    hub, device = at_the_hub(pa.array(values, kind)), on_a_device(values)
    return all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(hub, device, strict=True)
    )


@given(st.lists(words | st.text(max_size=4) | st.none(), min_size=1, max_size=8))
def test_texts(values: list[object]) -> None:
    assert same(values, pa.string())


@given(st.lists(numbers | st.floats() | st.none(), min_size=1, max_size=8))
def test_numbers(values: list[object]) -> None:
    assert same(values, pa.float64())


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5), min_size=1, max_size=8))
def test_whole_numbers(values: list[object]) -> None:
    assert same(values, pa.int64())


@given(st.lists(st.booleans() | st.none(), min_size=1, max_size=4))
def test_yes_and_no(values: list[object]) -> None:
    assert same(values, pa.bool_())
