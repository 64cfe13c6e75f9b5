"""The devices that serve one version: the drift maths of a device, over rows dealt in turn."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fleetloop_hub.retraining.evidence import DeviceDrift
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.drift.scan import Judged, Scan
from fleetloop_shared.manifest import Manifest

Rows = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]


@dataclass
class _Device:
    scan: Scan
    rows: list[Rows] = field(default_factory=list)
    scores: list[Scores] = field(default_factory=list)
    served: int = 0
    last: DeviceDrift | None = None


class Crew:
    """Devices that have just taken a version; what they saw under another is forgotten."""

    def __init__(self, manifest: Manifest, devices: int) -> None:
        """Begin to watch.

        Args:
            manifest: Reference and thresholds.
            devices: How many.
        """
        scales = manifest.thresholds.scales
        self._block_rows = scales[0].rows
        self._blocks = Blocks(manifest.reference, manifest.signature)
        self._devices = [
            _Device(Scan(manifest.reference, manifest.thresholds, manifest.signature))
            for _ in range(devices)
        ]

    def serve(self, first: int, rows: Rows, scores: Scores) -> None:
        """Rows that follow each other, each for the device whose turn it is.

        Args:
            first: The place of the first row, which says whose turn it is.
            rows: Values.
            scores: What the model said.
        """
        turn = (first + np.arange(len(rows))) % len(self._devices)
        for number, device in enumerate(self._devices):
            own = turn == number
            self._watch(number, device, rows[own], scores[own])

    def drift(self) -> list[DeviceDrift]:
        """The last window of each device that has ended one."""
        return [device.last for device in self._devices if device.last is not None]

    def _watch(self, number: int, device: _Device, rows: Rows, scores: Scores) -> None:
        every = np.concatenate([*device.rows, rows])
        said = np.concatenate([*device.scores, scores])
        parts = len(every) // self._block_rows
        whole = parts * self._block_rows
        device.rows, device.scores = [every[whole:]], [said[whole:]]
        if not parts:
            return
        counted = self._blocks.count_parts(every[:whole], said[:whole], parts)
        first = [device.served + k * self._block_rows + 1 for k in range(parts)]
        device.served += whole
        for judged in device.scan.take_all(list(zip(first, counted, strict=True))):
            device.last = _noted(f"device-{number + 1}", device.last, judged)


def _noted(name: str, last: DeviceDrift | None, judged: Judged) -> DeviceDrift:
    """A streak goes on with windows that have ended; an early alarm counts as one of them."""
    alarms, quiet = (0, 0) if last is None else (last.alarms, last.quiet)
    if judged.closed:
        alarms = alarms + 1 if judged.alarm else 0
        quiet = 0 if judged.alarm else quiet + 1
    else:
        alarms, quiet = max(alarms, 1), 0
    verdict = judged.verdict
    top = max(verdict.features, key=lambda f: f.ratio, default=None)
    return DeviceDrift(
        device=name,
        alarms=alarms,
        quiet=quiet,
        ratio=verdict.ratio,
        feature="the score" if top is None or top.ratio < verdict.ratio else top.name,
    )
