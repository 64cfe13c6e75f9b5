"""Accuracy without labels under fifteen shifts, beside NannyML's CBPE and DLE; and with labels.

Three models (boosted trees, a straight line, a forest), calibrated on rows of their own, in several
worlds each; 4,000 labelled held-out rows; windows of 2,000 rows. An error is the distance of the
estimate from the share that was really right in that window, in points: of them 0.7 points are the
window's own chance, which no estimate can know. NannyML gets the same held-out rows, scores and
windows, and keeps the rows themselves where Fleetloop has counts by bin.
"""

import json
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from fleetloop_hub.monitoring.estimate import Estimator
from fleetloop_hub.packaging.reference import build_reference
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.validation.accuracy import accuracy_reference
from fleetloop_hub.validation.labelled import Labelled
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.drift.bins import scaled_scores
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.estimate.expected_by_score import expected_by_score
from fleetloop_shared.estimate.records import Estimate
from support.peers import run_script
from support.shifted_models import Fitted, fitted
from support.shifted_world import CONCEPTS, FEATURES, SHIFTS, Drawn, Rows, draw

Figure = dict[str, Any]

WINDOW_ROWS = 2_000
WORLDS, WINDOWS = 4, 3
NO_SHIFT = "no shift"

NEEDED = ["nannyml==0.13.1", "statsmodels", "pandas<3", "pyarrow"]

_SPEC = """
[model]
name = "world"
task = "{task}"
[[sources]]
csv = "rows.csv"
[label]
column = "y"
[[features]]
name = "f0"
[gates]
metric = "{metric}"
[[candidates]]
name = "any"
family = "linear"
"""


def run() -> list[Figure]:
    """All figures."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        table = _Table()
        for world in range(WORLDS):
            for model in fitted(world):
                _measure(model, np.random.default_rng(1_000 + world), table, Path(folder))
        run_script("peers-estimate", NEEDED, "estimate_peers.py", folder)
        table.peers(json.loads((Path(folder) / "peers.json").read_text("utf-8")))
    shifts = [_row(table, shift) for shift in [NO_SHIFT, *SHIFTS]]
    concepts = [_row(table, concept) for concept in CONCEPTS]
    return [*_summary(table), *_regressions(table), *shifts, *concepts]


class _Table:
    """Errors by (what was estimated and how, shift), and what else is told."""

    def __init__(self) -> None:
        self.errors: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self.tried: defaultdict[str, int] = defaultdict(int)
        self.refused: defaultdict[str, int] = defaultdict(int)
        self.inside: defaultdict[str, list[bool]] = defaultdict(list)
        self.took_ms: list[float] = []
        self._windows: defaultdict[str, list[tuple[str, dict[str, float]]]] = defaultdict(list)

    def note(
        self, model: str, shift: str, truth: dict[str, float], told: dict[str, list[Estimate]]
    ) -> None:
        """What was estimated of a window, and what is true."""
        self._windows[model].append((shift, truth))
        self.tried[shift] += 1
        self.refused[shift] += told["raking"][0].value is None
        for how, estimates in told.items():
            for e in estimates:
                true = truth.get(e.metric)
                if true is None or e.value is None or e.low is None or e.high is None:
                    continue
                self._add(f"{how} {e.metric}", shift, e.value, true)
                if how == "raking" and shift not in CONCEPTS:
                    self.inside[e.metric].append(e.low <= true <= e.high)

    def peers(self, told: dict[str, dict[str, list[float]]]) -> None:
        """Their estimates of the same windows."""
        for model, metrics in told.items():
            for metric, values in metrics.items():
                for (shift, truth), value in zip(self._windows[model], values, strict=True):
                    self._add(f"nannyml {metric}", shift, value, truth[metric])

    def _add(self, what: str, shift: str, value: float, true: float) -> None:
        """An error in points, or in percent of a regression's error."""
        scale = 1.0 if what.endswith(("accuracy", "roc_auc")) else true
        self.errors[what, shift].append(100 * (value - true) / scale)

    def mean(self, what: str, shifts: list[str]) -> float:
        """Mean distance, every shift alike; NaN where all was refused."""
        found = [np.abs(self.errors[what, s]).mean() for s in shifts if self.errors[what, s]]
        return float(np.mean(found)) if found else float("nan")

    def worst(self, what: str, shifts: list[str]) -> float:
        """Mean distance of the worst shift."""
        found = [np.abs(self.errors[what, s]).mean() for s in shifts if self.errors[what, s]]
        return float(np.max(found))


def _measure(model: Fitted, random: np.random.Generator, table: _Table, folder: Path) -> None:
    """Our errors into the table, and what the peers need into the folder."""
    known = model.answers(model.held_out)
    task, metric = ("regression", "r2") if model.regression else ("classification", "accuracy")
    spec = parse(_SPEC.format(task=task, metric=metric))
    accuracy, form = accuracy_reference(known, spec), known.signature
    assert accuracy is not None
    scores = scaled_scores(model.score(model.seen), form.score_low, form.score_high)
    reference = build_reference(FEATURES, model.seen, scores)
    made = Estimator(Labelled(known, model.held_out.values), reference, accuracy, spec.gates.metric)
    blocks, frames = Blocks(reference, form), []
    for shift, drawn in _windows(random):
        answers = model.answers(drawn)
        profile = blocks.profile(blocks.count(drawn.values, answers.scores))  # at most 2,040 rows
        began = time.perf_counter()
        raked = made.estimate(profile).estimates
        table.took_ms.append(1000 * (time.perf_counter() - began))
        by_score = [expected_by_score(accuracy, profile.score_counts)]
        table.note(model.name, shift, _truth(answers), {"raking": raked, "device": by_score})
        frames.append(_frame(answers, drawn.values))
    _frame(known, model.held_out.values).to_parquet(folder / f"{model.name}.ref.parquet")
    pd.concat(frames, ignore_index=True).to_parquet(folder / f"{model.name}.win.parquet")


def _windows(random: np.random.Generator) -> Iterator[tuple[str, Drawn]]:
    for _ in range(WINDOWS):
        yield NO_SHIFT, draw(random, WINDOW_ROWS)
        for words, shift in SHIFTS.items():
            yield words, draw(random, WINDOW_ROWS, shift)
        for words, concept in CONCEPTS.items():
            yield words, draw(random, WINDOW_ROWS, concept=concept)


def _truth(answers: Answers) -> dict[str, float]:
    if answers.signature.classes:
        auc = roc_auc_score(answers.truth, answers.scores)
        return {"accuracy": float(answers.right.mean()), "roc_auc": float(auc)}
    off = answers.truth - answers.scores
    return {"mae": float(np.abs(off).mean()), "rmse": float(np.sqrt((off**2).mean()))}


def _frame(answers: Answers, values: Rows) -> pd.DataFrame:
    """Rows as the peers take them."""
    frame = pd.DataFrame({f"f{k}": values[:, k] for k in range(values.shape[1])})
    frame["truth"], frame["said"] = answers.truth, answers.labels
    if answers.signature.classes:
        frame["proba"] = answers.scores
    return frame


def _summary(table: _Table) -> list[Figure]:
    shifts = list(SHIFTS)
    tried = sum(table.tried[s] for s in shifts)
    refused = sum(table.refused[s] for s in shifts)
    figures = []
    for metric in ("accuracy", "roc_auc"):
        beside = {
            "by score on the device": _round(table.mean(f"device {metric}", shifts)),
            "NannyML CBPE": _round(table.mean(f"nannyml {metric}", shifts)),
            "worst shift": _round(table.worst(f"raking {metric}", shifts)),
            "CBPE's worst": _round(table.worst(f"nannyml {metric}", shifts)),
        }
        if metric == "roc_auc":
            del beside["by score on the device"]
        value = table.mean(f"raking {metric}", shifts)
        name = f"{metric.replace('_', ' ')}, mean error over 15 shifts"
        figures.append(_figure(name, value, "points", beside, "<=", 1.5))
    chance = {"windows": tried, "of 2,000 rows, from 4,000 labels": ""}
    held = {m: f"{100 * np.mean(found):.1f} %" for m, found in sorted(table.inside.items())}
    all_held = 100 * float(np.mean([x for found in table.inside.values() for x in found]))
    return [
        *figures,
        _figure("refused of these", 100 * refused / tried, "%", chance),
        _figure("95 % intervals that hold the truth", all_held, "%", held),
        _figure("one profile, all metrics", float(np.median(table.took_ms)), "ms", {}),
    ]


def _row(table: _Table, shift: str) -> Figure:
    beside = {
        "by score": _round(table.mean("device accuracy", [shift])),
        "CBPE": _round(table.mean("nannyml accuracy", [shift])),
        "refused": f"{100 * table.refused[shift] / table.tried[shift]:.0f} %",
    }
    return _figure(shift, table.mean("raking accuracy", [shift]), "points", beside)


def _regressions(table: _Table) -> list[Figure]:
    """Errors of an error: in percent of what it really was."""
    shifts, figures = list(SHIFTS), []
    for metric in ("mae", "rmse"):
        beside = {
            "NannyML DLE": _round(table.mean(f"nannyml {metric}", shifts)),
            "worst shift": _round(table.worst(f"raking {metric}", shifts)),
            "DLE's worst": _round(table.worst(f"nannyml {metric}", shifts)),
        }
        if metric == "mae":
            beside["by value on the device"] = _round(table.mean("device mae", shifts))
        value = table.mean(f"raking {metric}", shifts)
        figures.append(_figure(f"{metric} of a regression, mean error", value, "% of it", beside))
    return figures


def _round(value: float) -> float:
    return round(float(value), 2)


def _figure(  # noqa: PLR0913, PLR0917  # the columns of the table
    metric: str,
    value: float,
    unit: str,
    peers: Figure,
    op: str = "",
    target: float | None = None,
) -> Figure:
    return {
        "metric": metric,
        "value": _round(value),
        "unit": unit,
        "op": op,
        "target": target,
        "peers": peers,
    }
