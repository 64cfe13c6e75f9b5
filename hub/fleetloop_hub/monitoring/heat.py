"""Drift of a version, feature by device: what a heat map shows."""

from dataclasses import dataclass

from fleetloop_hub.digests_port import Digests
from fleetloop_hub.monitoring.overview import DeviceView
from fleetloop_shared.reports import DriftReport


@dataclass(frozen=True)
class Warm:
    """A feature on some devices.

    Attributes:
        feature: Its name, "the score" for that of the model.
        ratios: Largest statistic / threshold in the last window of each device; an alarm from 1,
            None where there is no window.
    """

    feature: str
    ratios: list[float | None]

    @property
    def largest(self) -> float:
        """The largest of them, 0 without any."""
        return max((ratio for ratio in self.ratios if ratio is not None), default=0.0)


SCORE = "the score"


def serving(devices: list[DeviceView], model: str, version: int, cohort: str) -> list[DeviceView]:
    """Devices that serve a version, those that have moved furthest first."""
    found = [
        d for d in devices if (d.model, d.version) == (model, version) and cohort in {"", d.cohort}
    ]
    return sorted(found, key=lambda d: (-(d.drift_ratio or 0.0), d.device))


def heat(devices: list[DeviceView], digests: Digests) -> list[Warm]:
    """Every feature on these devices, the hottest first.

    Args:
        devices: That serve the same version.
        digests: Their last reports.
    """
    by_feature: dict[str, list[float | None]] = {}
    for place, device in enumerate(devices):
        report = digests.latest(device.device, DriftReport)
        if report is None or (report.model, report.version) != (device.model, device.version):
            continue
        told = {feature.name: feature.ratio for feature in report.features}
        told[SCORE] = report.score_ratio
        for name, ratio in told.items():
            by_feature.setdefault(name, [None] * len(devices))[place] = ratio
    return sorted(
        (Warm(name, ratios) for name, ratios in by_feature.items()),
        key=lambda warm: (-warm.largest, warm.feature),
    )
