"""An interval for a difference that holds at every look, however often and whenever one looks."""

import math


def evidence(t: float, freedom: float, scale: float) -> float:
    r"""How many times better "there is a difference" explains a t statistic than "there is none".

    $$B = (1+r)^{-1/2} \left(\frac{1 + t^2/\nu}{1 + t^2/(\nu(1+r))}\right)^{(\nu+1)/2}$$

    the ratio of the marginal likelihoods of $t$ where the difference is drawn from a normal
    distribution of $r$ times the estimate's own variance, and where it is zero. Under "none" its
    mean is 1 at every look and it is a likelihood ratio of all that came up to then, so that
    $P(\exists \text{ look}: B \ge 1/\alpha) \le \alpha$ (Ville): it may be looked at any time.

    Args:
        t: The difference, in its standard errors.
        freedom: Degrees of freedom of the standard error.
        scale: r: the variance of expected differences / that of the estimate.

    Examples:
        >>> round(evidence(0.0, 20.0, 15.0), 3)
        0.25
        >>> evidence(5.0, 20.0, 15.0) > 400 > evidence(5.0, 3.0, 15.0)
        True

    References:
        T. L. Lai, "On confidence sequences", Annals of Statistics 4 (1976); R. Johari, L. Pekelis
        and D. Walsh, "Always valid inference", Operations Research 70 (2022); H. Wang and
        A. Ramdas, "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown
        variance", Sequential Analysis 44 (2025).
    """
    squared = t * t / freedom
    power = (freedom + 1) / 2
    growth = math.log1p(squared) - math.log1p(squared / (1 + scale))
    return math.exp(min(power * growth - math.log1p(scale) / 2, 700.0))


def half_width(error: float, freedom: float, scale: float, risk: float) -> float:
    r"""Half the interval outside of which `evidence` is at least 1 / risk: infinite if nowhere is.

    With $A = (\sqrt{1+r}/\alpha)^{2/(\nu+1)}$ it is
    $s\sqrt{\nu (A - 1) / (1 - A/(1+r))}$, and infinite where $A \ge 1 + r$: few degrees of freedom
    never prove much.

    Args:
        error: s: the standard error of the estimate.
        freedom: Its degrees of freedom.
        scale: r, as in `evidence`.
        risk: The chance that the true value is ever outside, at any look.

    Examples:
        >>> width = half_width(1.0, 20.0, 15.0, 0.05)
        >>> round(width, 2), round(evidence(width, 20.0, 15.0), 6)
        (3.38, 20.0)
        >>> half_width(1.0, 2.0, 15.0, 0.001)
        inf
    """
    log_a = 2 / (freedom + 1) * (math.log1p(scale) / 2 - math.log(risk))
    a = math.exp(min(log_a, 700.0))
    left = 1 - a / (1 + scale)
    if left <= 0:
        return math.inf
    return error * math.sqrt(freedom * (a - 1) / left)
