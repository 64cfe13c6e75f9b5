"""Bytes and times of artifacts beside skl2onnx's float graph and ONNX Runtime's quantize_dynamic.

Every family is fitted, packed as a run packs it, and judged on rows that nothing was chosen by.
Times of the two are taken in turns, so that what else the machine does falls on both.
"""

import contextlib
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import quantize_dynamic

from fleetloop_hub.packaging.converting import to_onnx
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.graph import OUTPUT, GraphBuilder
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.packing import Trial, choose, pack
from fleetloop_hub.packaging.preparation import Preparation
from fleetloop_hub.packaging.preparation_graph import write_preparation
from fleetloop_hub.packaging.quantizing import quantized_variants
from fleetloop_hub.spec.scalars import Task
from fleetloop_shared.chunks import pack as encode
from fleetloop_shared.manifest import NO_CLASS, Feature, Signature
from support.benchmark_models import Case, Goal, cases, preparation, signature
from support.convolutions import convolutions, digits

Figure = dict[str, Any]
Rows = np.ndarray

LARGEST_LOSS = 0.005
BLOCKS = 9


def run() -> list[Figure]:
    """All figures."""
    figures = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in cases():
            figures += _figures(case)
        figures += _convolutions()
    return figures


def _figures(case: Case) -> list[Figure]:
    x, y = case.table
    half, later = len(x) // 2, 3 * len(x) // 4
    prepared = preparation(case.family, x[:half])
    seen = prepared.transform(x[:half])
    for estimator in (case.estimator, case.other):
        if estimator is None:
            continue
        estimator.fit(seen) if case.task == "anomaly" else estimator.fit(seen, y[:half])
    fitted = Fitted(case.family, case.task, prepared, case.estimator, {})
    form = signature(case, x.shape[1])
    head = Head(positive=form.positive)
    judge = _Judge(case.task, y[half:later], head.apply(fitted.raw(x[half:later]), x[half:later]))
    trial = Trial(x[half:later], judge, LARGEST_LOSS, 0.02, learned=x[:half])
    packed = pack(fitted, head, form, trial)
    peer = _peer(prepared, case.estimator if case.other is None else case.other, x.shape[1])
    fresh, truth = x[later:], y[later:]
    exact = _Judge(case.task, truth, head.apply(fitted.raw(fresh), fresh))
    return [
        *_compare(case.name, (packed.recipe, packed.data), peer, fresh, case.goal),
        _lost(case.name, exact, _answers(packed.data, fresh)),
    ]


class _Judge:
    """The accuracy or R² of outputs; of an anomaly model, how near they are to its own."""

    def __init__(self, task: Task, truth: Rows, wanted: Rows) -> None:
        self._task, self._truth, self.wanted = task, truth, wanted

    def __call__(self, outputs: Rows) -> float:
        if self._task == "classification":
            return float((outputs.argmax(axis=1) == self._truth).mean())
        target = self._truth if self._task == "regression" else self.wanted[:, 1]
        return float(1 - ((outputs[:, -1] - target) ** 2).mean() / target.var())


def _peer(prepared: Preparation, estimator: Any, width: int) -> bytes:  # noqa: ANN401
    """skl2onnx's float graph after the same preparation."""
    graph = GraphBuilder()
    x = write_preparation(graph, prepared)
    converted = onnx.load_from_string(to_onnx(estimator, prepared.width))
    graph.add("Identity", graph.embed(converted, x)[-1], output=OUTPUT)
    model = onnx.load_from_string(graph.finish(width, 1))
    model.graph.output[0].type.tensor_type.ClearField("shape")
    written: bytes = model.SerializeToString()
    return written


def _compare(
    name: str, ours: tuple[str, bytes], peer: bytes, rows: Rows, goal: Goal
) -> list[Figure]:
    recipe, data = ours
    wire = encode(data)[0].length_bytes
    one, peer_one = _times_us(data, peer, rows[:1])
    many, peer_many = _times_us(data, peer, rows[:256])
    dynamic, dynamic_one = _dynamic(peer, rows[:1])
    size = {"bytes": len(data), "skl2onnx": len(peer), "quantize_dynamic": dynamic, "form": recipe}
    beside = {"µs": round(one, 1), "skl2onnx": round(peer_one, 1), "quantize_dynamic": dynamic_one}
    batch = {"µs": round(many), "skl2onnx": round(peer_many)}
    return [
        _figure(f"{name}: file", len(data) / len(peer), goal.file, size),
        _figure(f"{name}: wire", wire / len(peer), goal.wire, {"bytes": wire}),
        _figure(f"{name}: batch 1", one / peer_one, goal.one, beside),
        _figure(f"{name}: batch 256", many / peer_many, None, batch),
    ]


def _figure(metric: str, value: float, target: float | None, peers: Figure) -> Figure:
    return {
        "metric": metric,
        "value": round(value, 4),
        "unit": "x",
        "op": "" if target is None else "<=",
        "target": target,
        "peers": peers,
    }


def _lost(name: str, judge: "_Judge", outputs: Rows) -> Figure:
    points = 100 * (judge(judge.wanted) - judge(outputs))
    return _figure(f"{name}: lost on newer rows", points, 0.5, {}) | {"unit": "points"}


def _dynamic(peer: bytes, row: Rows) -> tuple[str, str]:
    """Bytes and time of quantize_dynamic's form of the peer, as ratios to it; or what it raises."""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Exception):
        target = Path(folder) / "dynamic.onnx"
        quantize_dynamic(onnx.load_from_string(peer), target)
        data = target.read_bytes()
        one, peer_one = _times_us(data, peer, row)
        return f"{len(data) / len(peer):.2f}x", f"{one / peer_one:.2f}x"
    return "raises", "raises"


def _session(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _answers(data: bytes, rows: Rows) -> Rows:
    return np.asarray(_session(data).run(None, {"features": rows})[0])


def _times_us(data: bytes, peer: bytes, rows: Rows) -> tuple[float, float]:
    """The best of the blocks' median times of both, measured in turns, in microseconds."""
    sessions = _session(data), _session(peer)
    best = [np.inf, np.inf]
    calls = 60 if len(rows) == 1 else 5
    for _ in range(BLOCKS):
        for k, session in enumerate(sessions):
            times = []
            for _ in range(calls):
                start = time.perf_counter()
                session.run(None, {"features": rows})
                times.append(time.perf_counter() - start)
            best[k] = min(best[k], float(np.median(times)) * 1e6)
    return best[0], best[1]


def _convolutions() -> list[Figure]:
    """A network of convolutions beside itself in float32, as skl2onnx has none."""
    images, digit = digits()
    exact = convolutions(64)
    judge = _Judge("classification", digit[1200:1500], _answers(exact, images[1200:1500]))
    classes = list(range(10))
    form = Signature(
        input_name="features",
        score_name=OUTPUT,
        features=[Feature(name=f"x{k}") for k in range(64)],
        classes=classes,
        positive=NO_CLASS,
        decision_threshold=0.0,
    )
    trial = Trial(images[1200:1500], judge, LARGEST_LOSS, 0.02)
    variants = quantized_variants(exact, images[:512])
    chosen = choose(variants, judge.wanted.astype(np.float32), form, trial)
    recipe, data = ("float32", exact) if chosen is None else (chosen.recipe, chosen.data)
    fresh, truth = images[1500:], digit[1500:]
    last = _Judge("classification", truth, _answers(exact, fresh))
    name = "convolutions, digits"
    return [
        *_compare(name, (recipe, data), exact, fresh, Goal(0.32, None, 1.0)),
        _lost(name, last, _answers(data, fresh)),
    ]
