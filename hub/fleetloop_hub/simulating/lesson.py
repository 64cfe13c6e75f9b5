"""Which rows a retraining learns from, by the spec's window, among those whose label is known."""

import numpy as np
import numpy.typing as npt

from fleetloop_hub.spec.retrain_table import RetrainTable

Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_DAY_S = 86_400.0


def chosen(known: Places, at: Floats, policy: RetrainTable, drift_at: float | None) -> Places:
    """Places of rows, ascending.

    With the window "weighted" all of them: weights are not part of a replay.

    Args:
        known: Places of rows whose labels are known now, ascending.
        at: When every row was served, seconds.
        policy: The spec's window.
        drift_at: When the first alarm under this champion came, None without one.
    """
    if policy.window == "sliding":
        newest = known[-policy.window_rows :]
        if policy.window_days and len(newest):
            newest = newest[at[newest] >= at[newest[-1]] - policy.window_days * _DAY_S]
        return newest
    if policy.window == "since_drift" and drift_at is not None:
        since = known[at[known] >= drift_at]
        older = known[at[known] < drift_at]
        room = round(len(since) * policy.old_share / (1 - policy.old_share))
        return np.concatenate([older[len(older) - min(room, len(older)) :], since])
    return known
