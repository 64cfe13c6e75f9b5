"""How sure a measured number is: intervals from resampled rows.

Neighbouring rows in time resemble each other, so blocks of them are drawn, not single rows:
the circular block bootstrap (Politis and Romano, 1992) with blocks of about n^(1/3) rows.
"""

import math
from collections.abc import Iterator

import numpy as np

from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.validation.metrics import METRICS, Answers, Floats, measure

_RESAMPLES = 2_000
_PERCENT = (2.5, 97.5)
_CELLS = 4_000_000


def interval(metric: Metric, answers: Answers, seed: int) -> tuple[float, float]:
    """The 95 % interval of a metric."""
    drawn = [METRICS[metric](answers, weights) for weights in draws(len(answers), seed)]
    return ends(np.concatenate(drawn), measure(metric, answers))


def paired_interval(
    metric: Metric, answers: Answers, other: Answers, seed: int
) -> tuple[float, float]:
    """The 95 % interval of a metric's difference, `answers` minus `other`, on the same rows."""
    compute = METRICS[metric]
    drawn = [
        compute(answers, weights) - compute(other, weights) for weights in draws(len(answers), seed)
    ]
    return ends(np.concatenate(drawn), measure(metric, answers) - measure(metric, other))


def draws(rows: int, seed: int) -> Iterator[Floats]:
    """How often each row was drawn, a line for each resample; a limited number of lines a time."""
    rng = np.random.default_rng(seed)
    block = max(1, math.ceil(rows ** (1 / 3)))
    lines = max(1, min(_RESAMPLES, _CELLS // rows))
    for first in range(0, _RESAMPLES, lines):
        many = min(lines, _RESAMPLES - first)
        starts = rng.integers(rows, size=(many, math.ceil(rows / block)))
        picks = (starts[:, :, None] + np.arange(block)).reshape(many, -1)[:, :rows] % rows
        flat = (picks + rows * np.arange(many)[:, None]).ravel()
        yield np.bincount(flat, minlength=many * rows).reshape(many, rows).astype(np.float64)


def ends(drawn: Floats, point: float) -> tuple[float, float]:
    """The percentiles; a resample that lacks a class says nothing and is left out."""
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return point, point
    low, high = np.percentile(drawn, _PERCENT)
    return float(low), float(high)
