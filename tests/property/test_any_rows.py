"""Whatever a program gives as rows is answered or refused in words, counted, and does no harm."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_dtypes, array_shapes, arrays, scalar_dtypes

from fleetloop_agent.errors import InputError, ModelError
from support import kinds

GOOD = [{"heat": 1.0, "colour": "red", "size": "2"}]
HUGE_ROWS = 100_000

words = st.text(max_size=5) | st.sampled_from(["red", "2", "10.0", " blue ", "nan", "\udc80"])
numbers = st.floats() | st.integers() | st.integers(min_value=2**1024) | st.booleans()
scalars = st.none() | numbers | words | st.binary(max_size=3)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(words, scalars, max_size=2)
names = st.sampled_from(["heat", "colour", "size"])
rows = (
    st.fixed_dictionaries({"heat": values, "colour": values, "size": values})
    | st.dictionaries(names | words | st.integers(), values, max_size=4)
    | values
)
dtypes = scalar_dtypes() | array_dtypes(max_size=2)
whatever = (
    st.lists(rows, max_size=3)
    | st.lists(rows, max_size=2).map(tuple)
    | arrays(dtypes, array_shapes(max_dims=3, min_side=0, max_side=4))
    | arrays(np.float32, st.sampled_from([(1, 3), (2, 3)]))
    | arrays(np.float64, st.sampled_from([(1, 3), (2, 3)]))
    | values
    | rows
)


served = cache(kinds.predictor)


@pytest.mark.parametrize("kind", ["two classes", "regression"])
@settings(deadline=None)
@given(given=st.data())
def test_whatever_is_given_is_answered_or_refused_and_counted(kind: str, given: Any) -> None:  # noqa: ANN401  # hypothesis's own type
    made, what = served(kind), given.draw(whatever)
    expected = made.predict(GOOD)[0].score
    made.collect()
    told = ""
    try:
        answers = made.predict(what)
    except (InputError, ModelError) as error:
        answers, told = [], str(error)
    else:
        assert len(answers) == len(what)
        assert all(math.isfinite(answer.score) for answer in answers)
    counters = made.collect().counters
    assert counters.rows == len(answers)
    if not answers:
        assert 0 < len(told) < 1_000
        given_rows = len(what) if isinstance(what, Sequence | np.ndarray | dict) else 1
        assert counters.refused + counters.errors == given_rows
    assert made.predict(GOOD)[0].score == expected


def test_an_enormous_call_is_answered_like_its_parts() -> None:
    made = kinds.predictor("two classes")
    enormous = np.resize(kinds.rows(1_000), (HUGE_ROWS, 3))
    answered = made.answer(enormous)
    assert len(answered) == HUGE_ROWS
    assert answered.scores[:1_000].tolist() == made.answer(kinds.rows(1_000)).scores.tolist()
    assert made.collect().counters.rows == HUGE_ROWS + 1_000
