"""How often the judge stops a healthy rollout, and lets a bad one go on, beside threshold rules.

Every rule sees the same simulated phases. The short ones (`support/rollout_worlds.py`): ten devices
have taken a version, forty keep the champion, and all are looked at six times within ten minutes.
The long ones (`support/simulated_rollouts.py`): 24 to 80 devices of three types over two days, with
bad hours, bursts of errors and devices that come and go, looked at every six hours. hawkBit stops
where errors / all devices of the group pass its error threshold and goes on where finished / all
reach its success threshold; AWS IoT Jobs aborts where failed / executed pass a percentage once a
minimum has executed. Both know installations only. Beside them stand the same rules fed with what
they do not measure: a device counts as failed if, by itself, it does worse than before by more than
our limits.
"""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from fleetloop_hub.judgement_records import Finding
from fleetloop_hub.judging.health import DeviceHealth, Rate
from fleetloop_hub.judging.weigh import weigh
from fleetloop_hub.spec.judge_table import JudgeTable
from support.rollout_worlds import LOOKS, Harm, Phase, phase
from support.simulated_rollouts import STEPS, Fault, draw

Figure = dict[str, Any]

ROLLOUTS = 1_000
TABLE = JudgeTable()
HARMS = {
    "healthy": Harm(),
    "errors +2 points": Harm(errors=0.02),
    "latency x 2": Harm(latency=1.0),
    "accuracy -5 points": Harm(accuracy=0.05),
}
FAULTS = {
    "healthy": Fault(),
    "errors +2 points": Fault(errors=0.02),
    "latency x 2": Fault(latency=2.0),
    "accuracy -5 points": Fault(accuracy=0.05),
}
_LOOK_EVERY = 6
_HAWKBIT_ERRORS, _HAWKBIT_SUCCESS = 0.2, 0.8
_AWS_PERCENT, _AWS_EXECUTED = 0.2, 3
_REPORT_S = 10

Rule = Callable[[Phase], bool | None]
"""True: stop; False: go on; None: not yet."""


def _ours(seen: Phase) -> bool | None:
    found = weigh(seen.treated, seen.control, TABLE).finding
    return None if found is Finding.UNDECIDED else found is Finding.HARMFUL


def _hawkbit(failed: int, finished: int, seen: Phase) -> bool | None:
    if failed / seen.phase > _HAWKBIT_ERRORS:
        return True
    return False if finished / seen.phase >= _HAWKBIT_SUCCESS else None


def _aws(failed: int, finished: int) -> bool | None:
    executed = failed + finished
    if executed >= _AWS_EXECUTED and failed / executed > _AWS_PERCENT:
        return True
    return None  # there is no rule for success: it goes on as the rate of its rollout says


def _worse(device: DeviceHealth) -> bool:
    """By itself, against its own past: the plain thresholds that a person would write down."""
    now, before = device.now, device.before
    if before is None:
        return False
    octaves = now.latency.total / now.latency.count - before.latency.total / before.latency.count
    return (
        _share(now.errors) > _share(before.errors) + TABLE.error_points / 100
        or _share(now.right) < _share(before.right) - TABLE.accuracy_points / 100
        or 2**octaves > TABLE.latency_ratio
    )


def _share(rate: Rate) -> float:
    return rate.count / rate.of


def _fed(seen: Phase) -> tuple[int, int]:
    bad = sum(map(_worse, seen.treated))
    return seen.failed + bad, seen.installed - bad


RULES: dict[str, Rule] = {
    "fleetloop": _ours,
    "hawkBit": lambda seen: _hawkbit(seen.failed, seen.installed, seen),
    "AWS IoT Jobs": lambda seen: _aws(seen.failed, seen.installed),
    "hawkBit's rule on health": lambda seen: _hawkbit(*_fed(seen), seen),
    "AWS' rule on health": lambda seen: _aws(*_fed(seen)),
}


def verdicts(harm: str, seed: int) -> dict[str, tuple[str, int]]:
    """What each rule does with one phase, and after how many reports of a device."""
    found: dict[str, tuple[str, int]] = {}
    for look, seen in zip(LOOKS, phase(seed, HARMS[harm]), strict=True):
        for name, rule in RULES.items():
            if name not in found and (said := rule(seen)) is not None:
                found[name] = ("stopped" if said else "went on", look)
        if "fleetloop" not in found and look == LOOKS[-1]:
            against = weigh(seen.treated, seen.control, TABLE).speaks_against
            found["fleetloop"] = ("held" if against else "patience", look)
    last = ("went on", LOOKS[-1])
    held = ("held", LOOKS[-1])
    return {n: found.get(n, last if n.startswith("AWS") else held) for n in RULES}


def long_verdicts(harm: str, seed: int) -> dict[str, tuple[str, int]]:
    """The same with a long phase: the judge, and rules that know how installations went."""
    world = draw(seed, FAULTS[harm])
    size = int(world.treated.sum())
    took = world.took_at < world.rows.shape[1]
    failed = int((world.failed & world.treated).sum())
    installed = int((took & world.treated).sum())
    found: dict[str, tuple[str, int]] = {}
    found["fleetloop"] = ("patience", STEPS)
    for step, treated, control in world.looks(_LOOK_EVERY):
        judged = weigh(treated, control, TABLE)
        if judged.finding is not Finding.UNDECIDED:
            stops = judged.finding is Finding.HARMFUL
            found["fleetloop"] = ("stopped" if stops else "went on", step)
            break
        found["fleetloop"] = ("held" if judged.speaks_against else "patience", STEPS)
    seen = Phase([], [], installed, failed, size)
    for name in ("hawkBit", "AWS IoT Jobs"):
        said = RULES[name](seen)
        on = "went on" if said is False or name.startswith("AWS") else "held"
        found[name] = ("stopped" if said else on, _LOOK_EVERY)
    return found


def run() -> list[Figure]:
    """All figures."""
    figures = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        for length, judge in (("ten minutes", verdicts), ("two days", long_verdicts)):
            for k, harm in enumerate(HARMS):
                seeds = range(1_000_000 * k, 1_000_000 * k + ROLLOUTS)
                found = list(pool.map(judge, [harm] * ROLLOUTS, seeds, chunksize=20))
                figures += _figures(harm, length, found)
    return figures


def _figures(harm: str, length: str, found: list[dict[str, tuple[str, int]]]) -> list[Figure]:
    wrong = {"stopped"} if harm == "healthy" else {"went on", "patience"}
    what = "healthy rollouts stopped" if harm == "healthy" else f"{harm}: let go on"
    shares = {name: 100 * sum(f[name][0] in wrong for f in found) / len(found) for name in found[0]}
    others = {name: f"{share:.1f} %" for name, share in shares.items() if name != "fleetloop"}
    outcomes = Counter(f["fleetloop"][0] for f in found)
    undecided = 100 * (outcomes["held"] + outcomes["patience"]) / len(found)
    looks = sorted(f["fleetloop"][1] for f in found if f["fleetloop"][0] in {"stopped", "went on"})
    told = {"decided at, median": _time(looks[len(looks) // 2], length)} if looks else {}
    if outcomes["held"] and length == "two days":
        told["of these figures speak against it"] = f"{100 * outcomes['held'] / len(found):.1f} %"
    return [
        _figure(
            f"{what}, {length}", shares["fleetloop"], 1.0 if harm == "healthy" else 5.0, others
        ),
        _figure(f"{harm}: not decided after {length}", undecided, None, told),
    ]


def _time(look: int, length: str) -> str:
    return f"{look} hours" if length == "two days" else f"{look * _REPORT_S // 60} minutes"


def _figure(metric: str, value: float, target: float | None, peers: dict[str, str]) -> Figure:
    return {
        "metric": metric,
        "value": round(value, 2),
        "unit": "%",
        "op": "" if target is None else "<=",
        "target": target or 0,
        "peers": peers,
    }
