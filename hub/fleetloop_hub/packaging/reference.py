"""Describes the training rows as devices will compare with them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.bins import Bins, count_scores
from fleetloop_shared.drift.moments import correlations, scales, standardise
from fleetloop_shared.manifest import Feature
from fleetloop_shared.profile import ReferenceFeature, ReferenceProfile

Rows = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

BINS = 16
"""Bins of a continuous feature, each with the same share of the reference; missing is one more."""

OWN_BINS = 64
"""Categories that can have a bin each."""


def build_reference(features: Sequence[Feature], rows: Rows, scores: Scores) -> ReferenceProfile:
    """The profile of the rows that a model was made from.

    Args:
        features: In the order of the columns.
        rows: Values, NaN where missing, shape (rows, features).
        scores: What the packaged model says about these rows, 0 to 1 (see `scaled_scores`).

    Raises:
        ValueError: No rows, or rows, features and scores do not fit together.
    """
    if rows.shape != (len(scores), len(features)) or not len(rows):
        raise ValueError(
            f"{len(features)} features, rows of shape {rows.shape} and {len(scores)} scores: "
            "give one feature a column, one score a row, and at least one row"
        )
    edges = [_edges(f, column) for f, column in zip(features, rows.T, strict=True)]
    bins = Bins(edges)
    counts, missing = bins.strip(bins.count(rows.T))
    numbers = np.array([not f.categories for f in features])
    mean, sd = _moments(np.where(numbers, rows, np.nan))
    described = [
        ReferenceFeature(
            name=feature.name,
            edges=edges[k],
            counts=counts[k],
            missing=missing[k],
            mean=float(mean[k]),
            sd=float(sd[k]),
            category=bool(feature.categories),
        )
        for k, feature in enumerate(features)
    ]
    u = standardise(rows, *scales(described))
    return ReferenceProfile(
        rows=len(rows),
        features=described,
        correlations=correlations(len(u), u.sum(axis=0), u.T @ u).tolist(),
        score_counts=count_scores(scores).tolist(),
    )


def _edges(feature: Feature, column: Rows) -> list[float]:
    if feature.categories:
        return category_edges(len(feature.categories), column)
    return inner_edges(column)


def category_edges(categories: int, column: Rows) -> list[float]:
    """Bin edges for a category: half-way between its places, the first bin being that of `OTHER`.

    Up to 64 categories have a bin each. Of more, the 32 commonest have (the earlier of two that are
    equally common), and all that lie between two of those share one: 65 bins at most, all told.

    Args:
        categories: How many there are.
        column: Their places in the rows of training, NaN where missing.

    Examples:
        >>> category_edges(3, np.array([0, 2, 2], np.float32))
        [-0.5, 0.5, 1.5]
    """
    alone = np.arange(categories)
    if categories > OWN_BINS:
        known = column[column >= 0].astype(np.int64)
        seen = np.bincount(known, minlength=categories)
        alone = np.argsort(-seen, kind="stable")[: OWN_BINS // 2]
    edges = np.union1d(np.concatenate([alone - 0.5, alone + 0.5]), [-0.5])
    return [float(e) for e in edges if e < categories - 1]


def inner_edges(column: Rows) -> list[float]:
    """Bin edges for one feature, ascending, exact float32 values, 15 at most.

    Quantiles of the values, so that every bin holds about the same number of rows. A value that
    many rows share, and each value of a feature with up to seven of them, gets a bin of its own:
    so that a new value falls into a bin that was empty.
    """
    values = np.sort(column[np.isfinite(column)])
    if not len(values):
        return []
    distinct = np.unique(values)
    if 2 * len(distinct) < BINS:
        edges, alone = distinct, distinct
    else:
        picks = values[np.arange(1, BINS) * len(values) // BINS]
        edges, often = np.unique(picks, return_counts=True)
        alone = edges[often > 1]
    with np.errstate(over="ignore"):
        above = np.nextafter(alone, np.float32(np.inf))
    return [float(e) for e in np.union1d(edges, above[np.isfinite(above)])]


def _moments(rows: Rows) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation a feature over its finite values; 0 and 1 where there are none.

    A feature that does not vary has a standard deviation of 1 as well: distances from it are then
    in the feature's own unit.
    """
    finite = np.isfinite(rows)
    values = np.where(finite, rows, 0.0).astype(np.float64)
    present = np.maximum(finite.sum(axis=0), 1)
    mean = values.sum(axis=0) / present
    sd = np.sqrt((np.where(finite, values - mean, 0.0) ** 2).sum(axis=0) / present)
    return mean, np.where(sd > 1e-12 * np.abs(mean), sd, 1.0)
