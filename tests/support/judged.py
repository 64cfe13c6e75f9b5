"""Devices of a phase with the counts that a test wants."""

from typing import Any

from fleetloop_hub.judging.counting import add_health, add_window
from fleetloop_hub.judging.health import DeviceHealth, Tallies
from fleetloop_shared.latency import BINS
from fleetloop_shared.reports import DriftReport, HealthReport

MIB = 2**20


def report(seq: int, **said: Any) -> HealthReport:  # noqa: ANN401  # fields of the report
    """A health report of a device that does well, but for what is given."""
    usual: dict[str, Any] = {
        "device": "station-1",
        "boot": 1,
        "at": 1_000.0 + 10 * seq,
        "model": "rain",
        "version": 1,
        "uptime_s": 10.0 * seq,
        "rows": 100,
        "errors": 0,
        "refused": 0,
        "latency_counts": times(100, 14),
        "latency_p50_ms": None,
        "latency_p99_ms": None,
        "rss_bytes": 60 * MIB,
        "outbox": 0,
        "outbox_bytes": 0,
        "unkept": 0,
        "labels": 50,
        "labels_correct": 45,
        "answer_counts": [60, 40],
    }
    return HealthReport(seq=seq, **{**usual, **said})


def times(calls: int, bin_: int) -> list[int]:
    """So many calls, in one bin."""
    counts = [0] * BINS
    counts[bin_] = calls
    return counts


def window(seq: int, ratio: float, **said: Any) -> DriftReport:  # noqa: ANN401  # as above
    """A reporting window that is over."""
    usual: dict[str, Any] = {
        "device": "station-1",
        "boot": 1,
        "at": 1_000.0 + 10 * seq,
        "model": "rain",
        "version": 1,
        "artifact": "a" * 64,
        "first_row": 1,
        "rows": 256,
        "closed": True,
        "alarm": ratio >= 1,
        "since_row": None,
        "features": [],
        "correlations": [],
        "score_ratio": 0.0,
    }
    return DriftReport(seq=seq, ratio=ratio, **{**usual, **said})


def device(
    name: str,
    reports: int = 20,
    *,
    hardware: str = "pi4",
    before: Tallies | None = None,
    **said: Any,  # noqa: ANN401  # as above
) -> DeviceHealth:
    """A device that has said the same in so many reports."""
    tallies = Tallies()
    for seq in range(1, reports + 1):
        tallies = add_health(tallies, report(seq, **said), since_s=10.0, starts=0)
    return DeviceHealth(device=name, hardware=hardware, now=tallies, before=before)


def drifting(name: str, ratios: list[float], *, hardware: str = "pi4") -> DeviceHealth:
    """A device with windows of these ratios."""
    tallies = Tallies()
    for seq, ratio in enumerate(ratios, 1):
        tallies = add_window(tallies, window(seq, ratio))
    return DeviceHealth(device=name, hardware=hardware, now=tallies)
