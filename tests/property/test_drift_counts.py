"""Bins count every value of every kind exactly once, in the bin that its definition names."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fleetloop_shared.drift.anderson_darling import anderson_darling
from fleetloop_shared.drift.bins import Bins, count_scores
from fleetloop_shared.drift.rare_bins import RareBins, rare_bins
from fleetloop_shared.drift.triangular import triangular_discrimination
from fleetloop_shared.profile import SCORE_BINS

Rows = npt.NDArray[np.float32]

any_float = st.floats(width=32)
finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
some = st.lists(finite, max_size=6, unique=True).map(sorted)
many = st.integers(30, 66).map(lambda places: [place - 0.5 for place in range(places)])
edge_lists = st.lists(some | many, min_size=1, max_size=4)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[float]], Rows]:
    edges = draw(edge_lists)
    on_edges = st.sampled_from([e for row in edges for e in row] or [0.0])
    shape = (len(edges), draw(st.integers(0, 40)))
    return edges, draw(hnp.arrays(np.float32, shape, elements=any_float | on_edges))


def one_by_one(edges: list[float], values: Rows) -> tuple[list[int], int]:
    counts, missing = [0] * (len(edges) + 1), 0
    for value in values.tolist():
        if np.isnan(value):
            missing += 1
        else:
            counts[sum(value >= edge for edge in edges)] += 1
    return counts, missing


@given(cases())
def test_counts_are_those_of_counting_one_by_one(case: tuple[list[list[float]], Rows]) -> None:
    edges, columns = case
    bins = Bins(edges)
    counts, missing = bins.strip(bins.count(columns))
    expected = [one_by_one(e, column) for e, column in zip(edges, columns, strict=True)]
    assert counts == [c for c, _ in expected]
    assert missing == [m for _, m in expected]
    assert bins.fill(counts, missing).tolist() == bins.count(columns).tolist()


@given(cases(), st.data())
def test_counts_of_parts_add_up_and_order_does_not_matter(
    case: tuple[list[list[float]], Rows], data: st.DataObject
) -> None:
    edges, columns = case
    bins = Bins(edges)
    order = data.draw(st.permutations(range(columns.shape[1])))
    cut = data.draw(st.integers(0, columns.shape[1]))
    parts = bins.count(columns[:, order[:cut]]) + bins.count(columns[:, order[cut:]])
    assert (parts == bins.count(columns)).all()


def test_more_rows_than_a_lane_can_hold_are_counted() -> None:
    columns = np.full((2, 10_001), 1.0, np.float32)
    assert Bins([[0.5], []]).count(columns).tolist() == [[0, 10_001, 0], [10_001, 0, 0]]


@given(st.lists(st.floats(), max_size=50).map(lambda x: [s for s in x if not np.isnan(s)]))
def test_every_score_has_a_bin(scores: list[float]) -> None:
    counts = count_scores(np.array(scores))
    assert counts.sum() == len(scores)
    assert len(counts) == SCORE_BINS


@given(
    hnp.arrays(np.int64, (2, 7), elements=st.integers(0, 1_000)),
    st.permutations(range(7)),
)
def test_distances_are_finite_bounded_and_symmetric(
    counts: npt.NDArray[np.int64], order: list[int]
) -> None:
    reference, window = counts
    triangular = float(triangular_discrimination(reference, window))
    assert 0 <= triangular <= 2 + 1e-12  # shares are rounded, so their sum may be
    assert abs(triangular - triangular_discrimination(reference[order], window[order])) < 1e-9
    order_based = float(anderson_darling(reference, window))
    assert np.isfinite(order_based)
    assert order_based >= 0
    assert abs(order_based - anderson_darling(reference[::-1], window[::-1])) < 1e-6 * (
        1 + order_based
    )


@given(
    hnp.arrays(np.int64, (3, 5), elements=st.sampled_from([0, 1, 3, 100, 5_000])),
    st.lists(st.integers(0, 400), min_size=4, max_size=4),
)
def test_a_prepared_reference_gives_the_same_deviance(
    reference: npt.NDArray[np.int64], rows: list[int]
) -> None:
    random = np.random.default_rng(0)
    window = np.array([[random.multinomial(m, np.ones(5) / 5) for _ in range(3)] for m in rows])
    apart = rare_bins(reference, window)
    np.testing.assert_allclose(RareBins(reference)(window), apart, atol=1e-7)
