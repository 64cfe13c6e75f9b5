"""Categories: a value is compared as text, and what is not listed so is compared as a number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_shared.categories import Categories
from fleetloop_shared.manifest import OTHER

listed = st.text(max_size=5).map(str.strip).filter(bool) | st.integers().map(str)
lists = st.lists(listed, unique=True, min_size=1, max_size=9)


@given(lists)
def test_every_text_is_its_own_place(categories: list[str]) -> None:
    known = Categories(categories)
    assert [known.place(text) for text in categories] == list(range(len(known)))
    assert [known.place(f"\t{text} ") for text in categories] == list(range(len(known)))


@given(lists, st.text() | st.floats() | st.integers())
def test_any_value_is_a_place_other_or_missing(categories: list[str], value: str | float) -> None:
    place = Categories(categories).place(value)
    missing = value != value or (isinstance(value, str) and not value.strip())  # noqa: PLR0124
    assert math.isnan(place) == missing
    assert missing or place == OTHER or place in range(len(categories))


@given(lists, st.integers(1 - 2**53, 2**53 - 1))
def test_a_number_is_the_same_however_it_is_written(categories: list[str], number: int) -> None:
    known = Categories(categories)
    written = [str(number), f"{number}.0", f" {number}.00"]
    assert len({known.place(text) for text in written if text not in categories}) <= 1
    assert known.place(number) == known.place(float(number)) == known.place(str(number))


@pytest.mark.parametrize(
    ("categories", "value", "place"),
    [
        (["1", "2"], 2, 1),
        (["1", "2"], 2.0, 1),
        (["1", "2"], "2.0", 1),
        (["1.0", "2.5"], 1, 0),
        (["1.0", "2.5"], 2.5, 1),
        (["02139", "-3"], 2139, 0),
        (["02139", "-3"], -3.0, 1),
        (["01", "1"], 1, 1),
        (["01", "1"], "01", 0),
        (["01", "001"], 1, 0),
        (["1"], " 1", 0),
        (["1_0", "inf", "nan"], 10, OTHER),
        (["1_0", "inf", "nan"], "nan", 2),
        (["1_0", "inf", "nan"], math.inf, 1),
        (["9007199254740993"], 9007199254740993, 0),
        (["9007199254740993"], 9007199254740992.0, OTHER),
        (["a"], "A", OTHER),
    ],
)
def test_a_value_is_compared_as_text_and_then_as_a_number(
    categories: list[str], value: str | float, place: float
) -> None:
    assert Categories(categories).place(value) == place


def test_a_number_too_long_to_be_written_is_other() -> None:
    assert Categories(["1"]).place(10**5000) == OTHER


def test_nothing_is_missing() -> None:
    assert math.isnan(Categories(["a"]).place(None))
