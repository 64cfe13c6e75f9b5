"""Shows a simulated fleet as a table that stays up to date."""

from rich.table import Table

from fleetloop_firmware_sim.fleet import DeviceView

_SHOWN_ERROR = 60


def table(views: list[DeviceView]) -> Table:
    """One line a device.

    Args:
        views: How each device is now.
    """
    connected = sum(view.connected for view in views)
    rows = sum(view.rows for view in views)
    drawn = Table(title=f"{len(views)} devices, {connected} connected, {rows:,} rows answered")
    drawn.add_column("device", no_wrap=True)
    for name in ["state", "version", "error"]:
        drawn.add_column(name)
    for name in ["rows", "accuracy", "reports", "unacknowledged"]:
        drawn.add_column(name, justify="right")
    for view in views:
        drawn.add_row(
            view.device,
            view.state if view.connected or view.state == "off" else f"{view.state}, away",
            _version(view),
            (view.error or "")[:_SHOWN_ERROR],
            f"{view.rows:,}",
            "" if view.accuracy is None else f"{view.accuracy:.3f}",
            f"{view.reports:,}",
            f"{view.unacknowledged:,}",
        )
    return drawn


def _version(view: DeviceView) -> str:
    now = "none" if view.version is None else str(view.version)
    return now if view.target is None else f"{now} → {view.target}"
