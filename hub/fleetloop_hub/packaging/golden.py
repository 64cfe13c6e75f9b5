"""Picks the rows with which a device proves that its runtime computes what the hub's does."""

import math
from collections.abc import Sequence

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

    That is a row with missing values (if no row lacks one, a copy of the first without its every
    second one), and for each category a row in which it is none of those that the model knows.

    Args:
        artifact: Answers them.
        form: Its inputs and outputs.
        rows: To choose from.
    """
    scores, answers = Rule(form).answer(artifact.outputs(rows))
    order = np.lexsort((scores, answers))
    picks = order[np.linspace(0, len(order) - 1, min(_ROWS, len(order))).round().astype(int)]
    chosen = rows[picks]
    chosen = np.concatenate([chosen, _incomplete(rows, chosen[0]), *_unseen(form, chosen)])
    outputs = artifact.outputs(chosen)
    return Golden(
        inputs=[[None if math.isnan(v) else v for v in row] for row in chosen.tolist()],
        outputs=outputs.tolist(),
        tolerance=max(
            _TOLERANCE * (form.score_high - form.score_low),
            _ROUNDING * float(np.abs(outputs).max()),
        ),
    )


def _incomplete(rows: Rows, first: Rows) -> Rows:
    incomplete = rows[np.isnan(rows).any(axis=1)][:1]
    if not len(incomplete):
        incomplete = first[None].copy()
        incomplete[:, ::2] = np.nan
    return incomplete


def _unseen(form: Signature, chosen: Rows) -> Sequence[Rows]:
    unseen: list[Rows] = []
    for place, feature in enumerate(form.features):
        if feature.categories:
            row = chosen[len(unseen) % len(chosen)][None].copy()
            row[:, place] = OTHER
            unseen.append(row)
    return unseen
