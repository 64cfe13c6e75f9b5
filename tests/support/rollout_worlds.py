"""Simulated phases of rollouts: devices that differ, whose days differ, and that come and go.

What a device reports follows from rates of its own, which drift from report to report (a first
order autoregression), so that neither rows nor reports are independent.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_hub.judging.health import DeviceHealth, Level, Rate, Tallies
from fleetloop_shared.latency import BINS

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

TREATED, CONTROL = 10, 40
LOOKS = (6, 12, 20, 30, 45, 60)
"""Reports of ten seconds after which the phase is looked at: the last is ten minutes in."""

HISTORY = 60
ROWS, LABEL_SHARE = 40, 0.5
_KEPT = 0.8
_EDGES = (np.arange(BINS + 1) - 1) / 2


@dataclass(frozen=True)
class Harm:
    """What the new version does worse.

    Attributes:
        errors: Share of rows it fails on beyond the champion's.
        latency: Octaves by which calls take longer.
        accuracy: Share of labelled rows that it answers wrongly beyond the champion's.
    """

    errors: float = 0.0
    latency: float = 0.0
    accuracy: float = 0.0


@dataclass(frozen=True)
class Phase:
    """Both sides at one look.

    Attributes:
        treated: Devices that took the version.
        control: Those that keep the champion.
        installed: How many of the phase's devices have it.
        failed: How many could not install it, for reasons of their own.
        phase: How many devices the phase has, offline ones among them.
    """

    treated: list[DeviceHealth]
    control: list[DeviceHealth]
    installed: int
    failed: int
    phase: int


def phase(seed: int, harm: Harm) -> Iterator[Phase]:
    """One phase at each of its looks."""
    rng = np.random.default_rng(seed)
    devices = TREATED + CONTROL
    treated = np.arange(devices) < TREATED
    offline = rng.random(devices) < 0.1
    refused = treated & ~offline & (rng.random(devices) < 0.02)
    taken = treated & ~offline & ~refused
    world = _World(rng, devices)
    before = world.serve(HISTORY, Harm(), np.zeros(devices, np.bool_))
    earlier = [_tallies(before, device) for device in range(devices)]
    counted = [Tallies()] * devices
    for reports in np.diff([0, *LOOKS]):
        served = world.serve(int(reports), harm, taken)
        counted = [_added(counted[d], _tallies(served, d)) for d in range(devices)]
        made = [
            DeviceHealth(
                device=f"d-{d}", hardware=("pi3", "pi4")[d % 2], now=counted[d], before=earlier[d]
            )
            for d in range(devices)
        ]
        yield Phase(
            [made[d] for d in np.flatnonzero(taken)],
            [made[d] for d in np.flatnonzero(~treated & ~offline)],
            int(taken.sum()),
            int(refused.sum()),
            TREATED,
        )


@dataclass(frozen=True)
class _Served:
    tried: Counts
    errors: Counts
    right: Counts
    labels: int
    log_time: Floats
    times: Counts


class _World:
    """Devices with rates of their own that wander."""

    def __init__(self, rng: np.random.Generator, devices: int) -> None:
        self._rng = rng
        self._error = rng.gamma(2.0, 0.0015, devices)
        self._accuracy = np.clip(rng.normal(0.9, 0.02, devices), 0.5, 0.99)
        self._time = rng.normal(8.0, 0.4, devices)
        self._noise = np.zeros((3, devices))

    def serve(self, reports: int, harm: Harm, taken: npt.NDArray[np.bool_]) -> _Served:
        """So many reports of every device: arrays of (reports, devices)."""
        wander = np.stack([self._step() for _ in range(reports)])
        error = self._error * np.exp(0.5 * wander[:, 0]) + harm.errors * taken
        right = self._accuracy + 0.02 * wander[:, 1] - harm.accuracy * taken
        log_time = self._time + 0.1 * wander[:, 2] + harm.latency * taken
        labels = int(ROWS * LABEL_SHARE)
        errors = self._rng.binomial(ROWS, np.clip(error, 0, 1))
        return _Served(
            tried=np.full(errors.shape, ROWS),
            errors=errors,
            right=self._rng.binomial(labels, np.clip(right, 0, 1)),
            labels=labels,
            log_time=log_time + self._rng.normal(0, 0.6 / np.sqrt(ROWS), log_time.shape),
            times=self._times(log_time.mean(axis=0), reports),
        )

    def _step(self) -> Floats:
        fresh = self._rng.normal(0, np.sqrt(1 - _KEPT**2), self._noise.shape)
        self._noise = _KEPT * self._noise + fresh
        return self._noise

    def _times(self, log_time: Floats, reports: int) -> Counts:
        """Calls of each device in the bins of half an octave; a call's time is log-normal."""
        z = (_EDGES[None, :] - log_time[:, None]) / 0.6
        below = 1 / (1 + np.exp(-1.702 * z))  # the normal distribution, within 0.01
        shares = np.diff(below, axis=1)
        shares /= shares.sum(axis=1, keepdims=True)
        return self._rng.multinomial(ROWS * reports, shares)


def _tallies(served: _Served, device: int) -> Tallies:
    tried, errors, right = (a[:, device] for a in (served.tried, served.errors, served.right))
    times = served.log_time[:, device]
    reports = len(times)
    return Tallies(
        errors=Rate(int(tried.sum()), int(errors.sum()), float((errors**2 / tried).sum()), reports),
        right=Rate(
            served.labels * reports,
            int(right.sum()),
            float((right**2 / served.labels).sum()),
            reports,
        ),
        latency=Level(reports, float(times.sum()), float(times @ times)),
        latency_counts=tuple(served.times[device].tolist()),
    )


def _added(one: Tallies, other: Tallies) -> Tallies:
    def rates(a: Rate, b: Rate) -> Rate:
        return Rate(a.of + b.of, a.count + b.count, a.clumps + b.clumps, a.reports + b.reports)

    a, b = one.latency, other.latency
    return Tallies(
        errors=rates(one.errors, other.errors),
        right=rates(one.right, other.right),
        latency=Level(a.count + b.count, a.total + b.total, a.squares + b.squares),
        latency_counts=tuple(map(sum, zip(one.latency_counts, other.latency_counts, strict=True))),
    )
