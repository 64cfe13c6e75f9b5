"""Label queries: what they mean, and that nobody can make one that hurts its reader."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_shared.errors import QueryError
from fleetloop_shared.label_query import DEEPEST, LONGEST, MOST_TEXTS, known, parse

ROOF = known("s-1", "pi3", {"site": "roof", "floor": "2"})


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("", True),
        ('site = "roof"', True),
        ("site = 'yard'", False),
        ('site != "yard"', True),
        ('hardware = "pi3" and device = "s-1"', True),
        ('site = "yard" or floor = "2"', True),
        ('site = "yard" and floor = "2" or floor = "2"', True),
        ('site = "yard" and (floor = "2" or floor = "2")', False),
        ('not site = "yard"', True),
        ('not not site = "yard"', False),
        ('site in ("yard", "roof")', True),
        ('site not in ("yard", "roof")', False),
        ('nobody-has-it = ""', True),
        ('nobody-has-it in ("a")', False),
    ],
)
def test_a_query_asks_of_labels_what_it_says(query: str, *, matches: bool) -> None:
    assert parse(query)(ROOF) is matches


def test_no_label_takes_the_place_of_name_and_hardware() -> None:
    assert known("s-1", "pi3", {"hardware": "x86", "device": "s-2"}) == known("s-1", "pi3", {})


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("site", "=, != or in after site is expected at character 5, where it ends"),
        ("site = roof", "a text in quotes is expected at character 8, not roof"),
        ('site == "roof"', "a text in quotes"),
        ('site = "roof', "character 8"),
        ('site in "roof"', r"\( is expected"),
        ('(site = "roof"', r"\) is expected"),
        ('site = "roof" floor = "2"', "and or or is expected at character 15"),
        ('and = "roof"', "the name of a label"),
        ("Site = 'roof'", "character 1"),
        ("not", "the name of a label"),
        ("not " * (DEEPEST + 2) + "a = 'b'", "deeper"),
        ("a in (" + ",".join(["''"] * (MOST_TEXTS + 1)) + ")", "more than"),
        ("a" * (LONGEST + 1), "characters"),
    ],
)
def test_what_is_no_query_is_refused_with_the_place(query: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        parse(query)


@settings(max_examples=60)
@given(st.text("ab =!()'\",notiandr", max_size=40))
def test_any_text_is_a_query_for_every_device_or_refused(text: str) -> None:
    try:
        query = parse(text)
    except QueryError:
        return
    assert query({"a": "b"}) in {True, False}
    assert query({}) in {True, False}
