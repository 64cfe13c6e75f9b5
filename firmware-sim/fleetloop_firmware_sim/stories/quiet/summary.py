"""What the story in which nothing changes found, and what must be true of it."""

import math

from fleetloop_firmware_sim.stories.summary import Summary


class QuietSummary(Summary, frozen=True, kw_only=True):
    """Read off the running system.

    Attributes:
        rows: Rows that the devices have answered.
        rows_wanted: How many they had to answer.
        windows: Windows that devices have judged.
        drift_alarms: How many of them were alarms: false ones, since nothing has changed.
        alarms_budgeted: How many the spec's budget allows over these rows, a started one whole.
        retrainings: Decisions to retrain.
        versions: Versions that there are at the end.
        devices_committed: Devices that run the first version at the end.
    """

    rows: int = 0
    rows_wanted: int = 0
    windows: int = 0
    drift_alarms: int = 0
    alarms_budgeted: int = 0
    retrainings: int = 0
    versions: int = 0
    devices_committed: int = 0


def budget(rows: int, per_million_rows: float) -> int:
    """False alarms that are allowed over so many rows.

    >>> budget(200_000, 1.0), budget(200_000, 10.0)
    (1, 2)
    """
    return math.ceil(rows * per_million_rows / 1e6)


def demands(found: QuietSummary) -> dict[str, bool]:
    """What has to be true for nothing to have happened."""
    return {
        "not every row was answered": 0 < found.rows_wanted <= found.rows,
        "no window was judged": found.windows > 0,
        "more false alarms than budgeted": found.drift_alarms <= found.alarms_budgeted,
        "something was retrained": found.retrainings == 0 and found.versions == 1,
        "not every device runs the first version": found.devices_committed == found.devices,
    }
