"""The test with labels: how often it alarms where nothing has happened, and how soon where it has.

A model that was right in 85 of 100 must be in at least 83. River's DDM gets streams of the same
kind, without the drop.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetloop_shared.estimate.betting import LabelTest
from fleetloop_shared.estimate.records import AccuracyReference
from support.peers import run_script

Figure = dict[str, Any]
Flags = npt.NDArray[np.bool_]

LABELS, STREAMS = 20_000, 400
DROPS = {6: None, 8: None, 10: 300, 15: None, 20: None}
"""Points, and the labels within which a drop must be seen."""

_USUAL, _ALLOWED = 0.15, 0.17
_GOOD = 2_000
_TRIES = 101
"""Streams of each drop."""

GATE = AccuracyReference(
    metric="accuracy",
    value=1 - _USUAL,
    low=0.84,
    high=0.86,
    rows=32,
    counts=[1] * 32,
    expected=[1 - _USUAL] * 32,
    spread=[0.36] * 32,
    loss_bound=_ALLOWED,
    loss_cap=1.0,
    bound_from="gate",
)


def run() -> list[Figure]:
    """All figures."""
    random = np.random.default_rng(0)
    alarms = sum(_first(random.random(LABELS) < _USUAL) is not None for _ in range(STREAMS))
    edge = sum(_first(random.random(LABELS) < _ALLOWED) is not None for _ in range(STREAMS // 4))
    beside = {
        "streams of 20,000 labels": STREAMS,
        "just at the bound": f"{edge} of {STREAMS // 4}",
        "DDM, alarms in 2,000 labels": _ddm(),
    }
    return [
        _figure("false alarms, 2 points above the bound", alarms, "streams", beside, 4),
        *[_drop(random, points, target) for points, target in DROPS.items()],
    ]


def _drop(random: np.random.Generator, points: int, target: int | None) -> Figure:
    wrong = _USUAL + points / 100
    seen = [_first(random.random(6_000) < wrong) or np.inf for _ in range(_TRIES)]
    share = np.concatenate([np.full(_GOOD, _USUAL), np.full(4_000, wrong)])
    later = [_first(random.random(len(share)) < share) or np.inf for _ in range(_TRIES)]
    beside = {f"after {_GOOD:,} good labels": float(np.median(later)) - _GOOD}
    name = f"a drop of {points} points is seen after"
    return _figure(name, float(np.median(seen)), "labels", beside, target)


def _first(wrong: Flags) -> int | None:
    """The label at which an alarm comes."""
    test = LabelTest(GATE)
    for answer in wrong.tolist():
        test.add(1, 0 if answer else 1)
        if test.alarm:
            break
    return test.evidence().since_label


def _ddm() -> float:
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "ddm.json"
        run_script("peers-estimate", ["river"], "label_peers.py", str(told))
        return float(json.loads(told.read_text("utf-8")))


def _figure(metric: str, value: float, unit: str, peers: Figure, target: int | None) -> Figure:
    return {
        "metric": metric,
        "value": round(value, 1),
        "unit": unit,
        "op": "" if target is None else "<=",
        "target": target,
        "peers": peers,
    }
