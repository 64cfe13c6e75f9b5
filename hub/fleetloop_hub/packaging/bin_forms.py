"""The statistics of bin shares as quadratic forms, so that their distribution can be computed."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def order_roots(shares: Floats) -> Floats:
    r"""R with $d' R' R d$ = Anderson-Darling / (n m / N), d the difference of two bin shares.

    In the statistic of `anderson_darling` the shares of both samples together are those of the
    reference, which holds where a window is small beside it or has not drifted.

    Args:
        shares: Of the reference's bins, shape (features, bins).
    """
    below = np.cumsum(shares, axis=1) - shares / 2
    weight = below * (1 - below) - shares / 4
    scale = np.sqrt(np.divide(shares, weight, out=np.zeros_like(shares), where=weight > 1e-12))  # noqa: PLR2004  # rounding
    bins = shares.shape[1]
    steps = np.tril(np.ones((bins, bins)), -1) + np.eye(bins) / 2
    roots: Floats = scale[:, :, None] * steps
    return roots


def share_roots(shares: Floats) -> Floats:
    r"""R with $d' R' R d$ = triangular discrimination of shares p and p + d, for small d.

    Args:
        shares: Of the reference's bins, shape (features, bins).
    """
    scale = np.sqrt(np.divide(0.5, shares, out=np.zeros_like(shares), where=shares > 0))
    roots: Floats = scale[:, :, None] * np.eye(shares.shape[1])
    return roots


def weights(roots: Floats, covariance: Floats) -> Floats:
    r"""$\lambda$ of $\sum \lambda_k \chi^2_1$, the distribution of $|R d|^2$ for normal d.

    Args:
        roots: R, shape (features, bins, bins).
        covariance: Of d, shape (features, bins, bins).
    """
    spread = np.linalg.eigvalsh(roots @ covariance @ roots.transpose(0, 2, 1))
    found: Floats = np.maximum(spread, 0.0)
    return found


def largest_values(roots: Floats, shares: Floats) -> Floats:
    """A value for each bin, with a mean of 0 and a variance of 1, whose mean the form weighs most.

    Args:
        roots: R, shape (features, bins, bins).
        shares: Of the reference's bins, shape (features, bins).
    """
    scale = np.sqrt(shares)
    apart = np.eye(shares.shape[1]) - scale[:, :, None] * scale[:, None, :]
    form = roots * scale[:, None, :] @ apart
    _, vectors = np.linalg.eigh(form.transpose(0, 2, 1) @ form)
    values: Floats = np.divide(vectors[:, :, -1], scale, out=np.zeros_like(scale), where=scale > 0)
    return values
