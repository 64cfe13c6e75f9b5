"""Fisher's z: has the correlation of two features changed?"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_NEARLY_ONE = 1 - 1e-6


def fisher_z(
    reference: Floats, window: Floats, reference_rows: float, window_rows: float
) -> Floats:
    r"""Difference of correlations in units of its standard error.

    $$z = \frac{\operatorname{artanh} r_w - \operatorname{artanh} r_r}
    {\sqrt{1 / (m - 3) + 1 / (n - 3)}}$$

    Standard normal for independent normal rows without drift; wider for rows that follow each
    other closely or have heavy tails, which is why its threshold is calibrated, not 3.

    Use it for two features that stop moving together while each alone looks as before (a swapped
    wire, a stuck pump): no statistic of single features sees that.

    Args:
        reference: Correlations of the reference, -1 to 1; beyond 0.999999 counts as that.
        window: Correlations of the window; leading axes broadcast.
        reference_rows: n; fewer than 4 count as 4.
        window_rows: m; fewer than 4 count as 4.

    Returns:
        One z for each pair.

    Examples:
        >>> fisher_z(np.array([0.6]), np.array([0.6]), 1000, 100).tolist()
        [0.0]
        >>> fisher_z(np.array([0.6]), np.array([-0.6]), 1000, 100).round(1).tolist()
        [-13.0]

    References:
        R. A. Fisher, "On the probable error of a coefficient of correlation deduced from a small
        sample", Metron 1 (1921).
    """
    return FisherZ(reference, reference_rows)(window, window_rows)


class FisherZ:
    """The same, with what many windows need of one reference computed once."""

    def __init__(self, reference: Floats, rows: float) -> None:
        """Take the reference's correlations and rows."""
        self._angles = _artanh(reference)
        self._variance = 1 / max(rows - 3, 1)

    def __call__(self, window: Floats, rows: float | Floats) -> Floats:
        """One z for each pair.

        Args:
            window: Correlations of windows; leading axes broadcast.
            rows: Of each window, shape (..., 1); or of all of them.
        """
        z: Floats = _artanh(window) - self._angles
        z /= np.sqrt(1 / np.maximum(rows - 3, 1) + self._variance)
        return z


def _artanh(correlations: Floats) -> Floats:
    angles: Floats = np.arctanh(correlations.clip(-_NEARLY_ONE, _NEARLY_ONE))
    return angles
