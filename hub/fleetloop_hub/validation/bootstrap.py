"""How sure a measured number is: intervals from resampled rows.

Neighbouring rows in time resemble each other, so blocks of them are drawn, not single rows:
the circular block bootstrap (Politis and Romano, 1992) with blocks of about n^(1/3) rows.
"""

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.validation.metrics import METRICS, Answers, Floats, measure

_RESAMPLES = (400, 2_000)
_ALL_CELLS = 40_000_000
"""Rows drawn in all: of more than 20,000 rows there are fewer resamples."""
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


def deviation(metric: Metric, answers: Answers, seed: int) -> float:
    """The standard deviation of a metric over resampled rows."""
    drawn = np.concatenate([METRICS[metric](answers, w) for w in draws(len(answers), seed)])
    drawn = drawn[np.isfinite(drawn)]
    return float(drawn.std()) if len(drawn) else 0.0


def draws(rows: int, seed: int) -> Iterator[Floats]:
    """How often each row was drawn, a line for each resample; a limited number of lines a time."""
    resamples = max(_RESAMPLES[0], min(_RESAMPLES[1], _ALL_CELLS // rows))
    if resamples * rows <= _CELLS:
        yield _kept(rows, seed, resamples)
        return
    rng = np.random.default_rng(seed)
    lines = max(1, min(resamples, _CELLS // rows))
    for first in range(0, resamples, lines):
        yield _drawn(rows, rng, min(lines, resamples - first))


@lru_cache(maxsize=4)
def _kept(rows: int, seed: int, many: int) -> Floats:
    """The same for few rows, kept because every gate asks for it."""
    drawn = _drawn(rows, np.random.default_rng(seed), many)
    drawn.flags.writeable = False
    return drawn


def _drawn(rows: int, rng: np.random.Generator, many: int) -> Floats:
    """A block raises the count where it starts and lowers it behind its end; the sum is the count.

    Blocks that run over the last row go on at the first; the last block is cut to what is missing.
    """
    block = max(1, math.ceil(rows ** (1 / 3)))
    blocks = math.ceil(rows / block)
    starts = rng.integers(rows, size=(many, blocks))
    stops = starts + block
    stops[:, -1] -= blocks * block - rows
    width = rows + block + 1
    line = width * np.arange(many)[:, None]
    steps = np.bincount((starts + line).ravel(), minlength=many * width)
    steps -= np.bincount((stops + line).ravel(), minlength=many * width)
    counts = steps.reshape(many, width).cumsum(axis=1).astype(np.float64)
    counts[:, :block] += counts[:, rows : rows + block]
    return np.ascontiguousarray(counts[:, :rows])


def ends(drawn: Floats, point: float) -> tuple[float, float]:
    """The percentiles; a resample that lacks a class says nothing and is left out."""
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return point, point
    low, high = np.percentile(drawn, _PERCENT)
    return float(low), float(high)
