"""Filters, the parts of topics, and whether an answer could be taken for a row."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_agent.topic_pattern import TopicFilter, TopicPattern

LEVEL = st.text("ab", max_size=2)


@pytest.mark.parametrize(
    ("filter_", "topic", "parts"),
    [
        ("sensors/+/reading", "sensors/pump-3/reading", ["pump-3"]),
        ("sensors/+/reading", "sensors//reading", [""]),
        ("sensors/+/reading", "sensors/pump-3/state", None),
        ("sensors/+/reading", "sensors/a/b/reading", None),
        ("+/+", "a/b", ["a", "b"]),
        ("+", "$SYS", None),
        ("site/+/#", "site/north/pump/3", ["north"]),
        ("site/#", "site", []),
        ("#", "a/b/c", []),
        ("plain", "plain", []),
        ("plain", "plain/more", None),
    ],
)
def test_the_parts_of_a_topic(filter_: str, topic: str, parts: list[str] | None) -> None:
    assert TopicFilter(filter_).parts(topic) == parts


@pytest.mark.parametrize("text", ["", "a/b+", "a/#/b", "#a", "$SYS/#", "a\0b", "x" * 70_000])
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"topic|broker"):
        TopicFilter(text)


@pytest.mark.parametrize("text", ["", "a/+", "a/#", "$SYS/x", "a/{}", "a/{x}", "a/{0}{1}", "a}"])
def test_what_is_no_pattern_of_one_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"topic|part"):
        TopicPattern(text, 1)


@pytest.mark.parametrize(
    ("pattern", "filter_", "meets"),
    [
        ("predictions/{0}", "sensors/+/reading", False),
        ("sensors/{0}/reading", "sensors/+/reading", True),
        ("sensors/{0}/answer", "sensors/+/reading", False),
        ("sensors/{0}/answer", "sensors/#", True),
        ("{0}/answer", "sensors/+", True),
        ("x{0}/answer", "sensors/+", False),
        ("s{0}s/answer", "sensors/+", True),
        ("anything", "#", True),
        ("sensors", "sensors/#", True),
    ],
)
def test_an_answer_that_could_be_a_row_is_noticed(pattern: str, filter_: str, meets: bool) -> None:  # noqa: FBT001  # a case's field
    assert TopicPattern(pattern, 1).may_meet(TopicFilter(filter_)) is meets


@given(
    st.lists(st.sampled_from(["a", "b", "+"]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["a", "{0}", "a{0}", "{0}b"]), min_size=1, max_size=3),
    LEVEL,
)
def test_whatever_the_part_is_no_topic_meets_a_filter_that_was_cleared(
    wanted: list[str], levels: list[str], part: str
) -> None:
    rows, pattern = TopicFilter("/".join(wanted)), TopicPattern("/".join(levels), 1)
    if rows.parts(pattern.at([part])) is not None:
        assert pattern.may_meet(rows)


def test_parts_are_filled_in_as_they_are() -> None:
    odd = r"\1 {1} $&"
    assert TopicPattern("out/{0}/{1}", 2).at([odd, "x"]) == f"out/{odd}/x"
    assert re.escape(odd) != odd, "it would be another text as an expression"
