"""Outputs are read alike one row at a time and many at once, ties and thresholds included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_shared.answers import Rule
from fleetloop_shared.manifest import NO_CLASS, REGRESSION, Signature

COLUMNS = 3
outputs = st.lists(
    st.lists(
        st.sampled_from([0.0, 0.25, 0.5, 0.5000001, 1.0, -7.5]),
        min_size=COLUMNS,
        max_size=COLUMNS,
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("positive", [NO_CLASS, 0, 2])
@given(outputs)
def test_one_row_is_read_as_many_are(positive: int, rows: list[list[float]]) -> None:
    rule = Rule(
        Signature(
            input_name="x",
            score_name="y",
            features=[],
            classes=[4, 9, 2],
            positive=positive,
            decision_threshold=0.5,
        )
    )
    array = np.array(rows, np.float32)
    scores, labels = rule.answer(array)
    assert scores.tolist() == rule.scores(array).tolist()
    assert [rule.one(row) for row in array.tolist()] == list(
        zip(scores.tolist(), labels.tolist(), strict=True)
    )


def test_the_output_of_a_regression_is_score_and_answer() -> None:
    signature = Signature(
        input_name="x",
        score_name="y",
        features=[],
        classes=[],
        positive=NO_CLASS,
        decision_threshold=0.0,
        task=REGRESSION,
    )
    assert Rule(signature).one([2.5]) == (2.5, 2.5)
