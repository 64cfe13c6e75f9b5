"""Answer times of many devices together: their counts add up, their percentiles would not."""

from fleetloop_hub.monitoring.overview import AnswerTimes
from fleetloop_shared.latency import quantile_us

_US_PER_MS = 1_000


def together(counts: list[int]) -> AnswerTimes | None:
    """The times of all calls; None without any.

    Args:
        counts: How many took how long, in the bins of `latency`.
    """
    median_us, most_us = (quantile_us(counts, share) for share in (0.5, 0.99))
    if median_us is None or most_us is None:
        return None
    return AnswerTimes(
        calls=sum(counts), p50_ms=median_us / _US_PER_MS, p99_ms=most_us / _US_PER_MS
    )
