"""Devices are fed, and not while time stands still."""

import threading
from types import SimpleNamespace
from typing import cast

import pytest

from fleetloop_firmware_sim.stories.device import Device
from fleetloop_firmware_sim.stories.feeding import Feeding, Rhythm


class FedDevice:
    """A device that ends the feeding after some looks at it."""

    def __init__(self, going: threading.Event) -> None:
        self.measured, self.looks, self.going = 0, 0, going
        self.sensor = SimpleNamespace(done=False)

    @property
    def process(self) -> "FedDevice":
        return self

    @property
    def running(self) -> bool:
        self.looks += 1
        if self.looks == 10:
            self.going.clear()
        return True

    def measure(self, rows: int) -> None:
        self.measured += rows


@pytest.mark.parametrize("held", [False, True])
def test_nothing_is_measured_while_time_stands_still(held: bool) -> None:  # noqa: FBT001  # a case
    feeding = Feeding([], Rhythm(batch_rows=2, pause_s=0.0, most_ahead_rows=8))
    device = FedDevice(feeding._going)
    feeding._devices = [cast("Device", device)]
    feeding.held = held
    feeding._going.set()
    feeding._feed()
    assert (device.measured > 0) is not held
