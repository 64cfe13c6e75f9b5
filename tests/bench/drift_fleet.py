"""One device, one cohort or the world: how often a fleet in peace is accused, and what is found.

Rows of six correlated numbers, a category and a constant; a device's newest 1,024 rows are looked
at, and 2,048 quiet ones before them are known. Every device has something of its own in each mean.
Beside it stands what a person would do by hand: three standard deviations over the devices.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetloop_hub.monitoring import apart
from fleetloop_hub.monitoring.odd_one import judge_fleet
from fleetloop_hub.monitoring.yardstick import Standing
from fleetloop_hub.verdict_records import FleetVerdict, Who
from support.fleet_rows import Rows, World

Figure = dict[str, Any]
Fault = Callable[[Rows], None]

_ROWS, _QUIET_ROWS = 1_024, 2_048
_PEACE = {5: 400, 50: 60}
_FAULTY = {5: 60, 50: 12}
_SIGMA = 5.0


def run() -> list[Figure]:
    """False words in peace, power for each fault, the right verdict for each case, and cost."""
    figures = []
    for own_sd in (0.0, 0.5):
        for count, looks in _PEACE.items():
            figures += _peace(own_sd, count, looks)
    for name, fault in _faults().items():
        figures += [_power(name, fault, count, looks) for count, looks in _FAULTY.items()]
    return [*figures, *_cases(), _cost()]


def _faults() -> dict[str, Fault]:
    def offset(rows: Rows, sds: float) -> None:
        rows[:, 0] += sds * _SIGMA

    def swap(rows: Rows) -> None:
        rows[:, [0, 1]] = rows[:, [1, 0]]

    def stuck(rows: Rows) -> None:
        rows[:, 2] = 20

    def noisy(rows: Rows) -> None:
        rows[:, 2] += np.random.default_rng(0).normal(0, _SIGMA, len(rows))

    def lost(rows: Rows) -> None:
        rows[::50, 3] = np.nan

    return {
        "+0.5 sd of one feature": lambda rows: offset(rows, 0.5),
        "+1 sd of one feature": lambda rows: offset(rows, 1.0),
        "two wires exchanged": swap,
        "a stuck sensor": stuck,
        "a sensor with noise of 1 sd": noisy,
        "2 % missing": lost,
    }


def _standings(
    world: World, count: int, *, fault: Fault | None = None, faulty: int = 1
) -> list[Standing]:
    standings = []
    for k in range(count):
        own = world.own()
        rows, usual = world.rows(_ROWS, own), world.rows(_QUIET_ROWS, own)
        if fault is not None and k < faulty:
            fault(rows)
        standings.append(world.stand(f"d{k:03d}", rows, usual=usual))
    return standings


def _judge(world: World, standings: list[Standing]) -> FleetVerdict:
    return judge_fleet("m", 1, world.yardstick, standings)


def _peace(own_sd: float, count: int, looks: int) -> list[Figure]:
    """Devices called apart from the others, whether or not they also see drift."""
    world = World(width=8, apart=own_sd, seed=1)
    ours, new, by_hand = 0, 0, 0
    for _ in range(looks):
        standings = _standings(world, count)
        ours += bool(apart.find(standings, world.yardstick).odd)
        unknown = [replace(s, usual=None) for s in standings]
        new += bool(apart.find(unknown, world.yardstick).odd)
        by_hand += _three_sigma(np.array([s.values for s in standings]))
    what = f"false words in peace, {count} devices that differ by {own_sd:g} sd"
    peers = {"three standard deviations": round(1_000 * by_hand / looks)}
    return [
        _figure(what, 1_000 * ours / looks, "per 1,000 looks", ("<=", 15), peers),
        _figure(f"{what}, no quiet time", 1_000 * new / looks, "per 1,000 looks", ("<=", 15)),
    ]


def _three_sigma(values: npt.NDArray[np.float64]) -> bool:
    spread = values.std(axis=0, ddof=1)
    return bool((np.abs(values - values.mean(axis=0)) > 3 * np.maximum(spread, 1e-9)).any())


def _power(name: str, fault: Fault, count: int, looks: int) -> Figure:
    """How often the one faulty device is named, and no other."""
    world = World(width=8, apart=0.1, seed=2)
    found, new, by_hand = 0, 0, 0
    for _ in range(looks):
        standings = _standings(world, count, fault=fault)
        found += [o.name for o in _judge(world, standings).devices] == ["d000"]
        unknown = [replace(s, usual=None) for s in standings]
        new += [o.name for o in _judge(world, unknown).devices] == ["d000"]
        by_hand += _three_sigma(np.array([s.values for s in standings]))
    return _figure(
        f"named alone: {name}, one of {count}",
        100 * found / looks,
        "%",
        ("", None) if "0.5" in name else (">=", 90),
        {"no quiet time": f"{100 * new / looks:.0f} %", "3 sd": f"{100 * by_hand / looks:.0f} %"},
    )


def _cases() -> list[Figure]:
    """The right verdict where more than one device is involved."""
    world = World(width=8, apart=0.1, seed=3)
    offset = _faults()["+1 sd of one feature"]
    cases: dict[str, tuple[Who, Callable[[], list[Standing]]]] = {
        "5 of 50 devices off": (Who.DEVICES, lambda: _standings(world, 50, fault=offset, faulty=5)),
        "all of 5 moved": (Who.FLEET, lambda: _standings(world, 5, fault=offset, faulty=5)),
        "all of 50 moved": (Who.FLEET, lambda: _standings(world, 50, fault=offset, faulty=50)),
        "a cohort of 10 beside 40": (
            Who.COHORTS,
            lambda: [
                replace(s, cohort="south" if k < 10 else "north")  # the case
                for k, s in enumerate(_standings(world, 50, fault=offset, faulty=10))
            ],
        ),
    }
    figures = []
    for name, (who, made) in cases.items():
        looks = 10
        right = sum(_judge(world, made()).who is who for _ in range(looks))
        figures.append(_figure(f"right verdict: {name}", 100 * right / looks, "%", (">=", 90)))
    return figures


def _cost() -> Figure:
    """One verdict on a thousand devices of thirty features."""
    world = World(width=30, seed=4)
    pool = _standings(world, 20)
    many = [replace(pool[k % 20], device=f"d{k:04d}") for k in range(1_000)]
    took = []
    for _ in range(3):
        began = time.process_time()
        _judge(world, many)
        took.append(time.process_time() - began)
    return _figure("a verdict on 1,000 devices", min(took), "s of CPU", ("", None))


def _figure(
    metric: str,
    value: float,
    unit: str,
    target: tuple[str, float | None],
    peers: dict[str, Any] | None = None,
) -> Figure:
    op, limit = target
    return {
        "metric": metric,
        "value": round(value, 2),
        "unit": unit,
        "op": op,
        "target": limit,
        "peers": peers or {},
    }
