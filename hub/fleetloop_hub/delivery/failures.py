"""What a count of failed devices says of the share of failures, while more devices are to come."""

from scipy.special import betaincinv


def surely_above(failed: int, decided: int, share: float, confidence: float) -> bool:
    """Whether the true share of failures is above `share`, by the exact lower bound.

    The one-sided bound of Clopper and Pearson (Biometrika 26, 1934): the share at which so many
    failures or more would have a probability of 1 - confidence.

    >>> surely_above(1, 1, 0.2, 0.9), surely_above(2, 2, 0.2, 0.9)
    (False, True)
    """
    return failed > 0 and lower(failed, decided, confidence) > share


def surely_below(failed: int, decided: int, share: float, confidence: float) -> bool:
    """Whether the true share of failures is below `share`, by the exact upper bound.

    >>> surely_below(0, 10, 0.2, 0.9), surely_below(0, 11, 0.2, 0.9)
    (False, True)
    """
    return decided > 0 and 1.0 - lower(decided - failed, decided, confidence) < share


def lower(failed: int, decided: int, confidence: float) -> float:
    """The lower end of the one-sided interval of Clopper and Pearson.

    >>> round(lower(1, 1, 0.9), 6), round(lower(5, 20, 0.9), 4)
    (0.1, 0.1269)
    """
    if failed == 0:
        return 0.0
    return float(betaincinv(failed, decided - failed + 1, 1.0 - confidence))
