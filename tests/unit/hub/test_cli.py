"""The command line, against a web server that really listens."""

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.config import URL_FILE
from fleetloop_hub.errors import ConfigError, GateError
from fleetloop_hub.records import Dataset
from fleetloop_hub.web.admin_token import ADMIN_TOKEN_FILE, read_or_make
from support.commands import Run, a_refusal, listening_hub, runner
from support.hubrecords import a_gate, a_version
from support.hubweb import WebHub, fill

COMMANDS = [
    "serve",
    "token",
    "train",
    "models",
    "devices",
    "attempts",
    "rollouts",
    "cohorts",
    "quarantine",
    "why",
    "retrain",
    "check",
    "init",
    "runs",
    "predict",
    "accuracy",
]
SPEC = """
[model]
name = "rain"
[[sources]]
csv = "rain.csv"
[rows]
time = "day"
[label]
column = "rained"
[[features]]
name = "temperature"
low = -60
high = 60
[[candidates]]
name = "line"
family = "linear"
"""
ROWS = "day,temperature,rained\n1,20.5,0\n2,99,1\n3,,1\n"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def spec(tmp_path: Path) -> str:
    (tmp_path / "rain.csv").write_text(ROWS, "utf-8")
    (tmp_path / "rain.toml").write_text(SPEC, "utf-8")
    return "rain.toml"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run: Run, command: str) -> None:
    said = run(command, "--help")
    assert said.code == 0
    assert f"Usage: fleetloop {command}" in said.out


def test_no_command_at_all_lists_the_commands(run: Run) -> None:
    listed = run("--help").out
    for command in [*COMMANDS, "demo"]:
        assert f" {command} " in listed


def test_a_token_goes_to_standard_output_alone(run: Run, hub: WebHub) -> None:
    said = run("token", "--cohort", "plains")
    assert (said.code, said.out) == (0, "secret.fingerprint\n")
    assert "plains" in said.err
    assert hub.actions.asked == [("token", "plains", 3_600.0)]


def test_train_adds_what_is_new_runs_and_shows_the_gates(run: Run, hub: WebHub, spec: str) -> None:
    said = run("train", spec)
    assert said.code == 0
    assert "floor" in said.out
    assert "passed" in said.out
    assert "on the wire" in said.out
    assert "fleetloop rollouts start rain@9" in said.out
    assert [asked[:3] for asked in hub.actions.asked] == [("train", "rain", "person")]
    assert [d.source for d in hub.catalog.all(Dataset)] == ["2 rows of rain.csv"]


def test_train_can_leave_the_run_to_the_hub(run: Run, hub: WebHub, spec: str) -> None:
    hub.actions.runs_long = True
    assert "fleetloop runs cancel rain-run-9" in " ".join(
        run("train", spec, "--detach").out.split()
    )
    assert json.loads(run("train", spec, "--detach", "--json").out) == {"run": "rain-run-9"}


def test_train_ends_with_one_if_a_gate_blocks(run: Run, hub: WebHub, spec: str) -> None:
    hub.actions.gate_passes = False
    said = run("train", spec, "--json")
    assert said.code == 1
    assert [gate["passed"] for gate in json.loads(said.out)["gates"]] == [True, False]


def test_train_tells_what_failed_and_how_a_person_can_let_it_pass(
    run: Run, hub: WebHub, spec: str
) -> None:
    hub.actions.gate_passes = False
    told = run("train", spec).out
    assert "rain v9 is blocked" in told
    assert "  champion: measured 0.810 (0.790 to 0.830), limit 0.600\n" in told
    assert 'fleetloop waive rain@9 --gate "champion" --by NAME --reason TEXT' in told
    assert '--gate "floor"' not in told


def test_train_tells_why_a_run_failed(run: Run, hub: WebHub, spec: str) -> None:
    hub.actions.run_error = "one class only: add rows with rain"
    said = run("train", spec)
    assert (said.code, said.out) == (1, "")
    assert "2 new rows, 2 to train on, 1 kept out" in said.err
    assert said.err.endswith("fleetloop: one class only: add rows with rain\n")


def test_what_the_hub_refuses_is_told_in_its_words(run: Run, hub: WebHub) -> None:
    hub.actions.error = GateError("rain v2 is blocked by champion: see `fleetloop why rain@2`")
    assert "rain v2 is blocked by champion" in a_refusal(run("rollouts", "start", "rain@2"))


def test_models_devices_and_why_show_what_there_is(run: Run, hub: WebHub) -> None:
    fill(hub)
    assert "v1 champion" in run("models").out
    assert "serving v1" in run("devices").out
    story = run("why", "rain").out
    assert "note: the reference holds 12.5 windows" in story
    for told in ("retrain by drift", "3 of 4 devices see drift", "640", "small (taken)"):
        assert told in story


def test_why_takes_an_alias_and_models_marks_what_was_waived(run: Run, hub: WebHub) -> None:
    fill(hub)
    waived = replace(a_gate("champion", passed=False), waived=True)
    hub.catalog.put(replace(a_version(2), gates=[a_gate(), waived]))
    assert "rain v1" in run("why", "rain@champion").out
    told = run("models").out
    assert "2/2, 1 waived" in told
    assert told.count("waived") == 1


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out == f"fleetloop {metadata.version('fleetloop-hub')}\n"


def test_programs_read_json(run: Run, hub: WebHub) -> None:
    fill(hub)
    assert [v["number"] for v in json.loads(run("models", "--json").out)] == [1]
    assert [d["device"] for d in json.loads(run("devices", "--json").out)] == ["station-1"]
    why = json.loads(run("why", "rain@1", "--json").out)
    assert (why["version"], why["decision"]["trigger"]) == (1, "drift")
    assert why["run"]["key"] == "run-1"


def test_an_empty_hub_gives_the_next_command(run: Run, hub: WebHub) -> None:
    assert hub.actions.asked == []
    assert "fleetloop train SPEC.toml" in run("models").out
    assert "fleetloop token" in run("devices").out
    assert "Nothing was tried" in run("attempts").out
    assert run("attempts", "--json").out.strip() == "[]"


def test_why_of_a_version_that_is_none_names_those_there_are(run: Run, hub: WebHub) -> None:
    fill(hub)
    assert "rain@1" in a_refusal(run("why", "rain@7"))
    assert "there are: rain" in a_refusal(run("why", "snow"))


def test_attempts_are_named_with_whom_how_often_where_and_what(run: Run, hub: WebHub) -> None:
    hub.telemetry.refuse("station-1", "forged-ack", "[/red] not the hub's", "down/ack", 1_200)
    told = run("attempts").out
    for part in ("Forged acknowledgement", "station-1", "hub", "1,200", "[/red] not", "[down/ack]"):
        assert part in told
    [found] = json.loads(run("attempts", "--json").out)
    assert (found["name"], found["count"], found["level"]) == ("forged-ack", 1_200, "bad")


@pytest.mark.parametrize(
    "command", [("models",), ("devices",), ("attempts",), ("why", "rain")], ids=" ".join
)
def test_without_a_hub_a_command_says_how_to_start_one(run: Run, command: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert "fleetloop serve" in a_refusal(run(*command, "--hub", url))


def test_without_the_admin_token_a_command_says_where_it_stands(run: Run) -> None:
    told = a_refusal(run("token", "--state-dir", "elsewhere"))
    assert "elsewhere" in told
    assert "--state-dir" in told
    elsewhere = a_refusal(run("token", "--hub", "http://127.0.0.1:1"))
    assert "FLEETLOOP_TOKEN is not set" in elsewhere
    assert "http://127.0.0.1:1" in elsewhere


def test_a_wrong_admin_token_changes_nothing(
    run: Run, hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETLOOP_TOKEN", "wrong")
    assert "the token in FLEETLOOP_TOKEN is not one of the hub" in a_refusal(run("token"))
    assert hub.actions.asked == []


def test_a_folder_that_is_no_hubs_is_told_and_no_hub_asked(run: Run) -> None:
    assert "nix holds no hub's state" in a_refusal(run("devices", "--state-dir", "nix"))


def test_an_address_that_is_none_is_told(run: Run) -> None:
    assert "http://HOST:PORT" in a_refusal(run("models", "--hub", "localhost"))


def test_a_server_that_is_no_hub_is_told(run: Run, hub: WebHub, tmp_path: Path) -> None:
    url = (tmp_path / ".state" / "hub" / URL_FILE).read_text("utf-8")
    assert hub.actions.asked == []
    assert "nothing at this address" in a_refusal(run("models", "--hub", f"{url}/below"))


def test_check_counts_rows_and_what_is_kept_out(run: Run, spec: str) -> None:
    said = run("check", spec)
    assert said.code == 0
    assert "rain: 2 rows, 1 features, line" in said.out
    assert "kept out: 1 rows" in said.out
    assert json.loads(run("check", spec, "--json").out)["rows"] == 2


def test_check_names_what_cannot_be_read(run: Run, spec: str, tmp_path: Path) -> None:
    (tmp_path / "rain.csv").write_text(ROWS + "4,warm,1\n", "utf-8")
    assert "rain.csv line 5: 4,warm,1" in run("check", spec).out
    (tmp_path / "rain.csv").write_text(ROWS.replace(",", ";"), "utf-8")
    assert 'write delimiter = ";"' in run("check", spec).out


@pytest.mark.parametrize("command", ["check", "train"])
def test_a_spec_that_is_none_is_told_before_anything_is_sent(run: Run, command: str) -> None:
    assert "missing.toml" in a_refusal(run(command, "missing.toml"))


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--http", "8080x", "HOST:PORT"),
        ("--http", "127.0.0.1:70000", "HOST:PORT"),
        ("--broker", "rabbit", "nats, mosquitto"),
        ("--broker-port", "70000", "0 to 65535"),
    ],
)
def test_serve_refuses_a_setting_that_cannot_work(
    run: Run, option: str, value: str, says: str
) -> None:
    assert says in a_refusal(run("serve", option, value))


def test_an_address_that_is_taken_is_told_before_anything_is_started(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = a_refusal(run("serve", "--http", f"127.0.0.1:{taken.getsockname()[1]}"))
    assert "--http" in told
    assert not Path(".state/hub/catalog").exists()


def test_the_admin_token_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / ADMIN_TOKEN_FILE
    token = read_or_make(path)
    assert len(token) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make(path) == token


def test_an_empty_admin_token_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / ADMIN_TOKEN_FILE
    path.write_text("\n", "utf-8")
    with pytest.raises(ConfigError, match="is empty"):
        read_or_make(path)


def test_demo_hands_its_arguments_to_the_simulator(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, arguments: handed.append(arguments))
    run("demo", "--json", "--keep", "--seconds", "5")
    assert handed[0][1:4] == ["-m", "fleetloop_firmware_sim", "demo"]
    assert handed[0][4:] == ["--json", "--keep", "--seconds", "5"]


def test_demo_without_the_simulator_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "fleetloop-firmware-sim" in a_refusal(run("demo"))


def test_the_module_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "fleetloop_hub", "--help"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert b"Usage: fleetloop" in done.stdout
