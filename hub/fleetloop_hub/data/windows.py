"""Which rows a dataset version for a retraining keeps: all, the newest, or those since a change."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fleetloop_hub.spec.retrain_table import RetrainTable

Order = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_DAY_S = 86_400.0


@dataclass(frozen=True)
class Choice:
    """What a retraining asks of the rows from the field.

    Attributes:
        excluded: Devices of which no new row is taken, and why.
        since: When the world is thought to have changed, Unix seconds; None if it has not.
    """

    excluded: Mapping[str, str] = field(default_factory=dict)
    since: float | None = None


@dataclass(frozen=True)
class Window:
    """The policy for one version.

    Attributes:
        policy: The spec's.
        since: As in `Choice`.
    """

    policy: RetrainTable
    since: float | None = None

    def kept(self, order: Order, usable: Flags, at: Floats, seen: Flags) -> tuple[Order, str]:
        """The rows that are kept, in the same order, and which those are in words.

        Args:
            order: Places of all rows, oldest first.
            usable: Whether the row at each place can be trained on.
            at: Its time, Unix seconds for what devices have seen.
            seen: Whether a device has seen it.
        """
        if self.policy.window == "sliding":
            return self._sliding(order[usable[order]], order, at, seen)
        if self.policy.window == "since_drift" and self.since is not None:
            return self._since(order[usable[order]], self.since, at, seen)
        return order, "all rows"

    def _sliding(self, rows: Order, order: Order, at: Floats, seen: Flags) -> tuple[Order, str]:
        """Rows that wait for their label stay only where none of the others has to go."""
        policy = self.policy
        newest = rows[-policy.window_rows :]
        text = f"the newest {policy.window_rows:,} rows"
        if policy.window_days and len(newest) and seen[newest[-1]]:
            # Times of sources and of devices are not compared: a source may count days.
            last = at[newest[-1]] - policy.window_days * _DAY_S
            newest = newest[seen[newest] & (at[newest] >= last)]
            text += f" of {policy.window_days:g} days"
        return (order, "all rows") if len(newest) == len(rows) else (newest, text)

    def _since(self, rows: Order, since: float, at: Floats, seen: Flags) -> tuple[Order, str]:
        """The older ones are drawn evenly over time, so that what is rare in them stays."""
        is_new = seen[rows] & (at[rows] >= since)
        new, old = rows[is_new], rows[~is_new]
        if not len(new):
            return rows, "all rows: none was served since the drift began"
        share = self.policy.old_share
        wanted = min(len(old), round(len(new) * share / (1 - share)))
        drawn = old[np.linspace(0, len(old) - 1, wanted).round().astype(np.int64)]
        text = f"{len(new):,} rows since the drift began and {len(drawn):,} older ones"
        return np.concatenate([drawn, new]), text
