"""`fleetloop data`: what is new is added, shown and compared; labels reach the samples."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from fleetloop_hub.records import Dataset
from fleetloop_hub.tables import data as tables
from support.commands import Run, a_refusal, listening_hub, runner
from support.hubweb import WebHub
from support.learnable import SPEC, toy_csv


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


def test_versions_are_added_listed_shown_and_compared(
    run: Run, hub: WebHub, tmp_path: Path
) -> None:
    (tmp_path / "toy.toml").write_text(SPEC, "utf-8")
    assert "No dataset version yet: fleetloop data add" in run("data", "list").out
    (tmp_path / "toy.csv").write_text("t;a\n", "utf-8")
    assert "write delimiter" in a_refusal(run("data", "add", "toy.toml"))
    (tmp_path / "toy.csv").write_text(toy_csv() + "400,999,1,1\n", "utf-8")
    added = run("data", "add", "toy.toml")
    assert "400 to train on, 400 of them new" in added.out
    assert "a above 100" in added.out
    assert "toy.csv line 402: 400,999,1,1" in added.out
    with (tmp_path / "toy.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{n},{50 + n / 100},1,1\n" for n in range(401, 461))
    grown = run("data", "add", "toy.toml")
    assert "60 of them new" in grown.out
    assert "has changed" in grown.out
    versions = json.loads(run("data", "list", "--json").out)
    assert [v["rows"] for v in versions] == [460, 400]
    assert versions[0]["parent"] == versions[1]["key"]
    assert versions[0]["faults"] == [], "a list shows no rows"
    assert "460" in run("data", "list", "--model", "toy").out
    assert "No dataset version yet" in run("data", "list", "--model", "tin").out
    new, old = (v["key"][:12] for v in versions)
    assert f"grew from  {old}" in run("data", "show", new).out.replace("    ", "  ")
    assert json.loads(run("data", "show", "toy", "--json").out)["rows"] == 460
    told = run("data", "diff", old, new)
    assert "60 added, 0 removed" in told.out
    assert json.loads(run("data", "diff", old, new, "--json").out)["added"] == 60
    assert "no dataset version begins with 'zz'" in a_refusal(run("data", "show", "zz"))
    again = json.loads(run("data", "add", "toy.toml", "--json").out)
    assert (again["grown"], again["dataset"]["key"]) == (False, versions[0]["key"])


def test_a_source_that_shrank_is_said_to_be_read_anew_with_the_rows_that_are_gone(
    run: Run, hub: WebHub, tmp_path: Path
) -> None:
    (tmp_path / "toy.toml").write_text(SPEC, "utf-8")
    (tmp_path / "toy.csv").write_text(toy_csv(), "utf-8")
    run("data", "add", "toy.toml")
    header, *lines = toy_csv().splitlines()
    (tmp_path / "toy.csv").write_text("\n".join([header, *lines[100:], "900,1,2,1", ""]), "utf-8")
    added = run("data", "add", "toy.toml").out
    assert "301 to train on, 1 of them new" in added
    assert "toy.csv was read anew; 100 rows of before are not in it any more" in added
    assert "grew from" not in added
    new, old = (v["key"][:12] for v in json.loads(run("data", "list", "--json").out))
    assert "100 rows of before are not in it any more" in run("data", "show", new).out
    assert "1 added, 100 removed" in run("data", "diff", old, new).out
    (tmp_path / "toy.csv").write_text(toy_csv(), "utf-8")
    assert "400 to train on, 100 of them new" in run("data", "add", "toy.toml").out
    first = run("data", "show", "toy").out
    assert "400 to train on, 400 of them new" in first, "what it came from stays as it was"


def test_train_says_which_rows_are_gone(capsys: pytest.CaptureFixture[str]) -> None:
    one = Dataset(
        key="a" * 64, model="toy", source="", rows=3, positives=1, quarantined={}, parent="b" * 64,
        created_at=0.0, gone=1, read_anew=["a.csv", "b.csv"],
    )  # fmt: skip
    Console(width=160).print(tables.news(one))
    said = capsys.readouterr().out
    assert "a.csv, b.csv were read anew; 1 row of before is not in it any more" in said


def test_train_refuses_rows_of_one_class_before_a_version_is_stored(
    run: Run, hub: WebHub, tmp_path: Path
) -> None:
    (tmp_path / "toy.toml").write_text(SPEC, "utf-8")
    rows = "".join(f"{k},{k % 9},{k % 7},1\n" for k in range(60))
    (tmp_path / "toy.csv").write_text(f"t,a,b,y\n{rows}", "utf-8")
    said = a_refusal(run("train", "toy.toml"))
    assert "y is 1 in all 60 rows: training has nothing to learn from one class" in said
    assert "No dataset version yet" in run("data", "list").out
    assert "60 to train on" in run("data", "add", "toy.toml").out, "the other class may still come"


NAMED = """
[model]
name = "named"
[[sources]]
csv = "named.csv"
[rows]
time = "t"
[label]
column = "left"
classes = ["No", "Yes"]
positive = "Yes"
[[features]]
name = "plan"
kind = "category"
categories = ["Basic", "Plus", "Gold"]
[[candidates]]
name = "line"
family = "linear"
"""


def named_row(place: int, plan: str) -> str:
    return f"{place},{plan},{'Yes' if place % 4 else 'No'}\n"


def test_classes_and_categories_are_shown_by_their_names(
    run: Run, hub: WebHub, tmp_path: Path
) -> None:
    (tmp_path / "named.toml").write_text(NAMED, "utf-8")
    old = "".join(named_row(k, "Basic" if k % 2 else "Plus") for k in range(80))
    (tmp_path / "named.csv").write_text(f"t,plan,left\n{old}", "utf-8")
    assert "No: 20 (25.0 %), Yes: 60 (75.0 %)" in run("data", "add", "named.toml").out
    new = "".join(named_row(k, "Gold" if k % 4 else "Silver") for k in range(80, 160))
    (tmp_path / "named.csv").write_text(f"t,plan,left\n{old}{new}", "utf-8")
    grown = run("data", "add", "named.toml").out
    assert ["Gold", "0.0", "%", "75.0", "%"] in [line.split() for line in grown.splitlines()]
    new_key, old_key = (v["key"][:12] for v in json.loads(run("data", "list", "--json").out))
    told = [line.split() for line in run("data", "diff", old_key, new_key).out.splitlines()]
    assert ["label", "Yes", "60", "→", "120"] in told
    assert ["Gold", "0.0", "%", "37.5", "%"] in told
    (plan,) = [line for line in told if line[:1] == ["plan"]]
    assert plan[1:] == [plan[1], "0.0", "%", "→", "0.0", "%", "has", "changed"], "no mean of places"
