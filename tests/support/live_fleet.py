"""A big installation's devices as they go on reporting, over one connection to its broker."""

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Self

from fleetloop_firmware_sim.month.device import MonthDevice, Pace, Spell
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.records import Alias, Version
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.tracking.registry import Registry
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.paho_link import PahoLink
from fleetloop_shared.reports import Report
from support.big_catalog import DAY_S
from support.big_hub import weather

_STEP_S = 1.0
_ROOT = "fleetloop/v1/devices"


class LiveFleet:
    """Reports at the pace of the month, from a second start of each device's agent on."""

    def __init__(self, state: Path, broker: str) -> None:
        """Read what the devices run.

        Args:
            state: The hub's folder, while no hub uses it.
            broker: Where to report.
        """
        blobs = FileBlobs(state / "blobs")
        with closing(TinyDbCatalog(state / "catalog")) as catalog:
            registry = Registry(catalog, blobs)
            champions = {
                a.key.partition("/")[0]: registry.champion(a.key.partition("/")[0])
                for a in catalog.all(Alias)
                if a.key.endswith("/champion")
            }
            found = {name: v for name, v in champions.items() if v is not None}
            manifests = {name: registry.manifest(v) for name, v in found.items()}
            devices = catalog.all(Device)
            (first,) = [v for v in catalog.all(Version) if v.model == "rain"]
            met = weather(registry.manifest(first), blobs.get(first.artifact))["usual"]
        of_place = {name.removeprefix("rain-"): manifest for name, manifest in manifests.items()}
        since = time.time() - DAY_S
        self._fleet = [
            MonthDevice(
                d.key,
                d.hardware,
                [Spell(since, of_place[d.cohort.rpartition("-")[0]])],
                [met],
                number,
                boot=2,
            )
            for number, d in enumerate(devices)
        ]
        for device in self._fleet:
            device.says(since, since + _STEP_S, Pace())
        self._link = PahoLink(broker, "live-fleet", "", "")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._report)
        self.told = 0

    def __enter__(self) -> Self:
        self._link.start(None)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._link.stop()

    def _report(self) -> None:
        until = time.time()
        while not self._ended.wait(_STEP_S):
            start, until = until, time.time()
            self._link.events()
            for device in self._fleet:
                for kind, report in device.says(start, until, Pace()):
                    self._say(device.name, kind, report)

    def _say(self, device: str, kind: str, report: Report) -> None:
        payload = (encode_compressed if kind == "profile" else encode)(report)
        self._link.publish(f"{_ROOT}/{device}/up/{kind}", payload, qos=1, retained=False)
        self.told += 1
