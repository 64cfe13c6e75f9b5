"""`fleetloop runs ...`, and the HTTP API below it."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.records import RunState
from fleetloop_hub.run_parts import Reproduction
from fleetloop_hub.tables.runs import runs_table
from fleetloop_hub.tracking.summaries import _summary
from support.commands import Run, a_refusal, listening_hub, runner
from support.hubrecords import START, a_run, a_version
from support.hubweb import WebHub, problem


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    """A hub that has trained rain twice, and snow without success."""
    with listening_hub(tmp_path) as hub:
        log = hub.blobs.put(b"Traceback: out of rain\n")
        hub.catalog.put(
            replace(
                a_run("rain-1"), metric="f1", metrics={"f1": 0.5, "f1_low": 0.4, "f1_high": 0.6}
            ),
            replace(a_run("rain-2"), started_at=START + 1, seed=8, artifacts={"log.txt": log}),
            replace(
                a_run("snow-1", state=RunState.FAILED, error="no snow: add rows with snow"),
                model="snow",
                started_at=START + 2,
                asked_by="ann",
                reason="winter comes",
            ),
            a_version(4, run="rain-1"),
        )
        yield hub


def test_list_shows_the_newest_first_with_what_became_of_it(run: Run, hub: WebHub) -> None:
    lines = run("runs", "list").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["snow-1", "rain-2", "rain-1"]
    assert "no snow: add rows with snow" in lines[1]
    assert "f1 0.5" in lines[3]
    assert "v4" in lines[3]


@pytest.mark.parametrize("width", [20, 90, 110, 200])
def test_a_listed_run_takes_one_line_whatever_the_width(width: int) -> None:
    metrics = {"accuracy": 0.9, "accuracy_low": 0.8, "roc_auc": 0.75}
    good = replace(a_run("rain-1"), metrics=metrics, metric="roc_auc", asked_by="ann", reason="one")
    bad = a_run("rain-2", state=RunState.FAILED, error="no rain\n" + "and none since " * 30)
    with io.StringIO() as said:
        runs = [_summary(good, 4), _summary(bad, None)]
        Console(file=said, width=width).print(runs_table(runs))
        lines = said.getvalue().splitlines()
    assert len(lines) == 3
    assert all(len(line) <= width for line in lines)
    if width >= 110:
        assert "roc auc 0.75" in lines[1]
        assert "accuracy" not in lines[1]
        assert lines[1].rstrip().endswith("ann: one")
        assert lines[2].rstrip().endswith("…")
        assert "no rain and none" in lines[2]


def test_no_other_metric_stands_in_place_of_the_one_that_gates_judge_by() -> None:
    odd = replace(a_run("rain-1"), metrics={"accuracy": 0.9}, metric="roc_auc")
    with io.StringIO() as said:
        Console(file=said, width=200).print(runs_table([_summary(odd, 4)]))
        assert "accuracy" not in said.getvalue()


def test_list_can_be_narrowed(run: Run, hub: WebHub) -> None:
    def keys(*options: str) -> list[str]:
        return [r["key"] for r in json.loads(run("runs", "list", "--json", *options).out)]

    assert keys("--model", "rain") == ["rain-2", "rain-1"]
    assert keys("--state", "failed") == ["snow-1"]
    assert keys("--limit", "1") == ["snow-1"]
    assert "fleetloop train SPEC.toml" in run("runs", "list", "--model", "hail").out
    for query in ("limit=0", "limit=1001", "limit=many", "state=odd"):
        problem(hub.client().get(f"/api/v1/runs?{query}"), 400)


def test_a_summary_says_why_a_run_was_made(run: Run, hub: WebHub) -> None:
    [snow] = json.loads(run("runs", "list", "--model", "snow", "--json").out)
    assert (snow["asked_by"], snow["reason"], snow["version"]) == ("ann", "winter comes", None)


def test_show_tells_everything(run: Run, hub: WebHub) -> None:
    told = run("runs", "show", "rain-1").out
    for words in ("seed 7", "d" * 64, "small (taken)", "(taken)", "f1", "0.400 to 0.600"):
        assert words in told
    assert json.loads(run("runs", "show", "rain-1", "--json").out)["key"] == "rain-1"


def test_compare_shows_only_what_differs(run: Run, hub: WebHub) -> None:
    told = run("runs", "compare", "rain-1", "rain-2").out
    assert "seed" in told
    assert "dataset" not in told
    assert "dataset" in run("runs", "compare", "rain-1", "rain-2", "--all").out
    parts = json.loads(run("runs", "compare", "rain-1", "rain-2", "--json").out)["parts"]
    assert [row["name"] for row in parts["metrics"]] == ["f1"]
    assert "two different runs" in a_refusal(run("runs", "compare", "rain-1", "rain-1"))


def test_log_prints_what_the_run_printed(run: Run, hub: WebHub) -> None:
    assert run("runs", "log", "rain-2").out == "Traceback: out of rain\n"
    assert "it left: nothing" in a_refusal(run("runs", "log", "rain-1"))


def test_a_run_that_is_none_is_told_with_the_next_command(run: Run, hub: WebHub) -> None:
    for command in (["show", "hail-1"], ["compare", "rain-1", "hail-1"], ["log", "hail-1"]):
        assert "fleetloop runs list" in a_refusal(run("runs", *command))
    assert "no run's key" in a_refusal(run("runs", "show", "../status"))


def test_a_file_is_served_by_its_name_alone(run: Run, hub: WebHub) -> None:
    client = hub.client()
    found = client.get("/api/v1/runs/rain-2/files/log.txt")
    assert found.data == b"Traceback: out of rain\n"
    for name in ("..%2Flog.txt", "log", "spec.toml"):
        assert client.get(f"/api/v1/runs/rain-2/files/{name}").status_code == 404
    hub.catalog.put(replace(a_run("rain-3"), artifacts={"log.txt": "0" * 64}))
    problem(client.get("/api/v1/runs/rain-3/files/log.txt"), 404)


def test_reproduce_ends_well_only_if_the_bytes_are_the_same(run: Run, hub: WebHub) -> None:
    said = run("runs", "reproduce", "rain-1")
    assert said.code == 0
    assert "rain-1 is reproduced" in said.out
    assert hub.actions.asked[0][:2] == ("reproduce", "rain-1")
    hub.actions.reproduces = False
    assert run("runs", "reproduce", "rain-1").code == 1
    told = run("runs", "reproduce", "rain-1", "--json")
    assert (told.code, json.loads(told.out)["reproduction"]["equal"]) == (1, False)
    hub.actions.run_error = "out of memory"
    assert "out of memory" in a_refusal(run("runs", "reproduce", "rain-1"))


def test_a_reproduction_is_marked_in_the_list_and_tells_what_differs(run: Run, hub: WebHub) -> None:
    verdict = Reproduction(equal=False, differences=["library numpy: 1 then, 2 now"])
    hub.catalog.put(
        replace(a_run("rain-3"), reproduces="rain-1", reproduction=verdict, started_at=START + 9)
    )
    assert "rain-1 again, not equal" in run("runs", "list").out
    assert "library numpy: 1 then, 2 now" in run("runs", "show", "rain-3").out


def test_cancel_tells_the_hub_who_asks(run: Run, hub: WebHub) -> None:
    assert "nothing of it is used" in run("runs", "cancel", "rain-1").out
    assert hub.actions.asked[0][:2] == ("cancel", "rain-1")
    hub.actions.error = TrainingError("run rain-1 is not under way, it is finished")
    assert "it is finished" in a_refusal(run("runs", "cancel", "rain-1"))
