"""Adds a report to what its device did under one version."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from fleetloop_hub.judging.health import Tallies
from fleetloop_shared.latency import BINS
from fleetloop_shared.reports import DriftReport, HealthReport

_BIN_MIDDLE = (np.arange(BINS) - 0.5) / 2
_LEAST_RATIO = 2.0**-10


def add_health(tallies: Tallies, report: HealthReport, *, since_s: float, starts: int) -> Tallies:
    """The tallies with one health report more.

    Args:
        tallies: Up to then.
        report: What serving saw since the last one.
        since_s: Seconds that it covers.
        starts: Starts of the agent since the last one.
    """
    tried = report.rows + report.errors
    latency = tallies.latency
    calls = sum(report.latency_counts)
    if calls:
        latency = latency.add(float(_BIN_MIDDLE @ report.latency_counts) / calls)
    right = tallies.right
    if report.labels_correct is not None:
        right = right.add(report.labels, report.labels_correct)
    return msgspec.structs.replace(
        tallies,
        errors=tallies.errors.add(tried, report.errors),
        abstained=tallies.abstained.add(tried + report.abstained, report.abstained),
        right=right,
        latency=latency,
        latency_counts=_sum(tallies.latency_counts, report.latency_counts),
        answers=_sum(tallies.answers, report.answer_counts),
        served_s=tallies.served_s + since_s,
        restarts=tallies.restarts + starts,
        memory=tallies.memory.add(math.log2(max(report.rss_bytes, 1))),
    )


def add_window(tallies: Tallies, report: DriftReport) -> Tallies:
    """The tallies with one reporting window more."""
    estimate = tallies.estimate
    if report.estimate is not None and report.estimate.value is not None:
        estimate = estimate.add(report.estimate.value)
    drift = tallies.drift.add(math.log2(max(report.ratio, _LEAST_RATIO)))
    return msgspec.structs.replace(tallies, drift=drift, estimate=estimate)


def _sum(counts: Sequence[int], more: list[int]) -> tuple[int, ...]:
    """Counts added up; those of another length are another question's, and the newer ones stay."""
    if len(counts) != len(more):
        return tuple(more) if more else tuple(counts)
    return tuple(a + b for a, b in zip(counts, more, strict=True))
