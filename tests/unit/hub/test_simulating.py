"""A replay tells policies apart, never peeks ahead, and refuses what it cannot replay."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import DataError
from fleetloop_hub.simulating import drawing
from fleetloop_hub.simulating.compare import simulate
from fleetloop_hub.simulating.history import History, read_history, timed
from fleetloop_hub.simulating.levelled import levelled
from fleetloop_hub.simulating.plan import Plan
from fleetloop_hub.simulating.policies import Policy, table
from fleetloop_hub.simulating.replay import Played, Replay
from fleetloop_hub.simulating.school import School
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.manifest import Signature
from support.commands import Run, runner

SPEC_TEXT = """
[model]
name = "turned"
seed = 7
[[sources]]
csv = "rows.csv"
[rows]
time = "at"
[label]
column = "y"
positive = 1
[[features]]
name = "a"
[[features]]
name = "b"
[[candidates]]
name = "line"
family = "linear"
[budget]
artifact_bytes = 100000
latency_ms = 50.0
memory_bytes = 500000000
load_ms = 10000.0
[gates]
metric = "accuracy"
floor = 0.6
[drift]
window_rows = 32
false_alarms_per_million_rows = 100.0
[retrain]
min_labels = 110
cooldown_s = 0.0
most_a_day = 1000
window = "sliding"
window_rows = 200
"""
SPEC = specs.parse(SPEC_TEXT)
ROWS, TURN = 1_000, 560
PLAN = Plan(devices=2)


def world(seed: int = 1) -> Frame:
    """From row 560 on, the inputs lie elsewhere and mean the opposite."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(ROWS, 2)).astype(np.float32)
    label = (values[:, 0] + 0.3 * random.normal(size=ROWS) > 0).astype(np.float64)
    label[TURN:] = 1 - label[TURN:]
    values[TURN:, 1] += 3
    at = np.arange(ROWS, dtype=np.float64)
    none = np.full(ROWS, "", dtype=np.str_)
    return Frame(values=values, label=label, at=at, label_at=at, device=none, groups={})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


HISTORY = timed(SPEC, world(), PLAN)
SCHOOL = School(SPEC, HISTORY.frame)


def played(history: History, policy: Policy, school: School | None = None) -> Played:
    own = school or School(history.spec, history.frame)
    by = table(policy, history.spec.retrain, history.every_s)
    return Replay(history, own, by).play(lambda _share: None)


def test_the_world_that_turns_is_learned_again_by_all_but_never(tmp_path: Path) -> None:
    found = simulate(HISTORY, PLAN, "rows.csv", list(Policy), lambda _share, _text: None)
    by = {r.policy: r for r in found.results}
    assert by["never"].retrainings == by["never"].labels_used == 0
    assert all(by[p].value > by["never"].value + 0.1 for p in ("drift", "accuracy", "loop"))
    assert by["accuracy"].asked[0].trigger == "accuracy"
    assert by["drift"].asked[0].trigger == "drift"
    assert by["drift"].asked[0].row >= TURN - HISTORY.start
    assert by["never"].behind_low > 0
    assert found.best in found.text
    assert found.cheapest != "never"
    for draw in (drawing.over_time, drawing.by_price, drawing.page):
        assert draw(found)
        assert b"nan" not in draw(found)


def test_nothing_is_used_before_it_could_have_been_known() -> None:
    """Rows after a moment, and labels that come after it, change nothing before it."""
    delay, end = 20, 900
    late = timed(SPEC, world(), replace(PLAN, label_delay_s=delay)).frame
    truth = replace(HISTORY, frame=late)
    random = np.random.default_rng(9)
    values, label = late.values.copy(), late.label.copy()
    values[end:] = random.normal(size=values[end:].shape) * 9
    label[end - delay :] = 1 - label[end - delay :]
    other = replace(HISTORY, frame=replace(late, values=values, label=label))
    one, two = played(truth, Policy.LOOP), played(other, Policy.LOOP)
    before = end - HISTORY.start
    assert (one.answers.outputs[:before] == two.answers.outputs[:before]).all()
    early = [[r for r in p.retrainings if r.row < end] for p in (one, two)]
    assert early[0] == early[1]
    assert early[0]
    assert not (one.answers.outputs == two.answers.outputs).all()


def test_labels_that_come_late_lead_to_a_later_retraining() -> None:
    late = timed(SPEC, world(), replace(PLAN, label_delay_s=100))
    soon = played(HISTORY, Policy.ACCURACY, SCHOOL).retrainings[0]
    later = played(late, Policy.ACCURACY).retrainings[0]
    assert later.row >= soon.row + 64


def test_one_metric_reads_the_answers_of_versions_with_other_thresholds() -> None:
    common = Signature(
        input_name="x", score_name="y", features=[], classes=[0, 1], positive=1,
        decision_threshold=0.3,
    )  # fmt: skip
    yes = np.random.default_rng(2).random(500).astype(np.float32)
    outputs = np.column_stack([1 - yes, yes])
    for threshold in (0.0, 0.1, 0.3, 0.7, 1.0):
        own = structs.replace(common, decision_threshold=threshold)
        same = levelled(outputs, own, common)
        truth = np.zeros(500)
        said = Answers(truth, same, common).labels
        assert (said == Answers(truth, outputs, own).labels).all()
        inner = np.argsort(yes, kind="stable")
        assert (np.diff(same[inner, 1]) >= 0).all()
        assert ((same >= 0) & (same <= 1.0001)).all()


def _written(folder: Path, *, lines: list[str] | None = None, spec: str = SPEC_TEXT) -> list[str]:
    frame = world()
    rows = [
        f"{int(at)},{v[0]:.4f},{v[1]:.4f},{int(y)}"
        for at, v, y in zip(frame.at, frame.values, frame.label, strict=True)
    ]
    (folder / "spec.toml").write_text(spec, "utf-8")
    (folder / "rows.csv").write_text("\n".join(["at,a,b,y", *(lines or rows)]), "utf-8")
    return rows


@pytest.mark.parametrize(
    ("lines", "spec", "said"),
    [
        (["1,1,1,0", "0,1,1,1"] * 300, SPEC_TEXT, "not in order of time"),
        (["0,1,1,0", "1,1,1,1"], SPEC_TEXT, "too few to be replayed"),
        (None, SPEC_TEXT.replace('time = "at"', ""), "names no time column"),
    ],
    ids=["unsorted", "too short", "no time"],
)
def test_what_cannot_be_replayed_is_refused_with_what_to_do(
    tmp_path: Path, lines: list[str] | None, spec: str, said: str
) -> None:
    _written(tmp_path, lines=lines, spec=spec)
    with pytest.raises(DataError, match=said):
        read_history(specs.parse(spec), tmp_path / "rows.csv", PLAN)
    with pytest.raises(DataError, match="no CSV or Parquet file" if "at" in spec else said):
        read_history(specs.parse(SPEC_TEXT), tmp_path / "rows.xls", PLAN)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--policies", "never,often"), "name each of these at most once"),
        (("--every", "3 weeks"), "write a number and a unit"),
        (("--label-delay", "-1d"), "write a number and a unit"),
        (("--out", "picture.png"), "must end in .html or .svg"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_replayed(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    _written(tmp_path)
    files = str(tmp_path / "spec.toml"), str(tmp_path / "rows.csv")
    refused = run("retrain", "simulate", *files, *arguments)
    assert refused.code == 1
    assert said in " ".join(refused.err.split())


def test_the_command_prints_a_line_a_policy_and_writes_the_drawing(
    run: Run, tmp_path: Path
) -> None:
    _written(tmp_path)
    files = str(tmp_path / "spec.toml"), str(tmp_path / "rows.csv")
    drawn = tmp_path / "drawn.svg"
    said = run("retrain", "simulate", *files, "--policies", "never,drift", "--out", str(drawn))
    assert said.code == 0
    assert "drift is best" in said.out
    assert drawn.read_bytes().startswith(b"<svg")
    told = json.loads(run("retrain", "simulate", *files, "--policies", "never", "--json").out)
    assert [r["policy"] for r in told["results"]] == ["never"]
