"""How many labelled rows are left to compare with, once they are weighted as a window asks."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def effective_rows(known: Floats, seen: Floats) -> float:
    r"""Kish's effective sample of labelled rows that are weighted to a window's histogram.

    $$n_\mathrm{eff} = \frac{\left(\sum_i w_i\right)^2}{\sum_i w_i^2}
    = \frac{\left(\sum_k q_k\right)^2}{\sum_k q_k^2 / n_k}$$

    where each of the $n_k$ labelled rows of bin $k$ has the weight $q_k / n_k$. It is $n$ where the
    window looks as the labelled rows do, and falls as the window leaves for where few of them are.

    Args:
        known: Labelled rows in each bin.
        seen: The window's rows in each bin; bins without labelled rows are left out.

    Examples:
        >>> effective_rows(np.array([50.0, 50.0]), np.array([7.0, 7.0]))
        100.0
        >>> effective_rows(np.array([99.0, 1.0]), np.array([0.0, 3.0]))
        1.0

    References:
        L. Kish, "Survey Sampling", Wiley (1965), section 11.7.
    """
    both = known > 0
    total = float(seen[both].sum())
    squared = float((seen[both] ** 2 / known[both]).sum())
    return total**2 / squared if squared > 0 else 0.0
