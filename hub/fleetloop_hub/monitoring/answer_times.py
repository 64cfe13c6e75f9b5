"""Answer times of many devices together: their counts add up, their percentiles would not."""

from collections.abc import Iterable

from fleetloop_hub.monitoring.overview import AnswerTimes
from fleetloop_shared.latency import BINS, quantile_us
from fleetloop_shared.reports import HealthReport

_US_PER_MS = 1_000


def together(reports: Iterable[HealthReport]) -> AnswerTimes | None:
    """The times of all calls that these reports tell of; None without any."""
    counts = [sum(bins) for bins in zip(*(r.latency_counts for r in reports), strict=True)]
    median_us, most_us = (quantile_us(counts or [0] * BINS, share) for share in (0.5, 0.99))
    if median_us is None or most_us is None:
        return None
    return AnswerTimes(
        calls=sum(counts), p50_ms=median_us / _US_PER_MS, p99_ms=most_us / _US_PER_MS
    )
