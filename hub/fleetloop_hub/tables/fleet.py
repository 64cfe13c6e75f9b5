"""Devices, and what was tried on them, as tables."""

import time

from rich.table import Table
from rich.text import Text

from fleetloop_hub.monitoring.overview import AttemptView, DeviceView, Level
from fleetloop_hub.tables.forms import Noted, table
from fleetloop_hub.web.words import ago, share
from fleetloop_shared.estimate.records import ACCURACY

_STYLES = {
    Level.GOOD: "green",
    Level.BUSY: "blue",
    Level.WARN: "yellow",
    Level.BAD: "red",
    Level.OFF: "dim",
}


def devices_table(devices: list[DeviceView]) -> Table:
    """A line a device."""
    shown = table(
        "device",
        "cohort",
        "state",
        "model",
        "rows told",
        "drift (alarm: 1)",
        "right",
        "last heard",
        wraps="state",
    )
    for device in devices:
        drift = "" if device.drift_ratio is None else f"{min(device.drift_ratio, 999):.2f}"
        words = "".join(c if c.isprintable() else "?" for c in device.words)
        shown.add_row(
            device.device,
            device.cohort,
            Text(words if device.online else f"offline, {words}", _STYLES[device.level]),
            "" if device.version is None else f"{device.model} v{device.version}",
            f"{device.rows:,}",
            Text(f"{drift} alarm", "yellow") if device.alarm else drift,
            _right(device),
            "never" if device.seen_at is None else ago(device.seen_at, time.time()),
        )
    return shown


def _right(device: DeviceView) -> str:
    """The share of right answers by labels, else what scores say it is about."""
    if device.accuracy is not None:
        return f"{share(device.accuracy)} of {device.labels:,}"
    estimate = device.estimate
    if estimate is None or estimate.value is None or estimate.metric != ACCURACY:
        return ""
    return f"about {share(estimate.value)}"


def attempts_table(attempts: list[AttemptView]) -> Noted:
    """A line an attack and whom it was tried on; the last one first."""
    shown = Noted("attempt", "on", "refused by", "times", "last told", note="what and where")
    for attempt in attempts:
        where = f" [{attempt.topic}]" if attempt.topic else ""
        shown.add_row(
            Text(attempt.title, _STYLES[attempt.level]),
            "hub" if attempt.device == "unknown" else attempt.device,
            "hub" if attempt.by == "hub" else "device",
            f"{attempt.count:,}",
            ago(attempt.at, time.time()),
            note=f"{attempt.text}{where}",
        )
    return shown
