"""The command line says in a line what is wrong, and what to do."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleetloop_firmware_sim.cli import app
from fleetloop_firmware_sim.constrained import building
from fleetloop_firmware_sim.errors import FirmwareError
from fleetloop_shared.codec import encode
from fleetloop_shared.errors import FleetloopError
from support import c_programs
from support.examples import MANIFEST


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "rows.csv"
    path.write_text("t,rain\n1,0\n", "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("sensor --device-url http://127.0.0.1:1 --label rain", "no device answers"),
        ("sensor --device-url http://127.0.0.1:1 --label rain --rows x", "is not FROM:TO"),
        ("sensor --device-url http://127.0.0.1:1 --label rain --rows 5:9", "none of them in 5:9"),
        ("sensor --device-url http://127.0.0.1:1 --label snow", "no column 'snow'; it has t, rain"),
        ("fleet --hub http://127.0.0.1:1 --label rain", "say how devices get in"),
        ("fleet --hub http://127.0.0.1:1 --label rain --tokens /nowhere", "cannot be read"),
        ("device --hub http://127.0.0.1:1 --label rain --token a.b", "start one with"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(command: str, says: str, data: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--data", data])
    assert isinstance(done.exception, FleetloopError)
    assert says in str(done.exception)


def test_an_error_that_was_foreseen_is_one_line_and_exit_code_1(data: str) -> None:
    arguments = ["sensor", "--device-url", "http://127.0.0.1:1", "--label", "rain", "--data", data]
    done = subprocess.run(
        [sys.executable, "-m", "fleetloop_firmware_sim", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("fleetloop-sim: no device answers")
    assert "Traceback" not in done.stderr


CONSTRAINED = "constrained {folder} --sensors {broker} --input rows/+ --output answers/{{0}}"


@pytest.mark.parametrize(
    ("folder", "broker", "more", "says"),
    [
        ("nowhere", "mqtt://127.0.0.1:1", "", "make one with `fleetloop export MODEL`"),
        (".", "mqtt://127.0.0.1:1", "--hub http://127.0.0.1:1", "--hub and --token belong"),
        (".", "mqtt://127.0.0.1:1", "--password-file no", "no cannot be read"),
        (".", "mqtts://127.0.0.1:1", "", "wants TLS"),
        (".", "elsewhere", "", "elsewhere"),
    ],
)
def test_firmware_that_cannot_be_started_says_why(  # noqa: PLR0913, PLR0917  # a table's columns
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    broker: str,
    more: str,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifest.json").write_bytes(encode(MANIFEST))
    monkeypatch.setattr(building, "build", lambda *_: tmp_path / "never")
    words = f"{CONSTRAINED.format(folder=folder, broker=broker)} {more}".split()
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, FleetloopError)
    assert says in str(done.exception)


def test_without_a_compiler_it_is_said_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(FirmwareError, match="apt-get install gcc"):
        building.build(tmp_path, tmp_path)


def test_a_source_that_does_not_compile_is_told_with_the_compilers_words(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip(c_programs.WHY)
    with pytest.raises(FirmwareError, match="did not compile"):
        building.build(tmp_path, tmp_path)
