"""Picks the rows with which a device proves that its runtime computes what the hub's does."""

import math

import numpy as np

from fleetloop_hub.packaging.artifact import Artifact, Rows
from fleetloop_shared.answers import Rule
from fleetloop_shared.manifest import OTHER, Golden, Signature

_ROWS = 24
_TOLERANCE = 1e-4
"""Of the score's range. The arithmetic is float32; other processors add up in another order, no
more."""

_ROUNDING = 1e-6
"""Of the largest output: some ten steps of float32."""


def golden(artifact: Artifact, form: Signature, rows: Rows) -> Golden:
    """Real rows of every answer across the whole range of its scores, and what devices meet later.

    That is each value missing in one of two more rows, and categories that the model does not know.

    Args:
        artifact: Answers them.
        form: Its inputs and outputs.
        rows: To choose from.
    """
    scores, answers = Rule(form).answer(artifact.outputs(rows))
    order = np.lexsort((scores, answers))
    picks = order[np.linspace(0, len(order) - 1, min(_ROWS, len(order))).round().astype(int)]
    chosen = rows[picks]
    chosen = np.concatenate([chosen, _odd(form, chosen[0])])
    outputs = artifact.outputs(chosen)
    return Golden(
        inputs=[[None if math.isnan(v) else v for v in row] for row in chosen.tolist()],
        outputs=outputs.tolist(),
        tolerance=max(
            _TOLERANCE * (form.score_high - form.score_low),
            _ROUNDING * float(np.abs(outputs).max()),
        ),
    )


def _odd(form: Signature, row: Rows) -> Rows:
    """Copies of a row: without its even and its odd values, and with no category that is listed."""
    places = np.arange(len(form.features))
    copies = [np.where(places % 2 == part, np.float32(np.nan), row) for part in (0, 1)]
    categories = np.array([bool(f.categories) for f in form.features])
    if categories.any():
        copies.append(np.where(categories, np.float32(OTHER), row))
    return np.array(copies, np.float32)
