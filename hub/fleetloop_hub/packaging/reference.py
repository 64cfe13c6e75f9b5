"""Describes the training rows as devices will compare with them."""

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.bins import Bins, count_scores
from fleetloop_shared.drift.moments import correlations, standardise
from fleetloop_shared.profile import ReferenceFeature, ReferenceProfile

Rows = npt.NDArray[np.float32]
Scores = npt.NDArray[np.floating]

BINS = 16
"""Bins of a continuous feature, each with the same share of the reference; missing is one more."""


def build_reference(names: list[str], rows: Rows, scores: Scores) -> ReferenceProfile:
    """The profile of the rows that a model was made from.

    Args:
        names: The features, in the order of the columns.
        rows: Values, NaN where missing, shape (rows, features).
        scores: What the packaged model says about these rows, 0 to 1.

    Raises:
        ValueError: No rows, or rows, names and scores do not fit together.
    """
    if rows.shape != (len(scores), len(names)) or not len(rows):
        raise ValueError(
            f"{len(names)} names, rows of shape {rows.shape} and {len(scores)} scores: "
            "give one name a column, one score a row, and at least one row"
        )
    edges = [inner_edges(column) for column in rows.T]
    bins = Bins(edges)
    counts, missing = bins.strip(bins.count(rows.T))
    mean, sd = _moments(rows)
    u = standardise(rows, mean, sd)
    return ReferenceProfile(
        rows=len(rows),
        features=[
            ReferenceFeature(
                name=name,
                edges=edges[k],
                counts=counts[k],
                missing=missing[k],
                mean=float(mean[k]),
                sd=float(sd[k]),
            )
            for k, name in enumerate(names)
        ],
        correlations=correlations(len(u), u.sum(axis=0), u.T @ u).tolist(),
        score_counts=count_scores(scores).tolist(),
    )


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
