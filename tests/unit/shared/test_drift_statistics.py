"""The statistics against SciPy's, and what they do at the edges."""

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from fleetloop_shared.drift.anderson_darling import anderson_darling
from fleetloop_shared.drift.fisher_z import fisher_z
from fleetloop_shared.drift.jensen_shannon import jensen_shannon
from fleetloop_shared.drift.moments import correlations, standardise
from fleetloop_shared.drift.psi import population_stability_index
from fleetloop_shared.drift.triangular import triangular_discrimination

Counts = npt.NDArray[np.int64]
Statistic = Callable[[Counts, Counts], npt.NDArray[np.float64]]

SHARE_BASED: list[Statistic] = [
    anderson_darling,
    triangular_discrimination,
    population_stability_index,
    jensen_shannon,
]


def some_counts(seed: int) -> tuple[Counts, Counts]:
    random = np.random.default_rng(seed)
    reference, window = random.integers(0, 60, 9), random.integers(0, 12, 9)
    reference[3] = window[5] = 0
    return reference, window


def scipy_anderson(*counts: Counts) -> float:
    """SciPy's statistic: less its mean without drift, 1, by a scale that depends on sizes only."""
    samples = [np.repeat(np.arange(len(c)), c) for c in counts]
    with warnings.catch_warnings(action="ignore"):  # about the p-value, which nobody asks
        return float(stats.anderson_ksamp(samples, variant="midrank").statistic)


def test_anderson_darling_is_the_k_sample_statistic_of_the_rows_in_the_bins() -> None:
    random = np.random.default_rng(0)
    reference = random.multinomial(300, np.ones(9) / 9)
    scales = []
    for drift in range(6):
        weights = 1 + drift * np.arange(9)
        window = random.multinomial(60, weights / weights.sum())
        ours = float(anderson_darling(reference, window))
        scales.append((ours - 1) / scipy_anderson(reference, window))
    assert scales == pytest.approx([scales[0]] * 6)


def test_jensen_shannon_is_the_distance_of_scipy() -> None:
    reference, window = some_counts(1)
    assert jensen_shannon(reference, window) == pytest.approx(
        jensenshannon(reference / reference.sum(), window / window.sum(), base=2)
    )


def test_triangular_discrimination_is_two_sample_chi_squared_up_to_a_factor() -> None:
    reference = np.array([30, 50, 20, 100])
    window = np.array([60, 40, 60, 40])
    table = stats.chi2_contingency(np.array([reference, window]))
    assert triangular_discrimination(reference, window) == pytest.approx(table.statistic / 200)


def test_fisher_z_is_the_standard_test_of_two_correlations() -> None:
    z = fisher_z(np.array([0.3]), np.array([0.6]), 103, 53)
    assert z == pytest.approx((np.arctanh(0.6) - np.arctanh(0.3)) / np.sqrt(1 / 100 + 1 / 50))


def test_correlations_are_those_of_numpy() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 4))
    rows[:, 1] += rows[:, 0]
    found = correlations(200, rows.sum(axis=0), rows.T @ rows)
    assert found == pytest.approx(np.array(np.corrcoef(rows.T))[np.triu_indices(4, 1)])


@pytest.mark.parametrize("statistic", SHARE_BASED)
def test_equal_shares_are_no_distance(statistic: Statistic) -> None:
    counts = np.array([[100, 0, 300, 50]])
    assert statistic(counts * 4, counts) == pytest.approx([0.0], abs=1e-4)


@pytest.mark.parametrize("statistic", SHARE_BASED)
def test_an_empty_side_is_no_distance_and_no_warning(statistic: Statistic) -> None:
    counts, nothing = np.array([[5, 0, 3]]), np.zeros((1, 3), np.int64)
    for pair in ((counts, nothing), (nothing, counts), (nothing, nothing)):
        assert statistic(*pair).tolist() == [0.0]


@pytest.mark.parametrize("statistic", SHARE_BASED)
def test_bins_that_only_fill_up_change_nothing(statistic: Statistic) -> None:
    reference, window = some_counts(2)
    padded = [np.concatenate([c, np.zeros(4, np.int64)]) for c in (reference, window)]
    assert statistic(*padded) == pytest.approx(statistic(reference, window))


@pytest.mark.parametrize("statistic", SHARE_BASED)
def test_many_features_at_once_are_each_one_alone(statistic: Statistic) -> None:
    pairs = [some_counts(seed) for seed in range(4)]
    together = statistic(np.array([r for r, _ in pairs]), np.array([w for _, w in pairs]))
    assert together.tolist() == pytest.approx([float(statistic(r, w)) for r, w in pairs])


@pytest.mark.parametrize("statistic", SHARE_BASED)
def test_everything_in_one_bin_is_no_distance(statistic: Statistic) -> None:
    assert statistic(np.array([0, 9, 0]), np.array([0, 4, 0])) == pytest.approx(0.0)


def test_anderson_darling_knows_the_order_of_bins_and_triangular_does_not() -> None:
    reference = np.full(8, 100)
    moved, scattered = np.arange(2, 18, 2), np.array([2, 16, 4, 14, 6, 12, 8, 10])
    assert anderson_darling(reference, moved) > 3 * anderson_darling(reference, scattered)
    assert triangular_discrimination(reference, moved) == pytest.approx(
        triangular_discrimination(reference, scattered)
    )


def test_infinite_and_missing_values_do_not_poison_moments() -> None:
    rows = np.array([[1.0, np.inf], [np.nan, -np.inf], [3.0, 5.0]], np.float32)
    u = standardise(rows, np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    assert u.tolist() == [[0.0, 8.0], [0.0, -8.0], [1.0, 2.0]]


def test_a_feature_that_stands_still_has_no_correlation() -> None:
    u = np.array([[1.0, 0.1], [2.0, 0.1], [4.0, 0.1]])
    assert correlations(3, u.sum(axis=0), u.T @ u).tolist() == [0.0]
