"""Pictures of runs: which there are, that what they say is right, and that they are files."""

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from msgspec.structs import replace

from fleetloop_hub.records import Run, RunState
from fleetloop_hub.run_parts import Candidate, Setting
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.tracking.plots.formats import Format
from fleetloop_hub.tracking.plots.pictures import pictures
from fleetloop_hub.training.evaluation import Evaluation
from fleetloop_hub.validation.metrics import Answers, measure
from fleetloop_shared.manifest import Signature
from support.commands import Run as Command
from support.commands import a_refusal, listening_hub, runner
from support.hubrecords import a_run
from support.hubweb import WebHub
from support.past_runs import a_past_run

ROWS = 300


def signature(task: str, classes: list[int], positive: int, names: list[str]) -> Signature:
    return Signature(
        input_name="x",
        score_name="y",
        features=[],
        classes=classes,
        positive=positive,
        decision_threshold=0.4,
        task=task,
        class_names=names,
    )


def evaluation(truth: object, outputs: object, form: Signature) -> Evaluation:
    columns = np.asarray(outputs, np.float32)
    answers = Answers(np.asarray(truth, np.float64), columns, form)
    rows = len(columns)
    return Evaluation(answers, np.arange(float(rows)), np.array([""] * rows), {})


def two_classes(rng: np.random.Generator, task: str = "classification") -> Evaluation:
    truth = (rng.random(ROWS) < 0.4).astype(float)
    score = np.clip(rng.normal(0.3 + 0.3 * truth, 0.2), 0, 1)
    outputs = np.stack([1 - score, score], axis=1)
    return evaluation(truth, outputs, signature(task, [0, 1], 1, ["dry", "wet & cold"]))


def texts(svg: bytes) -> str:
    root = ET.fromstring(svg)  # noqa: S314  # our own file
    return "\n".join("".join(e.itertext()) for e in root.iter() if e.tag.endswith("text"))


def drawn(run: Run, rows: Evaluation | None) -> dict[str, bytes]:
    return dict(pictures(run, rows, "svg"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture
def searched() -> Run:
    [small] = a_run().candidates
    many = [replace(small, name=f"net-{n}", artifact_bytes=100 * 10**n) for n in range(5)]
    curved = replace(many[0], curves={"validation loss": [0.9, 0.5], "score by fold": [0.7]})
    tried = [
        Setting(parameters={"alpha": 10.0**-n, "solver": "x"}, scores=[0.6, 0.7]) for n in range(4)
    ]
    tried += [
        Setting(parameters={"alpha": 5.0}, scores=[None, 0.6]),
        Setting(parameters={}, scores=[], note="could not be fitted"),
    ]
    return replace(a_run(), candidates=[curved, *many[1:]], searches={"net": tried})


def test_a_classification_has_its_pictures_and_says_what_the_metrics_say(
    rng: np.random.Generator,
) -> None:
    rows = two_classes(rng)
    found = drawn(a_run(), rows)
    assert list(found) == [
        "scores",
        "roc",
        "precision-recall",
        "confusion",
        "calibration",
        "pareto",
    ]
    assert f"area {measure('roc_auc', rows.answers):.3f}" in texts(found["roc"])
    precision = measure("average_precision", rows.answers)
    assert f"average precision {precision:.3f}" in texts(found["precision-recall"])
    assert "threshold 0.400" in texts(found["roc"])
    right = int(np.sum(rows.answers.right & (rows.answers.truth == 1)))
    assert str(right) in texts(found["confusion"]).split()
    assert "wet & cold" in texts(found["calibration"])


def test_other_tasks_have_theirs(rng: np.random.Generator) -> None:
    classes = rng.integers(0, 3, ROWS)
    outputs = rng.dirichlet([1, 1, 1], ROWS)
    several = evaluation(classes, outputs, signature("classification", [0, 1, 2], -1, []))
    found = drawn(a_run(), several)
    assert list(found) == ["roc", "precision-recall", "confusion", "calibration", "pareto"]
    assert "class 2: area" in texts(found["roc"])
    truth = rng.normal(size=ROWS)
    regression = evaluation(truth, truth[:, None] + 1, signature("regression", [], -1, []))
    found = drawn(a_run(), regression)
    assert list(found) == ["predicted", "residuals", "pareto"]
    assert "mean -1" in texts(found["residuals"])
    anomaly = two_classes(rng, "anomaly")
    assert list(drawn(a_run(), anomaly)) == [
        "scores",
        "roc",
        "precision-recall",
        "confusion",
        "pareto",
    ]


def test_rows_without_labels_or_of_one_class_leave_out_what_cannot_be_drawn(
    rng: np.random.Generator,
) -> None:
    rows = two_classes(rng, "anomaly").answers
    unknown = evaluation(np.full(ROWS, np.nan), rows.outputs, rows.signature)
    assert list(drawn(a_run(), unknown)) == ["scores", "pareto"]
    assert "truth unknown, 300 rows" in texts(drawn(a_run(), unknown)["scores"])
    same = evaluation(np.ones(ROWS), rows.outputs, rows.signature)
    assert list(drawn(a_run(), same)) == ["scores", "pareto"]
    none = evaluation([], np.zeros((0, 2)), rows.signature)
    assert list(drawn(a_run(), none)) == ["pareto"]


def test_candidates_learning_and_search_are_drawn(searched: Run) -> None:
    found = drawn(searched, None)
    assert list(found) == ["pareto", "learning", "search"]
    assert "net-4" in texts(found["pareto"])
    assert "validation loss" in texts(found["learning"])
    assert "fold" in texts(found["learning"]).split("\n")
    assert "alpha" in texts(found["search"])
    assert "solver" not in texts(found["search"])


def test_a_hundred_candidates_of_one_score_are_drawn() -> None:
    [small] = a_run().candidates
    many: list[Candidate] = [replace(small, name=f"candidate-number-{n}") for n in range(100)]
    assert "and 97 more" in texts(drawn(replace(a_run(), candidates=many), None)["pareto"])


@pytest.mark.parametrize("format_", ["svg", "png"])
def test_the_same_run_gives_the_same_bytes(format_: Format) -> None:
    first, second = (dict(pictures(a_run(), None, format_)) for _ in range(2))
    assert first == second


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    return runner(monkeypatch, capsys, tmp_path)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as hub:
        (tmp_path / "made").mkdir()
        assert isinstance(hub.blobs, FileBlobs)
        hub.catalog.put(a_past_run(hub.blobs, tmp_path / "made"))
        hub.catalog.put(replace(a_run("failed-1", state=RunState.FAILED), candidates=[]))
        yield hub


def test_plot_writes_a_file_each(command: Command, hub: WebHub, tmp_path: Path) -> None:
    assert command("runs", "plot", "run-1").code == 0
    names = {path.name for path in (tmp_path / "run-1").iterdir()}
    assert {"roc.svg", "calibration.svg", "confusion.svg", "pareto.svg"} <= names
    assert "80 held-out rows" in texts((tmp_path / "run-1" / "roc.svg").read_bytes())
    command("runs", "plot", "run-1", "--out", "report/x", "--format", "png", "--json")
    assert (tmp_path / "report" / "x" / "roc.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_that_tried_nothing_cannot_be_drawn(command: Command, hub: WebHub) -> None:
    assert "fleetloop runs log failed-1" in a_refusal(command("runs", "plot", "failed-1"))


def test_export_without_a_way_to_mlflow_changes_nothing_here(
    command: Command, hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    told = a_refusal(command("runs", "export", "run-1", "--mlflow", "http://127.0.0.1:1"))
    assert "fleetloop-hub[mlflow]" in told
