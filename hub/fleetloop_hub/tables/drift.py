"""Who has moved, which devices see drift, and how their machines are, as tables."""

import time
from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text

from fleetloop_hub.monitoring.overview import AnswerTimes, DeviceView
from fleetloop_hub.tables.forms import Noted, table
from fleetloop_hub.verdict_records import FleetVerdict, Who
from fleetloop_hub.web.words import ago, milliseconds, seconds, share, size

_STYLES = {Who.NOBODY: "green", Who.UNDECIDED: "blue"}


def drift_story(moved: list[FleetVerdict], devices: list[DeviceView]) -> Group:
    """Who has moved with the reasons, then a line for each device that sees drift or is odd."""
    return Group(*_parts(moved, devices))


def _parts(moved: list[FleetVerdict], devices: list[DeviceView]) -> Iterator[Text | Noted]:
    if not moved:
        yield Text(
            "No device has reported a whole window of a champion's rows yet: fleetloop devices"
        )
    for verdict in moved:
        style = _STYLES.get(verdict.who, "yellow")
        yield Text(f"{verdict.model}@{verdict.version}: {verdict.text}", style)
        yield from (Text(f"  {_clean(reason)}") for reason in verdict.reasons)
    seeing = [d for d in devices if d.alarm or d.odd]
    if seeing:
        shown = Noted("device", "cohort", "drift", "since row", "last heard", note="what has moved")
        for device in seeing:
            shown.add_row(
                device.device,
                device.cohort,
                "" if device.drift_ratio is None else f"{min(device.drift_ratio, 999):.2f}",
                "" if device.since_row is None else f"{device.since_row:,}",
                "never" if device.seen_at is None else ago(device.seen_at, time.time()),
                note=_clean(_moved(device)),
            )
        yield shown
    elif devices:
        yield Text("No device sees drift.")


def _moved(device: DeviceView) -> str:
    said = [f"{m.name}: {m.words}" for m in device.moved]
    if device.odd:
        said.append(f"apart from the others: {device.odd}")
    return "; ".join(said)


def health_story(devices: list[DeviceView], answers: AnswerTimes | None) -> Group:
    """A line a device, and how long answers took on all of them together."""
    table_ = _health_table(devices)
    if answers is None:
        return Group(table_)
    times = f"median {milliseconds(answers.p50_ms)}, 99 of 100 within "
    return Group(table_, f"{answers.calls:,} calls on all: {times}{milliseconds(answers.p99_ms)}")


def _health_table(devices: list[DeviceView]) -> Table:
    """A line a device that has reported its health."""
    shown = table(
        "device",
        "answer",
        "99 of 100",
        "agent",
        "cores busy",
        "memory free",
        "disk free",
        "heat",
        "to be sent",
        "clock off by",
        wraps="device",
    )
    for device in devices:
        health = device.health
        if health is None:
            continue
        system, clock = health.system, health.clock
        shown.add_row(
            device.device,
            milliseconds(health.latency_p50_ms),
            milliseconds(health.latency_p99_ms),
            size(health.rss_bytes),
            "" if system.machine_cpu_ratio is None else share(system.machine_cpu_ratio),
            "" if system.memory_available_bytes is None else size(system.memory_available_bytes),
            "" if system.disk_free_bytes is None else size(system.disk_free_bytes),
            "" if system.temperature_c is None else f"{system.temperature_c:.0f} °C",
            f"{health.outbox:,} ({size(health.outbox_bytes)})",
            "" if clock is None else seconds(clock.offset_s),
        )
    return shown


def _clean(text: str) -> str:
    """Names of features are the spec's, but a device may say any."""
    return "".join(c if c.isprintable() else "?" for c in text)
