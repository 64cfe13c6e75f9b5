"""Feeds every device of a story from a thread, so that none is far ahead of the others."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from fleetloop_firmware_sim.stories.device import Device


@dataclass(frozen=True)
class Rhythm:
    """How rows are measured.

    Attributes:
        batch_rows: Rows that a device is given at once.
        pause_s: Seconds between two batches of a device.
        most_ahead_rows: Whoever is so many rows ahead of the last device that is on waits for it.
    """

    batch_rows: int
    pause_s: float
    most_ahead_rows: int


class Feeding:
    """One thread for all devices; those that are off are left out, and their rows stay due.

    Attributes:
        held: Whether time stands still: nothing is measured until it goes on.
    """

    def __init__(self, devices: Sequence[Device], rhythm: Rhythm) -> None:
        """Nothing is fed before `start`."""
        self._devices, self._rhythm = devices, rhythm
        self._going = threading.Event()
        self.held = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, or go on."""
        self._going.set()
        self._thread = threading.Thread(target=self._feed, name="feeding", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the batch that is being fed; `start` goes on with the next."""
        self._going.clear()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _feed(self) -> None:
        rhythm = self._rhythm
        while self._going.is_set():
            there = [d for d in self._devices if d.process.running and not self.held]
            last = min((d.measured for d in there if not d.sensor.done), default=0)
            for device in there:
                if device.measured < last + rhythm.most_ahead_rows and self._going.is_set():
                    device.measure(rhythm.batch_rows)
            time.sleep(rhythm.pause_s)
