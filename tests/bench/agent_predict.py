"""What an answer costs in the process of its application, beside the bare run of the same model.

Both are taken in turns on the same rows: the value is the median of the ratios of the turns. The
model's own run is `session.run` of ONNX Runtime with the settings of the agent's sessions, called
with everything prepared. Ours is what an application calls: the row is checked against the
signature, copied, answered, numbered, timed, remembered for its label and counted for drift. The
first calls of a turn are not timed, so that nobody pays for what the one before has left in the
caches. Rows are counted two blocks at a time: every kind of call has a predictor of its own and
turns of exactly so many rows, so that each timed turn pays for the counting of its rows. Blocks are
judged by the agent's own thread, twice a second; "judged" has it done in the same thread, within
the turn.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime

from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from support.packed import packed

Figure = dict[str, Any]
Call = Callable[[int], object]

TURNS = 200
CALLS = 512
"""Calls of one row a turn: the rows that are counted at once."""

BATCHES = 4
"""Calls of a batch a turn."""

COLLECT_TURNS = 16

BATCH_ROWS = 256
KINDS = ("answer", "predict", "judged", "named")
MODELS = {"int8 MLP": "mlp 64-32, sensors", "trees": "boosting of two, sensors"}


def run() -> list[Figure]:
    """All figures."""
    return [figure for name, case in MODELS.items() for figure in _figures(name, case)]


def _figures(name: str, case: str) -> list[Figure]:
    manifest, artifact, rows = packed(case)
    made = {kind: Predictor("bench", 1, OrtRuntime(), RealClock()) for kind in KINDS}
    for predictor in made.values():
        predictor.load(manifest, artifact)
    names = [feature.name for feature in manifest.signature.features]
    rows = np.ascontiguousarray(rows[: 4 * BATCH_ROWS])
    singles = [rows[k : k + 1] for k in range(len(rows))]
    named = [dict(zip(names, row, strict=True)) for row in rows.tolist()]
    batches = [rows[k : k + BATCH_ROWS].copy() for k in range(0, len(rows), BATCH_ROWS)]
    said, given = [manifest.signature.score_name], manifest.signature.input_name
    session = _session(artifact, as_agent=True)
    usual = _session(artifact, as_agent=False)

    def bare(k: int) -> object:
        return session.run(said, {given: singles[k % len(singles)]})

    def bare_usual(k: int) -> object:
        return usual.run(said, {given: singles[k % len(singles)]})

    def bare_batch(k: int) -> object:
        return session.run(said, {given: batches[k % len(batches)]})

    one = _compare(
        {
            "bare": bare,
            "default session": bare_usual,
            "answer": lambda k: made["answer"].answer(singles[k % len(singles)]),
            "predict": lambda k: made["predict"].predict(singles[k % len(singles)]),
            "judged": lambda k: made["judged"].answer(singles[k % len(singles)]),
            "named": lambda k: made["named"].predict([named[k % len(named)]]),
        },
        CALLS,
        made,
    )
    many = _compare(
        {
            "bare": bare_batch,
            "answer": lambda k: made["answer"].answer(batches[k % len(batches)]),
            "judged": lambda k: made["judged"].answer(batches[k % len(batches)]),
            "predict": lambda k: made["predict"].predict(batches[k % len(batches)]),
        },
        BATCHES,
        made,
    )
    return [
        _figure(f"{name}: one row, monitored, scores", one, "answer", 1.10),
        _figure(f"{name}: one row, monitored, record with id", one, "predict", 1.25),
        _figure(f"{name}: one row, monitored and judged, scores", one, "judged", None),
        _figure(f"{name}: one row by feature names, record with id", one, "named", None),
        _figure(f"{name}: {BATCH_ROWS} rows, monitored, scores", many, "answer", 1.05),
        _figure(f"{name}: {BATCH_ROWS} rows, monitored and judged, scores", many, "judged", None),
        _figure(f"{name}: {BATCH_ROWS} rows, a record with id each", many, "predict", None),
    ]


def _session(artifact: bytes, *, as_agent: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if as_agent:
        options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(artifact, options, providers=["CPUExecutionProvider"])


def _compare(
    calls: dict[str, Call], times: int, made: dict[str, Predictor]
) -> dict[str, tuple[float, float]]:
    """Of each: the median time of a call in microseconds, and its median ratio to "bare"."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(TURNS):
        for name, call in calls.items():
            for k in range(times):
                call(k)
            began = time.perf_counter_ns()
            for k in range(times):
                call(k)
            if name == "judged":
                made[name].collect()
            took[name].append((time.perf_counter_ns() - began) / times / 1_000)
        if turn % COLLECT_TURNS == 0:
            for predictor in made.values():
                predictor.collect()
    bare = np.array(took["bare"])
    return {
        name: (float(np.median(us)), float(np.median(np.array(us) / bare)))
        for name, us in took.items()
    }


def _figure(
    metric: str, found: dict[str, tuple[float, float]], which: str, target: float | None
) -> Figure:
    us = {name: f"{found[name][0]:.2f} µs" for name in ("bare", which)}
    if "default session" in found:
        us["bare, default session"] = f"{found['default session'][0]:.2f} µs"
    return {
        "metric": metric,
        "value": round(found[which][1], 3),
        "unit": "x",
        "op": "<=" if target is not None else "",
        "target": target,
        "peers": us,
    }
