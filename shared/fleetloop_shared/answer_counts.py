"""Counts what a model has answered, so that two versions can be laid side by side."""

import numpy as np
import numpy.typing as npt

from fleetloop_shared.manifest import REGRESSION, Signature

NUMBER_BINS = 8
"""Equal bins of a regression's answers, from `score_low` to `score_high` of its signature."""


def answer_counts(answers: npt.NDArray[np.float64], signature: Signature) -> npt.NDArray[np.int64]:
    """How often each class was answered, in the signature's order; or a regression's bins.

    Args:
        answers: Classes, or numbers of a regression; beyond its bins they count in the outermost.
        signature: Of the model.

    Examples:
        >>> from fleetloop_shared.manifest import Signature
        >>> two = Signature(input_name="x", score_name="y", features=[], classes=[0, 1],
        ...     positive=1, decision_threshold=0.5)
        >>> answer_counts(np.array([1.0, 0.0, 1.0]), two).tolist()
        [1, 2]
    """
    if signature.task == REGRESSION:
        width = (signature.score_high - signature.score_low) / NUMBER_BINS
        places = np.clip((answers - signature.score_low) / width, 0, NUMBER_BINS - 1)
        return np.bincount(places.astype(np.int64), minlength=NUMBER_BINS)
    return np.array([int((answers == number).sum()) for number in signature.classes], np.int64)
