"""The commands about specs: what they write, what they say, and what they never overwrite."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fleetloop_hub.cli.app import app
from fleetloop_hub.errors import DataError, SpecError
from fleetloop_shared.errors import InvalidIdError

ROWS = "day,temperature_c,rained\n" + "".join(f"{k},{k % 30}.5,{k % 3 % 2}\n" for k in range(90))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rain.csv").write_text(ROWS, "utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_drafted_spec_is_checked_without_a_complaint(folder: Path) -> None:
    (folder / "specs").mkdir()
    said = run("init", "rain", "--from", "rain.csv", "--out", "specs/rain.toml")
    assert said.exit_code == 0
    assert "fleetloop check specs/rain.toml" in said.output
    assert 'csv = "../rain.csv"' in (folder / "specs" / "rain.toml").read_text("utf-8")
    said = run("check", "specs/rain.toml")
    assert said.exit_code == 0
    assert "rain: 90 rows, 1 features" in said.output


def test_file_that_is_there_is_replaced_only_by_force(folder: Path) -> None:
    (folder / "spec.toml").write_text("mine", "utf-8")
    said = run("init", "rain", "--from", "rain.csv")
    assert isinstance(said.exception, SpecError)
    assert "--force" in str(said.exception)
    assert (folder / "spec.toml").read_text("utf-8") == "mine"
    assert run("init", "rain", "--from", "rain.csv", "--force").exit_code == 0
    assert "[model]" in (folder / "spec.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (["init", "Rain!", "--from", "rain.csv"], InvalidIdError, "Rain!"),
        (["init", "rain", "--from", "nowhere.csv"], DataError, r"nowhere\.csv"),
        (["init", "rain", "--from", "rain.csv", "--label", "snow"], DataError, "snow"),
        (["init", "rain", "--from", "rain.csv", "--task", "sort"], SpecError, "--task sort"),
        (["init", "rain", "--from", "rain.csv", "--out", "no/s.toml"], SpecError, "no folder"),
    ],
)
def test_what_cannot_be_drafted_is_said_and_nothing_is_written(
    folder: Path, arguments: list[str], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert [file.name for file in folder.iterdir()] == ["rain.csv"]


def test_check_lists_every_mistake_with_its_line(folder: Path) -> None:
    assert run("init", "rain", "--from", "rain.csv").exit_code == 0
    spec = folder / "spec.toml"
    text = spec.read_text("utf-8").replace('"temperature_c"', '"temperature"')
    text = text.replace("[gates]\n", '[gates]\nlabel_flips = "few"\nflor = 1\n')
    spec.write_text(text, "utf-8")
    said = run("check", "spec.toml")
    assert said.exit_code == 1
    line = text.splitlines().index("flor = 1") + 1
    assert f"spec.toml:{line - 1}: gates.label_flips: write a number" in said.stdout
    assert f"spec.toml:{line}: gates.flor is not a key" in said.stdout
    assert "2 mistakes" in said.stderr
    told = json.loads(run("check", "spec.toml", "--json").stdout)["problems"]
    assert [(p["line"], p["key"]) for p in told] == [
        (line - 1, "gates.label_flips"),
        (line, "gates.flor"),
    ]


def test_check_names_columns_that_the_source_lacks(folder: Path) -> None:
    assert run("init", "rain", "--from", "rain.csv").exit_code == 0
    text = (folder / "spec.toml").read_text("utf-8")
    text = text.replace('"temperature_c"', '"temperature"')
    (folder / "spec.toml").write_text(text, "utf-8")
    said = run("check", "spec.toml")
    assert said.exit_code == 1
    line = text.splitlines().index('name = "temperature"') + 1
    assert f"spec.toml:{line}: features[0].name: the source has no column" in said.stdout
