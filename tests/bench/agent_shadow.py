"""What a challenger beside the champion costs a single answer, and how much memory it takes.

One predictor answers single rows in turns, with and without a challenger of the same size seated
beside it, whose thread scores every fifth row with a tenth of a core and runs of 2.5 ms at most:
the defaults. Between two turns the queue is let run dry. Rows are asked for as fast as they are
answered, which is the worst a program can do, and at 500 a second. Differences are of the median
turn; the answer that was held up longest is told beside the bound of 5 ms, in all turns, with and
without: what the operating system holds up is in both.
"""

import time
from statistics import median
from typing import Any

import numpy as np

from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.device.host import RealHost
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.beside import Beside
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.shadow_thread import ShadowThread
from fleetloop_shared.ids import CHALLENGER_BOOTS
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.messages import Release, Shadow
from support.packed import packed

Figure = dict[str, Any]

TURNS = 40
CALLS = 4_000
PACED_CALLS = 250
PACE_S = 0.002
BOUND_MS = 5.0
MODELS = {"int8 MLP": "mlp 64-32, sensors", "trees": "boosting of two, sensors"}


def run() -> list[Figure]:
    """All figures."""
    return [figure for name, case in MODELS.items() for figure in _figures(name, case)]


def _figures(name: str, case: str) -> list[Figure]:
    manifest, artifact, rows = packed(case)
    singles = [np.ascontiguousarray(rows[k : k + 1]) for k in range(1_000)]
    clock, runtime = RealClock(), OrtRuntime()
    champion = Predictor("bench", 1, runtime, clock)
    champion.load(manifest, artifact)
    own = Predictor("bench", CHALLENGER_BOOTS + 1, runtime.apart(), clock)
    beside = Beside(champion, own, runtime.apart(), clock)
    thread = ShadowThread(beside)
    thread.start()
    host = RealHost()
    before_bytes = host.rss_bytes()
    beside.seat(manifest, artifact, _terms(manifest))
    added_mb = (host.rss_bytes() - before_bytes) / 1e6
    figures = []
    for asked, calls, pace_s in (
        ("as fast as answered", CALLS, 0.0),
        ("500 a second", PACED_CALLS, PACE_S),
    ):
        took: dict[bool, list[list[float]]] = {True: [], False: []}
        for turn in range(TURNS):
            for shadowed in (True, False) if turn % 2 else (False, True):
                _let_run_dry(beside)
                champion.beside = beside if shadowed else None
                took[shadowed].append(_turn(champion, singles, calls, pace_s))
                champion.collect()
        figures += _told(f"{name}, {asked}", took)
    counts = beside.take()
    thread.stop()
    compared = sum(c.rows for c in counts)
    memory = _figure(f"{name}: memory that the challenger adds", added_mb, "MB", None, "")
    memory["peers"] = {"artifact": f"{len(artifact) / 1e6:.2f} MB", "rows compared": compared}
    return [*figures, memory]


def _terms(manifest: Manifest) -> Shadow:
    release = Release(
        model=manifest.model, version=manifest.version, manifest_sha256="0" * 64, manifest_bytes=1
    )
    return Shadow(release=release, rows_share=0.2, most_delay_ms=BOUND_MS, cpu_share=0.1)


def _let_run_dry(beside: Beside) -> None:
    while beside.seated is not None and len(beside.seated.queue):
        time.sleep(0.01)


def _turn(
    champion: Predictor, singles: list[np.ndarray[Any, Any]], calls: int, pace_s: float
) -> list[float]:
    """What each call took, in milliseconds."""
    took, timer = [], time.perf_counter
    for k in range(calls):
        row = singles[k % len(singles)]
        began = timer()
        champion.answer(row)
        took.append(1_000 * (timer() - began))
        if pace_s:
            time.sleep(pace_s)
    return took


def _told(name: str, took: dict[bool, list[list[float]]]) -> list[Figure]:
    def at(share: float, *, shadowed: bool) -> float:
        return median(float(np.quantile(turn, share)) for turn in took[shadowed])

    figures = []
    for share, word, target in ((0.5, "median", 1.10), (0.99, "99th percentile", None)):
        plain, beside = at(share, shadowed=False), at(share, shadowed=True)
        figure = _figure(f"{name}: {word} of an answer", beside / plain, "times", target, "<=")
        figure["peers"] = {"with": f"{1_000 * beside:.1f} µs", "without": f"{1_000 * plain:.1f} µs"}
        figures.append(figure)
    longest = {s: max(max(turn) for turn in took[s]) for s in (True, False)}
    over = {s: sum(ms > BOUND_MS for turn in took[s] for ms in turn) for s in (True, False)}
    later = at(0.999, shadowed=True) - at(0.999, shadowed=False)
    held = _figure(f"{name}: 999th of 1,000 answers later by", later, "ms", BOUND_MS, "<=")
    held["peers"] = {
        "longest with": f"{longest[True]:.1f} ms",
        "without": f"{longest[False]:.1f} ms",
        f"over {BOUND_MS:g} ms with": over[True],
        f"over {BOUND_MS:g} ms without": over[False],
    }
    return [*figures, held]


def _figure(metric: str, value: float, unit: str, target: float | None, op: str) -> Figure:
    return {
        "metric": metric,
        "value": round(value, 3),
        "unit": unit,
        "op": op if target is not None else "",
        "target": target,
        "peers": {},
    }
