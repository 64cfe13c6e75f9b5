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


def draft_of(folder: Path, content: str | bytes, label: str = "y") -> Result:
    data = content if isinstance(content, bytes) else content.encode()
    (folder / "d.csv").write_bytes(data)
    return run("init", "d", "--from", "d.csv", "--label", label, "--out", "d.toml", "--force")


def test_bytes_that_are_no_text_are_said_in_words(folder: Path) -> None:
    said = draft_of(folder, b"\x82\x00a,b\n\xff,1,2\n" * 40)
    assert "d.csv: this is not text in UTF-8" in str(said.exception)
    assert str(said.exception).isprintable()
    assert "is in UTF-16" in str(draft_of(folder, "a,y\n1,2\n".encode("utf-16")).exception)


def test_latin_1_is_named_with_line_column_and_remedy(folder: Path) -> None:
    rows = "".join(f'{k},"Ulm, old",{k % 2}\n' for k in range(60))
    said = draft_of(folder, f"x,city,y\n{rows}7,München,1\n".encode("latin-1"))
    assert "d.csv line 62: city is not UTF-8" in str(said.exception)
    assert "iconv -f latin1 -t utf8" in str(said.exception)
    draft_of(folder, f"x,city,y\n{rows}")
    (folder / "d.csv").write_bytes(f"x,city,y\n{rows}7,München,1\n".encode("latin-1"))
    checked = run("check", "d.toml").output
    assert "kept out: 1 rows, city is not UTF-8: save the file as UTF-8" in checked
    assert "d.csv line 62" in checked


def test_a_label_with_one_value_is_told_before_anything_is_trained(folder: Path) -> None:
    rows = "x,y\n" + "".join(f"{k},{k % 2}\n" for k in range(60))
    draft_of(folder, rows)
    constant = rows.replace(",0\n", ",1\n")
    (folder / "d.csv").write_text(constant, "utf-8")
    checked = run("check", "d.toml")
    assert checked.exit_code == 1
    assert "y is 1 in all 60 rows: training has nothing to learn" in str(checked.exception)
    said = draft_of(folder, constant)
    assert said.exit_code == 0
    assert "warning: y has one value only" in said.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,a,y\n1,2,0\n3,4,1\n", "'a' stands more than once in the header"),
        ("d,y\n2024-01-01,0\n2024-01-02,1\n", "'d' orders the rows (it holds dates)"),
        ("y,y,b\n1,2,0\n3,4,1\n", "'y' stands more than once in the header"),
    ],
)
def test_why_no_column_is_left_is_said_of_each(folder: Path, text: str, says: str) -> None:
    assert says in str(draft_of(folder, text).exception)


def test_check_tells_a_wrong_delimiter_and_nothing_else(folder: Path) -> None:
    run("init", "rain", "--from", "rain.csv")
    (folder / "rain.csv").write_text(ROWS.replace(",", ";"), "utf-8")
    said = run("check", "spec.toml")
    assert said.exit_code == 1
    assert 'write delimiter = ";"' in said.output
    assert "1 mistake;" in said.output


def test_check_guesses_which_column_was_meant(folder: Path) -> None:
    run("init", "rain", "--from", "rain.csv")
    spec = folder / "spec.toml"
    spec.write_text(spec.read_text("utf-8").replace("temperature_c", "temprature_c"), "utf-8")
    assert "did you mean temperature_c?" in run("check", "spec.toml").output


def test_what_is_not_there_is_said_in_words(folder: Path) -> None:
    said = run("init", "rain", "--from", "nope.csv").exception
    assert str(said).startswith("nope.csv is not there;")
    said = run("check", "no/nope.toml").exception
    assert "no/nope.toml is not there, nor is its folder no;" in str(said)
    assert "fleetloop init" in str(said)


def test_a_label_that_is_not_there_is_told_before_the_file_that_is(folder: Path) -> None:
    (folder / "spec.toml").write_text("mine", "utf-8")
    said = run("init", "rain", "--from", "rain.csv", "--label", "typo")
    assert "no column is called 'typo'" in str(said.exception)
    assert (folder / "spec.toml").read_text("utf-8") == "mine"
