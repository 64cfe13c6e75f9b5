"""Answers of several versions on one scale, so that one metric can be taken of all of them."""

import numpy as np
import numpy.typing as npt

from fleetloop_shared.manifest import NO_CLASS, Signature

Outputs = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

_LEAST = 1e-12


def levelled(outputs: Outputs, own: Signature, common: Signature) -> Outputs:
    """The outputs of one version as another's signature reads them: the same answers come of them.

    A version may answer yes from 0.2, another from 0.4. The score is stretched so that its own
    threshold lies where the common one is: the order of a version's scores and all its answers
    stay. A class that a version does not know has the probability 0.

    Args:
        outputs: Shape (rows, classes), or (rows, 1) of a regression.
        own: Of the version that has answered.
        common: What all are read by.

    Examples:
        >>> from msgspec.structs import replace
        >>> common = Signature(input_name="x", score_name="y", features=[], classes=[0, 1],
        ...                    positive=1, decision_threshold=0.5)
        >>> own = replace(common, decision_threshold=0.25)
        >>> levelled(np.array([[0.75, 0.25], [0.9, 0.1]], np.float32), own, common)[:, 1].tolist()
        [0.5, 0.20000000298023224]
    """
    if not common.classes:
        return outputs
    if own.classes != common.classes:
        known = {label: k for k, label in enumerate(own.classes)}
        none = np.zeros(len(outputs), np.float32)
        columns = [outputs[:, known[c]] if c in known else none for c in common.classes]
        outputs = np.column_stack(columns)
    if common.positive == NO_CLASS:
        return outputs
    score = outputs[:, common.positive].astype(np.float64)
    stretched = _stretched(score, own.decision_threshold, common.decision_threshold)
    rest = (1 - stretched) / np.maximum(1 - score, _LEAST)
    found = (outputs * rest[:, None]).astype(np.float32)
    found[:, common.positive] = stretched
    return found


def _stretched(score: Scores, mine: float, theirs: float) -> Scores:
    """Yes stays yes and no stays no, also once the score is rounded to a float32."""
    below = score * (theirs / mine) if mine > 0 else score
    above = 1 - (1 - score) * ((1 - theirs) / (1 - mine)) if mine < 1 else score
    least = np.float32(theirs)
    if float(least) < theirs:
        least = np.nextafter(least, np.float32(2))
    below_it = float(np.nextafter(least, np.float32(-1)))
    found: Scores = np.where(
        score >= mine, np.maximum(above, float(least)), np.minimum(below, below_it)
    )
    return found
