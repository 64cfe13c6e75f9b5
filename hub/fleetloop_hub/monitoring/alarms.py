"""Every window that devices have judged, counted: how many were alarms, and how soon the first."""

import msgspec

from fleetloop_hub.ports import Telemetry
from fleetloop_shared.reports import DriftReport

_SHOWN = 100


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """What the drift reports add up to.

    Attributes:
        windows: Reporting windows that were judged, and those that are open and an alarm already.
        alarms: How many of them were alarms.
        first_alarm_after_rows: Rows that a device had served under its version when the earliest
            alarm came; None without alarms.
        reports: The newest reports, newest first.
    """

    windows: int
    alarms: int
    first_alarm_after_rows: int | None
    reports: list[DriftReport]


def count(telemetry: Telemetry) -> Alarms:
    """The drift reports that are kept."""
    counts = telemetry.digests.window_counts()
    first = counts.first_alarm and telemetry.digests.report(*counts.first_alarm)
    newest = [s.report for s in telemetry.reports("drift", limit=_SHOWN)]
    return Alarms(
        windows=counts.windows,
        alarms=counts.alarms,
        first_alarm_after_rows=(
            first.first_row + first.rows - 1 if isinstance(first, DriftReport) else None
        ),
        reports=[report for report in reversed(newest) if isinstance(report, DriftReport)],
    )
