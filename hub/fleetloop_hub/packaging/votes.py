"""What the nearest training rows say, with equals in a stated order.

Of equally near rows, scikit-learn takes whichever its search meets first: another one than the next
release, and none that a file could follow. Here the row that comes first is taken.
"""

import numpy as np

from fleetloop_hub.packaging.estimators import Estimator
from fleetloop_hub.packaging.preparation import Doubles

_AT_ONCE = 8_000_000


def votes(estimator: Estimator, x: Doubles, classes: int) -> Doubles:
    """The mean of the nearest rows' values, (rows, 1), or the share of each class, (rows, classes).

    Args:
        estimator: Neighbours with uniform weights and Euclidean distances.
        x: Prepared rows.
        classes: How many; 0 for a regression.
    """
    known = np.asarray(estimator._fit_X, np.float64)  # noqa: SLF001  # the only way to them
    said = np.asarray(estimator._y).ravel()  # noqa: SLF001  # the same
    step = max(1, _AT_ONCE // len(known))
    lengths = (known**2).sum(axis=1)
    parts = []
    for start in range(0, len(x), step):
        distance = (lengths - 2 * x[start : start + step] @ known.T).astype(np.float32)
        chosen = said[_first(distance, int(estimator.n_neighbors))]
        each = chosen[:, :, None] == np.arange(classes) if classes else chosen[:, :, None]
        parts.append(each.mean(axis=1, dtype=np.float64))
    return np.concatenate(parts)


def _first(distance: np.ndarray, count: int) -> np.ndarray:
    """The places of the smallest of each row; of equals the first."""
    border = np.partition(distance, count - 1, axis=1)[:, [count - 1]]
    nearer, equal = distance < border, distance == border
    room = count - nearer.sum(axis=1, keepdims=True)
    taken = nearer | (equal & (np.cumsum(equal, axis=1) <= room))
    return np.nonzero(taken)[1].reshape(len(distance), count)
