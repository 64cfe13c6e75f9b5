"""Rollouts as fleets have them: devices that differ, go offline, and have good and bad hours.

One seed is one rollout: a canary of a quarter of the fleet takes a version, the others keep the
champion, and every device that is there reports each step. Made whole at once, as arrays.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetloop_hub.judging.health import DeviceHealth, Tallies
from fleetloop_shared.latency import BINS

Array = npt.NDArray[Any]

PAST = 24
"""Steps before the phase, of an hour each."""

STEPS = 48
"""Steps of the phase."""

HARDWARE = ("board", "gateway", "module")
CANARY = 0.25
STEP_S = 3_600.0

_SHARES = (0.5, 0.35, 0.15)
_LOG2_US = np.array([9.0, 10.5, 12.0])
_CALLS = 20
_LABELLED = 0.1


@dataclass(frozen=True)
class Fault:
    """What is wrong with the version; nothing by default.

    Attributes:
        errors: More rows of one that fail.
        latency: How many times longer a call takes.
        accuracy: Fewer right answers of one.
        hardware: The type it is wrong on, "" for all.
    """

    errors: float = 0.0
    latency: float = 1.0
    accuracy: float = 0.0
    hardware: str = ""


@dataclass
class World:
    """One rollout; every array has the shape (devices, steps), the past first.

    Attributes:
        treated: Who is of the canary.
        kind: Hardware types, as places in `HARDWARE`.
        online: Whether a device is there at a step.
        took_at: The step at which it takes the version; beyond the last if it never does.
        failed: Whether installing fails by chance, whatever the version is worth.
        rows: Rows asked.
        errors: Rows that failed.
        labels: Labels that came.
        right: Right answers among them.
        times: Counts of calls by bin, shape (devices, steps, bins).
        log2_us: Mean log2 of a step's calls.
        memory: log2 of resident bytes.
        restarts: Starts of the agent.
    """

    treated: Array
    kind: Array
    online: Array
    took_at: Array
    failed: Array
    rows: Array
    errors: Array
    labels: Array
    right: Array
    times: Array
    log2_us: Array
    memory: Array
    restarts: Array
    _sums: dict[str, Array] = field(default_factory=dict)

    @property
    def on_it(self) -> Array:
        """Whether a device runs the new version at a step."""
        steps = np.arange(self.rows.shape[1])
        return (steps[None] >= self.took_at[:, None]) & self.treated[:, None]

    def looks(self, every: int) -> Iterator[tuple[int, list[DeviceHealth], list[DeviceHealth]]]:
        """The step, the treated devices that have reported, and the control, look by look."""
        tallied = [self._tallied(d) for d in range(len(self.kind))]
        for step in range(every, STEPS + 1, every):
            sides: tuple[list[DeviceHealth], list[DeviceHealth]] = ([], [])
            for device, (before, now) in enumerate(tallied):
                if now[step - 1].errors.of or not self.treated[device]:
                    health = DeviceHealth(
                        device=f"d{device}",
                        hardware=HARDWARE[self.kind[device]],
                        now=now[step - 1],
                        before=before,
                    )
                    sides[not self.treated[device]].append(health)
            yield step, *sides

    def _tallied(self, device: int) -> tuple[Tallies, list[Tallies]]:
        """What a device's reports add up to: before the phase, and at each step of it."""
        before = Tallies()
        for step in range(PAST):
            before = self._add(before, device, step)
        now, at_each = Tallies(), []
        for step in range(PAST, PAST + STEPS):
            if not self.treated[device] or step >= self.took_at[device]:
                now = self._add(now, device, step)
            at_each.append(now)
        return before, at_each

    def _add(self, old: Tallies, device: int, step: int) -> Tallies:
        if not self.online[device, step]:
            return old
        at = device, step
        times = self.times[at]
        return Tallies(
            errors=old.errors.add(int(self.rows[at]), int(self.errors[at])),
            right=old.right.add(int(self.labels[at]), int(self.right[at])),
            latency_counts=np.add(old.latency_counts, times),
            latency=old.latency.add(float(self.log2_us[at])),
            served_s=old.served_s + STEP_S,
            restarts=old.restarts + int(self.restarts[at]),
            memory=old.memory.add(float(self.memory[at])),
        )


def draw(seed: int, fault: Fault, *, fewest: int = 24, most: int = 80) -> World:
    """One rollout.

    Devices differ: error rates by a factor of two (0.4 % in the middle), times by a quarter beyond
    their type's, accuracies by two points about 90 %, rows by a factor of two. An hour is like the
    one before it, for a device and for the whole fleet. One device in ten is never there, the
    others come and go; one in fifty fails to install by chance; one in two hundred hours of a
    device a fifth of its rows fails. A tenth of the rows is labelled later.
    """
    rng = np.random.default_rng(seed)
    devices = int(rng.integers(fewest, most + 1))
    steps = PAST + STEPS
    shape = devices, steps
    kind = rng.choice(len(HARDWARE), devices, p=_SHARES)
    treated = np.zeros(devices, np.bool_)
    treated[rng.choice(devices, max(1, round(CANARY * devices)), replace=False)] = True
    online = _online(rng, shape)
    takes = PAST + rng.integers(0, 3, devices)
    came = np.where(online & (np.arange(steps)[None] >= takes[:, None]), np.arange(steps), steps)
    took_at, failed = came.min(axis=1), rng.random(devices) < 0.02  # see above
    took_at = np.where(failed, steps, took_at)
    on_it = (np.arange(steps)[None] >= took_at[:, None]) & treated[:, None]
    if fault.hardware:
        on_it &= (kind == HARDWARE.index(fault.hardware))[:, None]
    rows = rng.poisson(100 * np.exp(rng.normal(0, 0.7, (devices, 1))) * np.ones(shape)) + 1
    rate = 0.004 * np.exp(rng.normal(0, 0.7, (devices, 1)) + 0.5 * _slow(rng, shape, 0.9))
    rate = rate * np.exp(0.3 * _slow(rng, (1, steps), 0.9)) + fault.errors * on_it
    rate = rate + 0.2 * (rng.random(shape) < 0.005)  # see above
    errors = rng.binomial(rows, np.minimum(rate, 1.0))
    middle = _LOG2_US[kind][:, None] + rng.normal(0, 0.3, (devices, 1))
    middle = middle + 0.15 * _slow(rng, shape, 0.8) + 0.1 * _slow(rng, (1, steps), 0.9)
    calls = middle[..., None] + rng.normal(0, 0.4, (*shape, _CALLS))
    calls += np.log2(fault.latency) * on_it[..., None]
    right = 0.9 + rng.normal(0, 0.02, (devices, 1)) + 0.01 * _slow(rng, shape, 0.9)
    right = right + 0.01 * _slow(rng, (1, steps), 0.9) - fault.accuracy * on_it
    labels = rng.binomial(rows - errors, _LABELLED)
    memory = 25.5 + rng.normal(0, 0.1, (devices, 1)) + 0.02 * rng.normal(size=shape)
    return World(
        treated=treated,
        kind=kind,
        online=online,
        took_at=took_at,
        failed=failed,
        rows=rows,
        errors=errors,
        labels=labels,
        right=rng.binomial(labels, np.clip(right, 0.0, 1.0)),
        times=_binned(calls),
        log2_us=calls.mean(axis=2),
        memory=memory,
        restarts=rng.random(shape) < 0.01,  # one in a hundred hours
    )


def _online(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Who is there when: one in ten never, the others three hours of four or so."""
    devices, steps = shape
    there = np.empty(shape, np.bool_)
    there[:, 0] = rng.random(devices) < 0.8  # as it settles
    leaves, comes = rng.random(shape) < 0.08, rng.random(shape) < 0.3  # an hour
    for step in range(1, steps):
        before = there[:, step - 1]
        there[:, step] = np.where(before, ~leaves[:, step], comes[:, step])
    there[rng.random(devices) < 0.1] = False  # one in ten
    return there


def _slow(rng: np.random.Generator, shape: tuple[int, int], memory: float) -> Array:
    """Noise of variance 1 in which a step is like the one before it: an AR(1) process."""
    noise = rng.normal(size=shape)
    fresh = np.sqrt(1 - memory**2)
    for step in range(1, shape[1]):
        noise[:, step] = memory * noise[:, step - 1] + fresh * noise[:, step]
    return noise


def _binned(calls: Array) -> Array:
    """Counts of log2 microseconds by bin of half an octave."""
    places = np.clip(np.floor(2 * calls).astype(np.int64) + 1, 0, BINS - 1)
    devices, steps, many = places.shape
    flat = (np.arange(devices * steps)[:, None] * BINS + places.reshape(-1, many)).ravel()
    return np.bincount(flat, minlength=devices * steps * BINS).reshape(devices, steps, BINS)
