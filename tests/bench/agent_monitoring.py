"""What watching costs a row of 30 float features, beside whylogs, Evidently and River.

All see the same rows, one thread, in turns: in each turn every way sees as many of them as it needs
to be timed, and the value is the median of the turns. Ours is the device's own code: rows are
added one by one, or many at a time; with "drift check" every block of the turn is judged at all
scales that are due, and what is told is written, within the time. The peers live in an environment
of their own, which is made if need be; they run in a process of their own, asked for one turn at a
time.
"""

import contextlib
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fleetloop_agent.serving.monitor import Monitor
from fleetloop_hub.packaging.reference import build_reference
from fleetloop_shared.codec import encode_compressed
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.drift.scan import Judged, Scan
from fleetloop_shared.manifest import Feature
from fleetloop_shared.profile import DriftThresholds, ScaleThresholds
from fleetloop_shared.reports import ProfileReport
from support.watching import a_signature

Figure = dict[str, Any]
Rows = np.ndarray

WIDTH = 30
REFERENCE_ROWS = 10_000
BLOCK_ROWS = 256
WINDOW_ROWS = 1_024
ROWS = 8 * BLOCK_ROWS
"""Of a turn: two milliseconds, so that what else the machine does falls on few turns."""

TURNS = 101
PEER_TURNS = 3
"""Evidently takes seconds a turn."""

BATCH_ROWS = 1_024
OVER = 4
"""How often batches go over all rows, so that a turn of theirs is as long as one of single rows."""

SCALES = (1, 2, 4, 8, 16)
FAR = 1e6
"""Thresholds that nothing reaches: the check is timed, not what it says."""

ROOT = Path(__file__).parents[2]
VENV = ROOT / "build" / "bench-venv-monitoring"
PEERS = ["whylogs", "evidently", "river", "pandas<3", "setuptools<81"]
"""Evidently 0.7 does not import with pandas 3."""


def rows_of(count: int, seed: int) -> Rows:
    """Correlated rows, each feature with a unit and an offset of its own."""
    random = np.random.default_rng(seed)
    shape = np.random.default_rng(7)
    mixing = np.eye(WIDTH) + 0.3 * shape.standard_normal((WIDTH, WIDTH))
    offset = 10 ** shape.uniform(-1, 3, WIDTH)
    spread = offset * 10 ** shape.uniform(-2, 0, WIDTH)
    return (random.standard_normal((count, WIDTH)) @ mixing * spread + offset).astype(np.float32)


class Ours:
    """The device's watch over a stream of rows."""

    def __init__(self) -> None:
        features = [Feature(name=f"f{k}") for k in range(WIDTH)]
        scores = np.random.default_rng(1).random(REFERENCE_ROWS)
        self.reference = build_reference(features, rows_of(REFERENCE_ROWS, 0), scores)
        self.signature = a_signature(self.reference)
        self.thresholds = DriftThresholds(
            window_rows=WINDOW_ROWS,
            false_alarms_per_million_rows=1.0,
            scales=[
                ScaleThresholds(
                    rows=BLOCK_ROWS * k,
                    anderson_darling=[FAR] * WIDTH,
                    triangular=[FAR] * WIDTH,
                    rare=[FAR] * WIDTH,
                    correlation=FAR,
                    score=FAR,
                )
                for k in SCALES
            ],
        )
        self.rows = rows_of(ROWS, 2)
        self.scores = np.random.default_rng(3).random(ROWS)
        self._each = [row.tobytes() for row in self.rows]
        self._said = self.scores.tolist()
        self.begin()

    def begin(self) -> None:
        """Begin anew."""
        self.monitor = Monitor(Blocks(self.reference, self.signature), BLOCK_ROWS)
        self.scan = Scan(self.reference, self.thresholds, self.signature)

    def one_by_one(self) -> None:
        """All rows, as the device adds them: the bytes of a row, and its score."""
        self._add_all()
        self.monitor.take()

    def checked(self) -> list[Judged]:
        """The same, and every block judged, together as the agent's thread does it now and then."""
        self._add_all()
        return self.scan.take_all([(f.first_row, f.block) for f in self.monitor.take()])

    def _add_all(self) -> None:
        """All rows added, their blocks still to be taken."""
        add = self.monitor.add
        for row, score in zip(self._each, self._said, strict=True):
            add(row, score)

    def batches(self) -> None:
        """All rows several times, a batch at a time."""
        for _ in range(OVER):
            for start in range(0, ROWS, BATCH_ROWS):
                some = slice(start, start + BATCH_ROWS)
                self.monitor.extend(self.rows[some], self.scores[some])
            self.monitor.take()

    def pauses_us(self) -> list[float]:
        """How long the calls took that filled a block."""
        took = []
        for row, score in zip(self._each, self._said, strict=True):
            began = time.perf_counter()
            full = self.monitor.add(row, score)
            ended = time.perf_counter()
            if full:
                took.append(1e6 * (ended - began))
        self.monitor.take()
        return took

    def report_bytes(self) -> int:
        """A window's profile report as it is sent."""
        self.begin()
        closed = [w for w in self.checked() if w.profile is not None]
        sizes = [
            len(
                encode_compressed(
                    ProfileReport(
                        device="station-17",
                        boot=12,
                        seq=451,
                        at=1_790_000_000.123,
                        model="frost-warning",
                        version=3,
                        first_row=window.first_row,
                        profile=window.profile,
                    )
                )
            )
            for window in closed
            if window.profile is not None
        ]
        return int(np.median(sizes))


def run() -> list[Figure]:
    """All figures."""
    ours = Ours()
    ways: dict[str, Callable[[], object]] = {
        "row by row": ours.one_by_one,
        "drift check": ours.checked,
        "batches": ours.batches,
    }
    with peers() as ask:
        theirs: dict[str, list[float]] = {name: [] for name in ask("names")}
        took: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(TURNS):
            for name, way in ways.items():
                over = OVER if name == "batches" else 1
                took[name].append(_us_a_row(way) / over)
            if turn % (TURNS // PEER_TURNS) == 0:
                for name, found in theirs.items():
                    found.append(float(ask(name)))
        bytes_of = ask("bytes")
    beside = {name: f"{np.median(found):.3g} µs" for name, found in theirs.items()}
    adding = {k: v for k, v in beside.items() if "whylogs" in k}
    judging = {k: v for k, v in beside.items() if k not in adding}
    pauses = [pause for _ in range(TURNS) for pause in ours.pauses_us()]
    return [
        _figure("a row, one by one", took["row by row"], 0.5, adding),
        _figure("a row, with the drift check", took["drift check"], 1.0, judging),
        _figure("a row, in batches of 1,024", took["batches"], 0.3, beside),
        _plain("the call that counts two blocks, median", float(np.median(pauses)), "µs"),
        _plain("the call that counts two blocks, p99", float(np.percentile(pauses, 99)), "µs"),
        _plain("profile report of 1,024 rows", ours.report_bytes(), "bytes", 1_400, bytes_of),
        _plain("memory of a model's watch", _memory_kib(), "KiB"),
    ]


def _us_a_row(way: Callable[[], object]) -> float:
    began = time.perf_counter()
    way()
    return 1e6 * (time.perf_counter() - began) / ROWS


def _memory_kib() -> float:
    """What a monitor and its scan hold after many rows, without the rows of the bench."""
    ours = Ours()
    tracemalloc.start()
    ours.begin()
    for _ in range(8):
        ours.checked()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / 1024


def _figure(metric: str, took: list[float], target: float, peers_: dict[str, str]) -> Figure:
    value = float(np.median(took))
    return _plain(metric, value, "µs", target, {"best turn": f"{min(took):.2f} µs", **peers_})


def _plain(
    metric: str,
    value: float,
    unit: str,
    target: float | None = None,
    beside: dict[str, Any] | None = None,
) -> Figure:
    return {
        "metric": metric,
        "value": round(value, 3 if value < 10 else 0),
        "unit": unit,
        "op": "" if target is None else "<=",
        "target": target,
        "peers": beside or {},
    }


@contextlib.contextmanager
def peers() -> Iterator[Callable[[str], Any]]:
    """The peers in their process: asked for a turn by name, it gives microseconds a row."""
    _have_environment()
    rows = VENV / "rows.npz"
    np.savez(rows, reference=rows_of(REFERENCE_ROWS, 0), rows=rows_of(ROWS, 2))
    script = Path(__file__).with_name("monitoring_peers.py")
    process = subprocess.Popen(
        [VENV / "bin" / "python", script, rows],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"WHYLOGS_NO_ANALYTICS": "True", "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1"},
    )
    with process:

        def ask(what: str) -> Any:  # noqa: ANN401  # what JSON can say
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("no pipe to the peers")
            process.stdin.write(what + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.communicate()


def _have_environment() -> None:
    if (VENV / ".installed").exists():
        return
    uv, python = str(Path(sys.executable).with_name("uv")), str(VENV / "bin" / "python")
    make = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)]
    subprocess.run(make, check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *PEERS], check=True)
    (VENV / ".installed").touch()
