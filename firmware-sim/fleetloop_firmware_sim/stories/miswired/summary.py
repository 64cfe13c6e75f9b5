"""What the story of the miswired station found, and what must be true of it."""

from fleetloop_firmware_sim.stories.summary import Summary

MOST_ROWS = 1_024
"""Within so many rows of its own the station must be named: four windows."""


class MiswiredSummary(Summary, frozen=True, kw_only=True):
    """Read off the running system.

    Attributes:
        miswired: The station whose sensors were swapped.
        sensors: Which two.
        swapped_at_row: The row at which they were.
        investigated: Devices that the hub has decided to look at.
        reason: Why, in the hub's words.
        rows_until_named: Rows of the station from the swap until the decision was seen.
        rows_allowed: How many these may be.
        rows_after_named: Rows that it went on for afterwards.
        retrainings: Decisions to retrain.
        versions: Versions that there are at the end.
        devices_committed: Devices that run the first version at the end.
    """

    miswired: str = ""
    sensors: tuple[str, ...] = ()
    swapped_at_row: int = 0
    investigated: tuple[str, ...] = ()
    reason: str = ""
    rows_until_named: int | None = None
    rows_allowed: int = MOST_ROWS
    rows_after_named: int = 0
    retrainings: int = 0
    versions: int = 0
    devices_committed: int = 0


def demands(found: MiswiredSummary) -> dict[str, bool]:
    """What has to be true for the right device to have been found, and no other touched."""
    rows = found.rows_until_named
    return {
        "the miswired device was not named": found.miswired in found.investigated,
        "another device was named": set(found.investigated) <= {found.miswired},
        "it was named before its sensors were swapped": rows is None or rows > 0,
        "it took more rows than allowed": rows is not None and rows <= found.rows_allowed,
        "the others were not watched afterwards": found.rows_after_named > 0,
        "something was retrained": found.retrainings == 0 and found.versions == 1,
        "not every device runs the first version": found.devices_committed == found.devices,
    }
