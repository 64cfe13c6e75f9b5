"""Counts what reports of devices tell, as they are taken in."""

from collections.abc import Iterable, Sequence

from fleetloop_hub.metrics.families import (
    ALARMS,
    ANSWER_S,
    DROPPED,
    EVENTS,
    FAILURES,
    FIRST_BIN,
    LABELS,
    LABELS_RIGHT,
    PREDICTIONS,
    REJECTED,
    REPORTS,
    SAMPLES,
    WINDOWS,
)
from fleetloop_hub.metrics.meter import Meter
from fleetloop_shared.latency import BINS, bounds_us
from fleetloop_shared.reports import (
    DriftReport,
    EventReport,
    HealthReport,
    Report,
    SampleReport,
)

NO_MODEL = ("none", "0")
"""Stands for the version of a device that has loaded none."""

_US_PER_S = 1e6


def _middle_s(k: int) -> float:
    low, high = bounds_us(k)
    return (low if k == BINS - 1 else (low + high) / 2) / _US_PER_S


_MIDDLES_S = [_middle_s(k) for k in range(BINS)]


def note(meter: Meter, fresh: Iterable[tuple[str, Report]]) -> None:
    """Count reports, each of which is told once.

    Args:
        meter: Where they are counted.
        fresh: Kind and message.
    """
    for kind, report in fresh:
        meter.add(REPORTS, kind)
        match report:
            case HealthReport():
                _health(meter, report)
            case DriftReport() if report.closed:
                version = report.model, str(report.version)
                meter.add(WINDOWS, *version)
                meter.add(ALARMS, *version, by=report.alarm)
            case EventReport():
                meter.add(EVENTS, str(report.kind))
            case SampleReport():
                for sample in report.samples:
                    meter.add(SAMPLES, str(sample.reason))
            case _:
                pass


def _health(meter: Meter, report: HealthReport) -> None:
    loaded = NO_MODEL if report.model is None else (report.model, str(report.version))
    meter.add(PREDICTIONS, *loaded, by=report.rows)
    meter.add(FAILURES, *loaded, by=report.errors)
    meter.add(REJECTED, *loaded, by=report.refused)
    meter.add(LABELS, *loaded, by=report.labels)
    meter.add(LABELS_RIGHT, *loaded, by=report.labels_correct or 0)
    meter.add(DROPPED, by=report.dropped)
    counts = report.latency_counts
    if any(counts):
        total_s = sum(n * s for n, s in zip(counts, _MIDDLES_S, strict=True))
        meter.merge(ANSWER_S, in_buckets(counts), total_s, *loaded)


def in_buckets(counts: Sequence[int]) -> list[int]:
    """Counts in the bins of `latency` as counts in the buckets of the exposition, exactly.

    >>> counts = [1] * BINS
    >>> told = in_buckets(counts)
    >>> told[0], told[1], told[-1], sum(told) == BINS
    (9, 2, 1, True)
    """
    pairs = [counts[k] + counts[k + 1] for k in range(FIRST_BIN, BINS - 1, 2)]
    return [sum(counts[:FIRST_BIN]), *pairs, counts[BINS - 1]]
