"""Tournaments: what is searched, recorded, picked; and what happens when time or room is short."""

import dataclasses
import itertools

import msgspec
import numpy as np
import pytest
from msgspec import structs

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.assembly import signature
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.training_tables import (
    BudgetTable,
    CandidateTable,
    RangeTable,
    TrainingTable,
)
from fleetloop_hub.spec.validation_tables import FairnessTable
from fleetloop_hub.training.split import split
from fleetloop_hub.training.tournament import Outcome, Rules, hold
from support.families import KINDS, frame, rows_for, spec_for

LINE = CandidateTable(name="line", family="linear")
SEARCHED = CandidateTable(
    name="line", family="linear", search={"alpha": RangeTable(low=1e-4, high=1e3, log=True)}
)


def spec_with(*candidates: CandidateTable, kind: str = "two classes", **more: object) -> ModelSpec:
    return structs.replace(spec_for(kind), candidates=list(candidates), **more)


def held(
    spec: ModelSpec, rows: Frame | None = None, kind: str = "two classes", **rules: object
) -> Outcome:
    rows = rows_for(kind) if rows is None else rows
    form = signature(spec, KINDS[kind][1], 0.5, (0.0, 1.0))
    given = Rules(narrate=lambda share, text: None, clock=lambda: 0.0)
    return hold(spec, split(rows, spec), form, dataclasses.replace(given, **rules))  # type: ignore[arg-type]  # a test's rules


def average(scores: list[float | None]) -> float:
    return float(np.mean([score for score in scores if score is not None]))


def test_search_tries_every_setting_on_every_fold_and_packs_the_three_best() -> None:
    outcome = held(spec_with(SEARCHED, training=TrainingTable(trials=4, folds=2)))
    settings = outcome.searches["line"]
    assert len(settings) == 4
    assert all(len(s.scores) == 2 for s in settings)
    means = sorted((average(s.scores) for s in settings), reverse=True)
    packed = sorted((average(c.fold_scores) for c in outcome.candidates), reverse=True)
    assert packed == pytest.approx(means[:3])
    numbers = [int(c.name.removeprefix("line#")) for c in outcome.candidates]
    for candidate, number in zip(outcome.candidates, numbers, strict=True):
        assert candidate.parameters == settings[number - 1].parameters
    assert outcome.winner.record in outcome.candidates
    assert outcome.winner.record.note == f"taken: {outcome.pick}"


def test_equal_seeds_give_equal_artifacts_and_records() -> None:
    spec = spec_with(SEARCHED, training=TrainingTable(trials=5))

    def lasting(outcome: Outcome) -> list[bytes]:
        slow = [structs.replace(c, latency_ms=0.0, dominated=False) for c in outcome.candidates]
        return [outcome.winner.packed.data, msgspec.json.encode([slow, outcome.searches])]

    assert lasting(held(spec)) == lasting(held(spec))


def test_time_that_runs_out_ends_the_search_and_is_told_but_orders_nothing() -> None:
    spec = spec_with(SEARCHED, training=TrainingTable(trials=6, limit_s=10.0))
    ticks = itertools.count(step=2.0)
    short = held(spec, clock=lambda: next(ticks))
    tried = len(short.searches["line"])
    assert 1 <= tried < 6
    assert f"ended the search of line after {tried} of 6 settings" in short.notes[0]
    assert short.searches["line"] == held(spec).searches["line"][:tried]
    instantly = held(structs.replace(spec, training=TrainingTable(trials=6, limit_s=0.0)))
    assert len(instantly.searches["line"]) == 1


def test_settings_over_the_budget_are_recorded_and_smaller_ones_taken() -> None:
    wide = CandidateTable(
        name="net", family="mlp", learning_rate=0.02, search={"hidden": [[64, 64], [2]]}
    )
    outcome = held(spec_with(wide, budget=BudgetTable(artifact_bytes=3_000)))
    notes = {tuple(c.parameters["hidden"]): c.note for c in outcome.candidates}  # type: ignore[arg-type]  # a list of widths
    assert "of 3,000 bytes" in notes[64, 64]
    assert notes[2,].startswith("taken")


def test_progress_never_goes_back_and_names_what_is_done() -> None:
    told: list[tuple[float, str]] = []
    net = CandidateTable(name="net", family="mlp", hidden=[4])
    spec = spec_with(SEARCHED, net, training=TrainingTable(trials=3))
    held(spec, narrate=lambda share, text: told.append((share, text)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.1
    assert 0.7 < shares[-1] <= 1
    words = " | ".join(text for _, text in told)
    assert "line, setting 2 of 3" in words
    assert "fitting net: epoch 3" in words


def test_metric_that_cannot_be_measured_is_told_with_what_to_change() -> None:
    rows = rows_for("three classes")
    label = np.where((np.arange(300) >= 190) & (rows.label == 2), 1.0, rows.label)
    label[299], label[298] = 2.0, 0.0
    spec = spec_with(LINE, kind="three classes")
    with pytest.raises(TrainingError, match="balanced_accuracy cannot be measured"):
        held(spec, frame(rows.values, label), kind="three classes")
    blunt = structs.replace(spec, gates=structs.replace(spec.gates, metric="accuracy"))
    assert held(blunt, frame(rows.values, label), kind="three classes").winner.record.score > 0.5


def test_setting_that_cannot_be_fitted_is_recorded_and_the_others_are_tried() -> None:
    wild = CandidateTable(name="net", family="mlp", search={"learning_rate": [1e200, 0.01]})
    outcome = held(spec_with(wild))
    failed, fitted = sorted(outcome.searches["net"], key=lambda s: len(s.scores))
    assert failed.parameters["learning_rate"] == 1e200
    assert "net#" in failed.note
    assert "cannot be fitted" in failed.note
    assert len(fitted.scores) == 1
    hopeless = CandidateTable(name="net", family="mlp", learning_rate=1e200)
    assert "net cannot be fitted" in held(spec_with(hopeless, LINE)).notes[0]
    with pytest.raises(TrainingError, match="no candidate can be fitted: net cannot be fitted"):
        held(spec_with(hopeless))


def test_no_candidate_at_all_is_told() -> None:
    with pytest.raises(TrainingError, match="names no candidates"):
        held(spec_with())


def grouped(rows: Frame) -> Frame:
    return dataclasses.replace(rows, groups={"d": rows.values[:, 3].astype(int).astype(str)})


def test_unfair_winner_is_replaced_by_its_variant_with_thresholds_of_groups() -> None:
    limits = FairnessTable(groups=["d"], selection_gap=0.2, group_rows=30)
    rows = grouped(rows_for("two classes", 3_000))
    spec = spec_with(LINE, fairness=limits)
    outcome = held(spec, rows)
    records = {c.name: c for c in outcome.candidates}
    assert set(records) == {"line", "line-fair"}
    assert "d: selection gap" in records["line"].fairness
    assert records["line-fair"].fairness == ""
    assert outcome.winner.record.name == "line-fair"
    assert outcome.winner.model.head.groups is not None
    assert "among those that miss no fairness limit" in outcome.pick

    left = structs.replace(limits, mitigation="none")
    alone = held(structs.replace(spec, fairness=left), rows)
    assert [c.name for c in alone.candidates] == ["line"]
    assert "like every candidate, it misses d: selection gap" in alone.pick
    wide = structs.replace(limits, selection_gap=0.9)
    assert len(held(structs.replace(spec, fairness=wide), rows).candidates) == 1


def test_costs_and_calibration_are_recorded_for_each_candidate() -> None:
    spec = spec_with(LINE)
    costly = structs.replace(spec.label, cost_false_positive=1.0, cost_false_negative=4.0)
    outcome = held(
        structs.replace(spec, label=costly, training=TrainingTable(calibration="sigmoid"))
    )
    assert outcome.winner.record.cost is not None
    assert outcome.winner.record.calibration.method == "sigmoid"
    assert held(spec).winner.record.cost is None
