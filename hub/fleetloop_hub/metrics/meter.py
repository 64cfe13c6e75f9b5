"""Counts in memory what happens while the hub runs; a counter begins at 0 with each start.

Written by hand and not with the library's own counters, since those have no bound on their series
and expose the time at which each was made as a metric of its own.
"""

import threading
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from fleetloop_hub.metrics.families import FAMILIES, MOST_SERIES, OTHER, Family, Kind

Labels = tuple[str, ...]


class Meter:
    """Numbers by metric and label values. Safe to be called from many threads."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._lock = threading.Lock()
        self._numbers: dict[Family, dict[Labels, float]] = {f: {} for f in FAMILIES}
        self._buckets: dict[Family, dict[Labels, tuple[list[int], float]]]
        self._buckets = {f: {} for f in FAMILIES if f.kind is Kind.HISTOGRAM}
        for family in FAMILIES:
            if not family.labels and family.kind is Kind.COUNTER:
                self._numbers[family][()] = 0.0
            self._numbers[family].update({(value,): 0.0 for value in family.known})

    def add(self, family: Family, *labels: str, by: float = 1.0) -> None:
        """Let a counter grow."""
        with self._lock:
            series = self._numbers[family]
            name = _bounded(series, labels)
            series[name] = series.get(name, 0.0) + by

    def set(self, family: Family, value: float, *labels: str) -> None:
        """Say what a gauge shows."""
        with self._lock:
            series = self._numbers[family]
            series[_bounded(series, labels)] = value

    def observe(self, family: Family, seconds: float, *labels: str) -> None:
        """Count a duration into its bucket."""
        counts = [0] * (len(family.bounds) + 1)
        counts[bisect_left(family.bounds, seconds)] = 1
        self.merge(family, counts, seconds, *labels)

    def merge(self, family: Family, counts: Sequence[int], seconds: float, *labels: str) -> None:
        """Count many durations at once.

        Args:
            family: A histogram.
            counts: How many a bucket, and of those beyond the last.
            seconds: Their sum.
            *labels: Values of its labels.
        """
        with self._lock:
            series = self._buckets[family]
            name = _bounded(series, labels)
            before, total_s = series.get(name, ([0] * len(counts), 0.0))
            added = [a + b for a, b in zip(before, counts, strict=True)]
            series[name] = added, total_s + seconds

    def value(self, family: Family, *labels: str) -> float:
        """A number as it stands, 0 before the first."""
        with self._lock:
            return self._numbers[family].get(labels, 0.0)

    def collect(self) -> Iterator[Metric]:
        """Everything that was counted here, for an exposition."""
        with self._lock:
            numbers = {f: dict(series) for f, series in self._numbers.items() if series}
            buckets = {f: dict(series) for f, series in self._buckets.items()}
        for family, series in numbers.items():
            yield metric(family, series)
        for family, histograms in buckets.items():
            yield _histogram(family, histograms)


def metric(family: Family, series: Mapping[Labels, float]) -> Metric:
    """A counter or gauge with its numbers."""
    kind = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    made = kind(family.name, family.text, labels=family.labels)
    for labels, value in sorted(series.items()):
        made.add_metric(labels, value)
    return made


def _histogram(family: Family, series: dict[Labels, tuple[list[int], float]]) -> Metric:
    made = HistogramMetricFamily(family.name, family.text, labels=family.labels)
    ends = [*map(_written, family.bounds), "+Inf"]
    for labels, (counts, total_s) in sorted(series.items()):
        buckets = list(zip(ends, map(float, accumulate(counts)), strict=True))
        made.add_metric(labels, buckets, total_s)
    return made


def _written(bound_s: float) -> str:
    """A bucket's end, as Prometheus writes numbers.

    >>> [_written(s) for s in (1.6e-05, 0.25, 1.0, 8.388608)]
    ['1.6e-05', '0.25', '1.0', '8.388608']
    """
    return repr(float(bound_s))


def _bounded(series: Collection[Labels], labels: Labels) -> Labels:
    """These labels, or `other` for each where too many are told apart already."""
    if labels in series or len(series) < MOST_SERIES:
        return labels
    return (OTHER,) * len(labels)
