"""False alarms on rows without drift, and rows until the alarm on rows with it.

Thirty mixed features (`support.drift_streams`), references of 10,000 rows unless said otherwise.
Ours is the device's own code: monitor, blocks and scan, with the thresholds that the hub calibrates
on the reference, reporting windows of 1,024 rows, and shorter and longer ones that are judged
beside them. Drift begins at a random place in a window. "Per 1,000 windows" means 1,000,000 rows,
of which a reporting window counts once; beside it is the 95 % interval of a Poisson count.

The others get the same reference and streams in files, and windows of 1,000 rows where they take
windows; each runs in an environment of its own. A detector that calls most undrifted windows drift
sees everything at once: its rows until the alarm mean nothing.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.delays import delays
from fleetloop_hub.packaging.reference import build_reference
from fleetloop_hub.packaging.thresholds import calibrate
from fleetloop_shared.profile import DriftThresholds, ReferenceProfile
from support import drift_streams as streams
from support.drift_watch import Watch, alarmed_windows, first_alarm, poisson_interval
from support.examples import MANIFEST
from support.peers import run_script
from support.watching import a_signature

Figure = dict[str, Any]
Rows = npt.NDArray[np.float32]

FOLDER = Path(__file__).parents[2] / "build" / "bench" / "drift"
PEERS = {
    "evidently": (100, ["evidently==0.7.23", "pandas<3"]),
    "nannyml": (300, ["nannyml==0.13.1", "statsmodels", "pandas<3"]),
    "nannyml_pca": (300, ["nannyml==0.13.1", "statsmodels", "pandas<3"]),
    "alibi": (300, ["alibi-detect==0.13.0"]),
    "river": (300, ["river==0.26.1"]),
}
"""Null windows of 1,000 rows that each peer is given (the slower, the fewer), and what it needs."""

WARM_ROWS = 5_000
"""Between the reference and the rows that are judged, so that they are no neighbours."""

NULLS = (
    # what, memory, reference rows, target, references, rows each, limit
    ("independent rows, target 1", 0.0, 10_000, 1.0, 6, 1_000_000, 2.0),
    ("independent rows, reference of 2,000, target 1", 0.0, 2_000, 1.0, 4, 500_000, None),
    ("independent rows, reference of 1,000, target 1", 0.0, 1_000, 1.0, 4, 500_000, None),
    ("AR(1) 0.5, target 5", 0.5, 10_000, 5.0, 2, 1_000_000, None),
    ("AR(1) 0.9, target 5", 0.9, 10_000, 5.0, 4, 1_000_000, 15.0),
)

OURS, THEIRS = 90, 9
"""Streams of each kind of drift."""

LIMITS = {"mean + 0.5 sd": 300, "correlation 0.6 to -0.6": 250, "missing 2 %": 350}
_NEVER = 1e6
ONSET_ROWS, LONGEST_ROWS, THEIR_ROWS = 2_048, 12_288, 6_000


def run() -> list[Figure]:
    """All figures."""
    _save(FOLDER)
    with ThreadPoolExecutor(max_workers=1) as beside:
        running = beside.submit(_run_peers, FOLDER)
        false = [_false_alarms(*null) for null in NULLS]
        seen = {change: _delays(change) for change in streams.CHANGES}
        peers = running.result()
    false[0]["peers"] |= {name: _rate(peer) for name, peer in peers.items()}
    told = _told()
    return [
        *false,
        *(_delay_figure(change, found, peers) for change, found in seen.items()),
        *(_told_figure(change, rows, seen[change]) for change, rows in told.items()),
    ]


def watch(rows: Rows, target: float) -> tuple[Watch, ReferenceProfile, DriftThresholds]:
    """What a device would watch with after training on these rows."""
    scores = streams.scores(rows)
    reference = build_reference(streams.features(), rows, scores)
    thresholds = calibrate(
        reference,
        rows,
        scores,
        window_rows=1_024,
        false_alarms_per_million_rows=target,
        seed=0,
    )
    return Watch(reference, thresholds), reference, thresholds


def _false_alarms(  # noqa: PLR0913, PLR0917  # a line of the table
    what: str,
    memory: float,
    reference_rows: int,
    target: float,
    references: int,
    rows_each: int,
    limit: float | None,
) -> Figure:
    counts = []
    for seed in range(references):
        rows = streams.stream(reference_rows + WARM_ROWS + rows_each, 1_000 + seed, memory)
        watching, *_ = watch(rows[:reference_rows], target)
        live = rows[reference_rows + WARM_ROWS :]
        counts.append(alarmed_windows(watching, live, streams.scores(live)))
    rows_judged = references * rows_each
    low, high = poisson_interval(sum(counts))
    per = 1e6 / rows_judged
    beside = {
        "alarms": f"{sum(counts)} in {rows_judged:,} rows",
        "interval": f"{low * per:.2f} to {high * per:.2f}",
        "by reference": " ".join(map(str, counts)),
    }
    return _figure(f"false alarms, {what}", sum(counts) * per, limit, "per 1,000 windows", beside)


def _delays(change: str) -> list[float]:
    """Rows until the alarm, infinity where none came; four references in turn."""
    watching = [watch(streams.stream(10_000, 500 + k), 1.0)[0] for k in range(4)]
    found = []
    for k in range(OURS):
        began = int(np.random.default_rng(k).integers(ONSET_ROWS))
        rows = _drifting(change, k, began, LONGEST_ROWS)
        end = first_alarm(watching[k % 4], rows, streams.scores(rows), began)
        found.append(np.inf if end is None else end - began)
    return found


def _drifting(change: str, seed: int, began: int, count: int) -> Rows:
    rows = streams.stream(began + count, 10_000 + seed)
    streams.CHANGES[change](rows[began:], np.random.default_rng(seed))
    return rows


def _delay_figure(change: str, found: list[float], peers: dict[str, dict[str, Any]]) -> Figure:
    beside = {name: _median(peer["delays"][change]) for name, peer in peers.items()}
    beside |= {"ours, 25 % to 75 %": f"{_told_rows(found, 25)} to {_told_rows(found, 75)}"}
    limit = LIMITS.get(change)
    return _figure(f"rows until: {change}", float(np.median(found)), limit, "rows", beside)


def _told() -> dict[str, int | None]:
    """What is told before a release about the same changes."""
    rows = streams.stream(10_000, 500)
    _, reference, thresholds = watch(rows, 1.0)
    signature = a_signature(reference)
    manifest = msgspec.structs.replace(
        MANIFEST, signature=signature, reference=reference, thresholds=thresholds
    )
    told = delays(manifest, rows)
    normal = told.features[streams.NORMAL]
    return {
        "mean + 0.25 sd": normal.quarter_sd,
        "mean + 0.5 sd": normal.half_sd,
        "mean + 1 sd": normal.whole_sd,
        "sd x 1.5": normal.spread,
        "missing 2 %": normal.missing,
        "new category 2 %": told.features[streams.CATEGORY].unknown,
        "correlation 0.6 to -0.6": told.pairs[0].flipped,
    }


def _told_figure(change: str, told: int | None, found: list[float]) -> Figure:
    measured = float(np.median(found))
    value = (told or 0) / measured
    return _figure(f"told before a release / measured: {change}", value, None, "x", {"told": told})


def _save(folder: Path) -> None:
    """What the others are given."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "reference.npy", streams.stream(10_000, 500))
    np.save(
        folder / "null.npy",
        streams.stream(1_000 * max(windows for windows, _ in PEERS.values()), 1_000),
    )
    listed: list[dict[str, Any]] = []
    for change in streams.CHANGES:
        for k in range(THEIRS):
            began = int(np.random.default_rng(k).integers(1_000))
            name = f"stream-{len(listed)}.npy"
            np.save(folder / name, _drifting(change, k, began, THEIR_ROWS)[: THEIR_ROWS + 1_000])
            listed.append({"file": name, "began": began, "change": change})
    (folder / "streams.json").write_text(json.dumps(listed), "utf-8")


def _run_peers(folder: Path) -> dict[str, dict[str, Any]]:
    told = {}
    for name, (windows, packages) in PEERS.items():
        environment = f"peers-{name.partition('_')[0]}"
        run_script(environment, packages, "drift_peers.py", name, str(folder), str(windows))
        told[name] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return told


def _rate(peer: dict[str, Any]) -> str:
    return f"{1_000 * peer['alarms'] / peer['windows']:.0f} ({peer['windows']} windows)"


def _median(found: list[int | None]) -> str:
    return _told_rows([np.inf if rows is None else rows for rows in found], 50)


def _told_rows(found: list[float], percent: float) -> str:
    value = float(np.percentile(found, percent, method="lower"))
    return f"{value:,.0f}" if np.isfinite(value) else "never"


def _figure(metric: str, value: float, target: float | None, unit: str, peers: Figure) -> Figure:
    return {
        "metric": metric,
        "value": "never" if target is None and np.isinf(value) else min(round(value, 2), _NEVER),
        "unit": unit,
        "op": "" if target is None else "<=",
        "target": target,
        "peers": peers,
    }
