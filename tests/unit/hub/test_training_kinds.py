"""Whole runs of every kind: what each leaves, twice the same, and what goes wrong with rows."""

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.packaging.assembly import signature
from fleetloop_hub.records import RunState
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.spec.scalars import Family
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.training.oddities import marked
from fleetloop_hub.training.run import Output, train
from fleetloop_hub.training.split import split
from fleetloop_hub.training.tournament import Outcome, Rules, hold
from support.families import EVERY, KINDS, quick, rows_for, spec_for
from support.learnable import from_csv, job, silent, toy_csv

LINE = '[[candidates]]\nname = "line"\nfamily = "linear"\n'
ODD = (
    '[[candidates]]\nname = "forest"\nfamily = "isolation-forest"\ntrees = 10\n'
    '[[candidates]]\nname = "border"\nfamily = "one-class-svm"\n'
)


def held(kind: str, family: Family) -> Outcome:
    task, classes = KINDS[kind]
    spec = structs.replace(spec_for(kind), candidates=[quick(family)])
    rows = rows_for(kind, 400)
    rows = marked(rows, spec) if task == "anomaly" else rows
    form = signature(spec, classes, 0.5, (0.0, 1.0))
    return hold(spec, split(rows, spec), form, Rules(lambda share, text: None, lambda: 0.0))


@pytest.mark.parametrize(("kind", "family"), EVERY)
def test_every_family_is_packed_to_the_same_bytes_again(kind: str, family: Family) -> None:
    one, two = held(kind, family), held(kind, family)
    assert one.winner.packed == two.winner.packed
    assert one.winner.record.parameters == two.winner.record.parameters
    record, rows = one.winner.record, rows_for(kind, 400)
    assert record.score > 0.6
    assert record.score - record.quantized_score < 0.005
    artifact = Artifact(one.winner.packed.data, one.winner.model.signature)
    outputs = artifact.outputs(rows.values)
    exact = one.winner.model.answers(rows).outputs
    assert np.isfinite(outputs).all()
    assert np.abs(outputs - exact).mean() < 0.02 * max(1.0, float(exact.std()))


def run_of(
    folder: Path, candidates: str, text: str, *, task: str = "classification", more: str = ""
) -> Output:
    label = '[label]\ncolumn = "y"\n' if ",y\n" in text else ""
    spec = (
        f'[model]\nname = "toy"\ntask = "{task}"\nseed = 3\n[[sources]]\ncsv = "toy.csv"\n'
        f'[rows]\ntime = "t"\n{label}[[features]]\nname = "a"\n[[features]]\nname = "b"\n'
        f"{candidates}[drift]\nwindow_rows = 16\n{more}"
    )
    (folder / "toy.csv").write_text(text)
    blobs = FileBlobs(folder / "blobs")
    dataset = from_csv(parse(spec), folder / "toy.csv", blobs, 1.0)
    return train(job(spec, dataset, blobs), silent)


def test_anomaly_model_needs_no_label_and_says_how_it_was_chosen(tmp_path: Path) -> None:
    text = "".join(line.rsplit(",", 1)[0] + "\n" for line in toy_csv(200).splitlines())
    gate = '[gates]\nmetric = "roc_auc"\n'
    output = run_of(tmp_path, ODD, text, task="anomaly", more=gate)
    run, form = output.result.run, output.result.manifest.signature
    assert run.state is RunState.FINISHED
    assert any("made-up values" in note for note in run.notes)
    assert run.part_rows == {"train": 128, "validation": 32, "held_out": 40}
    assert (form.task, form.classes, form.positive) == ("anomaly", [0, 1], 1)
    rows = np.array([[0.0, 5.0], [500.0, 50.0]], np.float32)
    ordinary, odd = Artifact(output.artifact, form).scores(rows)
    assert ordinary < form.decision_threshold <= odd


def test_costs_set_the_threshold_and_are_counted_against_saying_always_the_same(
    tmp_path: Path,
) -> None:
    text = toy_csv(300)
    costs = '[label]\ncolumn = "y"\ncost_false_positive = 1.0\ncost_false_negative = 4.0\n'
    blobs = FileBlobs(tmp_path / "blobs")
    spec = (
        '[model]\nname = "toy"\n[[sources]]\ncsv = "toy.csv"\n[rows]\ntime = "t"\n'
        f'{costs}[[features]]\nname = "a"\n[[features]]\nname = "b"\n{LINE}'
    )
    (tmp_path / "toy.csv").write_text(text)
    dataset = from_csv(parse(spec), tmp_path / "toy.csv", blobs, 1.0)
    result = train(job(spec, dataset, blobs), silent).result
    assert result.manifest.signature.decision_threshold == pytest.approx(0.2)
    metrics = result.run.metrics
    assert metrics["cost_model"] < min(metrics["cost_always_yes"], metrics["cost_always_no"])
    assert result.run.candidates[0].cost is not None


def test_rows_without_a_label_are_told_and_not_learned_from(tmp_path: Path) -> None:
    lines = toy_csv(300).splitlines()
    gaps = [line if i % 3 else line.rsplit(",", 1)[0] + "," for i, line in enumerate(lines[1:])]
    run = run_of(tmp_path, LINE, "\n".join([lines[0], *gaps]) + "\n").result.run
    assert sum(run.part_rows.values()) == 200


@pytest.mark.parametrize(
    ("label", "told"),
    [
        (lambda t: 7, "with the labels 7; it needs rows with different labels"),
        (lambda t: "1e35" if t % 2 else "-1e35", "more than a device can compute with"),
    ],
)
def test_values_that_cannot_be_learned_are_refused(
    tmp_path: Path, label: object, told: str
) -> None:
    assert callable(label)
    text = "t,a,b,y\n" + "".join(f"{t},{t},1,{label(t)}\n" for t in range(60))
    gate = '[gates]\nmetric = "r2"\n'
    with pytest.raises(TrainingError, match=told):
        run_of(tmp_path, LINE, text, task="regression", more=gate)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_few_rows_are_refused_for_every_task_with_what_to_change(tmp_path: Path, rows: int) -> None:
    text = "t,a,b,y\n" + "".join(f"{t},{t},1,{t % 2}\n" for t in range(rows))
    for task, metric in (("classification", "accuracy"), ("regression", "r2")):
        gate = f'[gates]\nmetric = "{metric}"\n'
        with pytest.raises(TrainingError, match=r"add rows|needs"):
            run_of(tmp_path, LINE, text, task=task, more=gate)
