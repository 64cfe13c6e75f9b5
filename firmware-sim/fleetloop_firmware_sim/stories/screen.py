"""A story on a terminal: one line an event in plain words, and a live table of the devices."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

_STATES = {"good": "green", "busy": "cyan", "warn": "yellow", "bad": "red", "off": "dim"}


@contextmanager
def screen(console: Console) -> Iterator["Screen"]:
    """A screen to tell on, for as long as the context lasts."""
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield Screen(console, live)


class Screen:
    """Tells the story; on anything but a terminal only its lines, without the table."""

    def __init__(self, console: Console, live: Live) -> None:
        """The clock of the story starts now."""
        self._console, self._live = console, live
        self._began_s = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the story began."""
        return time.monotonic() - self._began_s

    def chapter(self, title: str) -> None:
        """A new part of the story begins."""
        self._console.print(f"\n[bold]{title}[/]")

    def say(self, who: str, text: str, style: str = "") -> None:
        """One thing has happened.

        Args:
            who: Who did it: "hub", "station-1", "world".
            text: What, in plain words; never markup.
            style: Of the text, as rich names it.
        """
        line = f"{self.seconds:6.1f} s  {who:<10} "
        self._console.print(line, style="dim", end="", highlight=False, markup=False)
        self._console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    def show(self, devices: list[dict[str, Any]]) -> None:
        """The devices as they are now."""
        if self._console.is_terminal:
            self._live.update(table(devices))


def table(devices: list[dict[str, Any]]) -> Table:
    """The devices of the hub's overview as a table."""
    drawn = Table("device", "link", "version", "state", "rows", "drift", "accuracy", box=None)
    for device in devices:
        style = _STATES.get(str(device["level"]), "")
        ratio, accuracy = device.get("drift_ratio"), device.get("accuracy")
        feature = device.get("drift_feature") or ""
        drawn.add_row(
            device["device"],
            "online" if device["online"] else "offline",
            f"v{device['version']}" if device.get("version") else "-",
            f"{device['state']} {_progress(device)}",
            f"{device['rows']:,}",
            "-" if ratio is None else f"{ratio:.1f}x {feature if ratio >= 1 else ''}",
            "-" if accuracy is None else f"{accuracy:.0%} of {device['labels']:,}",
            style=style,
        )
    return drawn


def _progress(device: dict[str, Any]) -> str:
    if not device.get("target"):
        return ""
    total = device.get("chunks_total") or 0
    chunks = f" {device['chunks_have']}/{total} chunks" if total else ""
    return f"→ v{device['target']}{chunks}"
