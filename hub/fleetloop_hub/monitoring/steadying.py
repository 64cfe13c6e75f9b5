"""Steadies a raked accuracy by what scores alone say, as far as the raked rows are few."""

PRIOR = 0.1
"""How far what scores say is usually off under a shift, as a share of the wrong answers."""


def steadied(by_score: float, raked: float, variance: float, loss: float) -> float:
    r"""Between the estimate by scores and the raked one.

    $$\hat a = \hat a_s + \kappa (\hat a_r - \hat a_s), \qquad
    \kappa = \frac{\tau^2}{\tau^2 + s_r^2}$$

    with the estimate by scores $\hat a_s$, the raked one $\hat a_r$ and its variance $s_r^2$.
    Scores are sure and may be wrong: under a shift they are usually off by $\tau$, a tenth of the
    wrong answers. Labelled rows are right on average and may be few. Where many are left, $\kappa$
    is near 1 and they decide; where few are left, scores do. Not for a regression: its predictions
    say nothing of how far they are off. The interval that is told stays that of the raked one:
    scores may be wrong by more than usual.

    Args:
        by_score: What scores say.
        raked: What the weighed rows say.
        variance: Of the latter.
        loss: The share of wrong answers to the labelled rows.

    Examples:
        >>> round(steadied(0.80, 0.84, 0.02**2, 0.2), 3)
        0.82

    References:
        W. James and C. Stein (1961); B. Efron and C. Morris, "Stein's estimation rule and its
        competitors", Journal of the American Statistical Association 68 (1973).
    """
    prior = (PRIOR * loss) ** 2
    share = prior / (prior + variance) if variance > 0 else 1.0
    return by_score + share * (raked - by_score)
