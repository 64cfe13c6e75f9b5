"""`fleetloop labels`: files of labels reach the rows; what is wrong is named with its line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleetloop_hub.cli.labels import SOME_REFUSED
from fleetloop_hub.fleet_records import Device
from support.commands import Run, a_refusal, listening_hub, runner
from support.hubweb import WebHub
from support.reports import sample, samples


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as hub:
        device = Device(key="s1", cohort="c", hardware="h", password="p" * 24, enrolled_at=0.0)
        hub.catalog.put(device)
        rows = [sample(f"s1.1.{k}") for k in (1, 2)]
        hub.telemetry.store([samples(1, *rows, device="s1")])
        yield hub


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


def written(folder: Path, name: str) -> str:
    """A file with the same three labels in each form."""
    if name.endswith(".parquet"):
        columns = {"prediction_id": ["s1.1.1", "s1.1.7", "s2.1.1"], "label": [1, 1, 0]}
        pq.write_table(pa.table({**columns, "at": [9.5, 9.5, 9.5]}), folder / name)
    elif name.endswith(".jsonl"):
        rows = [("s1.1.1", 1), ("s1.1.7", 1), ("s2.1.1", 0)]
        lines = [json.dumps({"prediction_id": p, "label": v, "at": 9.5}) for p, v in rows]
        (folder / name).write_text("\n".join(lines), "utf-8")
    else:
        text = "prediction_id,label,at\ns1.1.1,1,9.5\ns1.1.7,1,1970-01-01T00:00:09.5Z\ns2.1.1,0,9.5"
        (folder / name).write_text(text, "utf-8")
    return name


@pytest.mark.parametrize("name", ["truth.csv", "truth.jsonl", "truth.parquet"])
def test_labels_of_a_file_are_joined_once_and_the_rest_is_said_with_its_line(
    run: Run, hub: WebHub, tmp_path: Path, name: str
) -> None:
    file = written(tmp_path, name)
    done = run("labels", "add", file)
    assert done.code == SOME_REFUSED
    said = done.out
    assert "3 labels told: 1 joined to their rows, 1 wait for rows" in said
    line = 4 if name == "truth.csv" else 3
    assert f"line {line}: 's2.1.1' is of no enrolled device" in said
    again = json.loads(run("labels", "add", file, "--json").out)
    assert (again["joined"], again["duplicate"], again["refused"]) == (0, 2, 1)
    (joined,) = hub.telemetry.labelled("rain")
    assert (joined.label.label, joined.label.at) == (1, 9.5)
    assert "s1: 1 labels wait" in run("labels", "list").out


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("t.csv", "prediction_id,label\ns1.1.1,rain\n", "t.csv line 2"),
        ("t.csv", "label\n1\n", "t.csv has no column prediction_id, but label"),
        ("t.csv", "a,b\n", "t.csv has no column prediction_id and no label, but a, b"),
        ("t.csv", "", "t.csv has no column prediction_id and no label, but none"),
        ("t.csv", "prediction_id,label,at\ns1.1.1,1,soon\n", "t.csv line 2"),
        ("t.csv", "prediction_id,label,at\ns1.1.1,1,inf\n", "t.csv line 2"),
        ("t.csv", "prediction_id,label\ns1.1.1,1\n" + "x" * 20_000, "t.csv line 3 is longer than"),
        ("t.jsonl", '{"prediction_id":"s1.1.1","label":1}\n{', "t.jsonl line 2"),
        ("t.jsonl", "[1]\n", "t.jsonl line 1"),
        ("t.parquet", "no parquet", "nothing was told"),
        ("t.txt", "", "give a .csv, .parquet or .jsonl file"),
    ],
)
def test_a_file_with_a_row_that_is_no_label_tells_nothing(  # noqa: PLR0913, PLR0917  # a table
    run: Run, hub: WebHub, tmp_path: Path, name: str, text: str, says: str
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    refusal = a_refusal(run("labels", "add", name))
    assert says in refusal
    assert "nothing was told" in refusal
    assert list(hub.telemetry.labelled("rain")) == []
    assert hub.telemetry.labels_waiting() == {}


def test_a_file_that_is_not_there_is_said(run: Run, hub: WebHub) -> None:
    assert "gone.csv is not there; nothing was told" in a_refusal(run("labels", "add", "gone.csv"))


def test_a_label_source_gets_an_account_of_its_own(run: Run, hub: WebHub) -> None:
    made = run("labels", "source", "bank").out
    assert "username  bank" in made
    assert hub.actions.asked == [("label source", "bank")]
    assert json.loads(run("labels", "source", "bank", "--json").out)["topic"] == "t"
    assert "label sources: none" in run("labels", "list").out
