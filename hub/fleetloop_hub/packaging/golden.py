"""Picks the rows with which a device proves that its runtime computes what the hub's does."""

import math

import numpy as np

from fleetloop_hub.packaging.artifact import Artifact, Rows
from fleetloop_shared.manifest import Golden

_ROWS = 24
_TOLERANCE = 1e-4
"""Of a score. The arithmetic is float32; other processors add up in another order, no more."""


def golden(artifact: Artifact, rows: Rows) -> Golden:
    """Real rows across the whole range of scores, one of them with missing values.

    If no row lacks a value, a copy of the first is asked again without its every second one.
    """
    order = np.argsort(artifact.scores(rows), kind="stable")
    picks = order[np.linspace(0, len(order) - 1, min(_ROWS, len(order))).round().astype(int)]
    chosen = rows[picks]
    incomplete = rows[np.isnan(rows).any(axis=1)][:1]
    if not len(incomplete):
        incomplete = chosen[:1].copy()
        incomplete[:, ::2] = np.nan
    chosen = np.concatenate([chosen, incomplete])
    return Golden(
        inputs=[[None if math.isnan(v) else v for v in row] for row in chosen.tolist()],
        scores=artifact.scores(chosen).tolist(),
        tolerance=_TOLERANCE,
    )
