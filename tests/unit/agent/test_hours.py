"""The hours in which a model may be changed: what a person may write, and when it opens."""

import pytest

from fleetloop_agent.hours import Hours

MONDAY = 1_699_833_600.0  # 2023-11-13 00:00 UTC
HOUR_S, DAY_S = 3600.0, 86_400.0


@pytest.mark.parametrize(
    ("written", "at_h", "opens_in_h"),
    [
        ("02:00-05:00", 1, 1),
        ("02:00-05:00", 2, 0),
        ("02:00-05:00", 4.99, 0),
        ("02:00-05:00", 5, 21),
        ("22:00-04:00", 23, 0),
        ("22:00-04:00", 3, 0),
        ("22:00-04:00", 4, 18),
        ("sun 22:00-04:00", 3, 0),
        ("sun 22:00-04:00", 27, 6 * 24 - 5),
        ("Sat,Sun 0:00 - 24:00", 0, 5 * 24),
        ("fri-mon 00:00-24:00", 24, 3 * 24),
        (["tue 01:00-02:00", "mon 05:00-06:00"], 3, 2),
    ],
)
def test_when_it_opens(written: object, at_h: float, opens_in_h: float) -> None:
    at = MONDAY + at_h * HOUR_S
    assert Hours.parse(written).opens_in_s(at, 0.0) == pytest.approx(opens_in_h * HOUR_S)
    assert Hours.parse(written).opens_in_s(at - HOUR_S, HOUR_S) == pytest.approx(
        opens_in_h * HOUR_S
    )


def test_without_hours_it_is_always_open() -> None:
    assert Hours().opens_in_s(MONDAY, 0.0) == 0.0


@pytest.mark.parametrize(
    "written",
    ["", "2-5", "02:00", "25:00-26:00", "24:00-05:00", "02:00-24:30", "03:00-03:00", 7, [], [2],
     "monday 02:00-05:00", "xyz 02:00-05:00", "mon-xyz 02:00-05:00", "02:60-05:00"],
)  # fmt: skip
def test_what_names_no_hours_shows_what_does(written: object) -> None:
    with pytest.raises(ValueError, match=r'"02:00-05:00"|mon, tue'):
        Hours.parse(written)


def test_hours_that_open_at_the_same_times_are_equal() -> None:
    assert Hours.parse("mon 1:00-2:00") == Hours.parse(["mon 01:00-02:00"])
    assert hash(Hours()) == hash(Hours())
    assert Hours() != "always"
