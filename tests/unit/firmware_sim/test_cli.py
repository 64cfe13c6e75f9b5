"""The command line says in a line what is wrong, and what to do."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleetloop_firmware_sim.cli import app
from fleetloop_shared.errors import FleetloopError


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
