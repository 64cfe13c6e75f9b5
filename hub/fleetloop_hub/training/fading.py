"""Training rows that count the less the older they are, for any algorithm: they are drawn."""

import numpy as np

from fleetloop_hub.data.frame import Frame


def faded(train: Frame, half_life_rows: float) -> tuple[Frame, str]:
    r"""Rows drawn by their weight, and in words what was drawn.

    $$w_i = 2^{-a_i / h}$$

    with the age $a_i$ of a row in rows. As many are drawn as there are, at even steps of the added
    weights (systematic resampling), so nothing is left to chance and their order stays: a row of
    weight 2.3 times the mean stands there two or three times. Every algorithm can learn from them,
    also one that knows no weights. Where a class would be lost, all rows stay as they are.

    Args:
        train: The rows that are fitted, oldest first.
        half_life_rows: Rows after which a row counts half.
    """
    count = len(train)
    if not count:
        return train, ""
    weights = np.exp2(-np.arange(count - 1, -1, -1) / half_life_rows)
    steps = (np.arange(count) + 0.5) / count * weights.sum()
    drawn = np.minimum(np.searchsorted(np.cumsum(weights), steps), count - 1)
    taken = train.take(drawn)
    if len(train.label) and set(np.unique(train.label)) != set(np.unique(taken.label)):
        few = len(np.unique(train.label)) <= _CLASSES
        if few:
            return train, "a class is only among the oldest rows, so that none of them counts less"
    left = len(np.unique(drawn))
    return taken, (
        f"training rows count half after {half_life_rows:,.0f} rows: {left:,} of {count:,} were "
        "drawn, the newest several times"
    )


_CLASSES = 100
