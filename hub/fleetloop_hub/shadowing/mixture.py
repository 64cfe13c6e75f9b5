"""Bounds of a share that may be looked at any time: a mixture of bets against every value of it.

Robbins (1970), "Statistical methods related to the law of the iterated logarithm": mixed over a
Beta(1/2, 1/2) prior, the likelihood ratio of s successes and f failures against a share p is

    E(p) = B(s + 1/2, f + 1/2) / (B(1/2, 1/2) · p^s · (1 - p)^f)

a martingale under p. By Ville's inequality it ever reaches 1/alpha with a chance of alpha at most,
so the shares with E(p) < 1/alpha hold the true one at all times together.
"""

import math

_HALVES = 60
_PRIOR = 0.5


def log_evidence(successes: float, failures: float, share: float) -> float:
    """The logarithm of E(p).

    Args:
        successes: How often it happened.
        failures: How often it did not.
        share: p, above 0 and below 1.

    Examples:
        >>> round(log_evidence(0, 0, 0.5), 6), log_evidence(40, 10, 0.5) > 6
        (0.0, True)
    """
    prior = math.log(math.pi)  # B(1/2, 1/2)
    mixed = math.lgamma(successes + _PRIOR) + math.lgamma(failures + _PRIOR)
    mixed -= math.lgamma(successes + failures + 2 * _PRIOR)
    return mixed - prior - successes * math.log(share) - failures * math.log1p(-share)


def bounds(successes: float, failures: float, alpha: float) -> tuple[float, float]:
    """Between what the true share is, at all looks together but for a chance of alpha.

    Args:
        successes: How often it happened.
        failures: How often it did not.
        alpha: The chance to be wrong at any look.

    Examples:
        >>> bounds(0, 0, 0.05)
        (0.0, 1.0)
        >>> low, high = bounds(900, 100, 0.05)
        >>> 0.86 < low < 0.88 and 0.92 < high < 0.94
        True
    """
    rows = successes + failures
    if not rows:
        return 0.0, 1.0
    middle, limit = successes / rows, -math.log(alpha)

    def end(outer: float) -> float:
        inner = middle
        for _ in range(_HALVES):
            tried = (inner + outer) / 2
            if log_evidence(successes, failures, min(max(tried, 1e-12), 1 - 1e-12)) < limit:
                inner = tried
            else:
                outer = tried
        return inner

    return (0.0 if not successes else end(0.0)), (1.0 if not failures else end(1.0))
