"""Every window that devices have judged, counted: how many were alarms, and how soon the first."""

import msgspec

from fleetloop_hub.ports import Telemetry
from fleetloop_shared.reports import DriftReport

_NEWEST = 100_000
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
    stored = telemetry.reports("drift", limit=_NEWEST)
    reports = [s.report for s in stored if isinstance(s.report, DriftReport)]
    newest = {r.device: r for r in sorted(reports, key=lambda r: (r.boot, r.seq))}
    windows = [r for r in reports if r.closed or r is newest[r.device]]
    alarms = [report for report in reports if report.alarm]
    first = min(alarms, key=lambda report: report.at, default=None)
    return Alarms(
        windows=len(windows),
        alarms=sum(report.alarm for report in windows),
        first_alarm_after_rows=None if first is None else first.first_row + first.rows - 1,
        reports=reports[: -_SHOWN - 1 : -1],
    )
