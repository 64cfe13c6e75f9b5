"""Scoring rows beside the daemon, and asking it how it is."""

import io
import json
from pathlib import Path

import pytest

from fleetloop_agent import sealed
from fleetloop_agent.config import AgentConfig
from fleetloop_agent.device import enrol, inspect
from fleetloop_agent.device.told import ADDRESS
from fleetloop_agent.errors import InputError, SlotError, StateError
from fleetloop_agent.update.journal import FOLDER, Journal
from fleetloop_agent.update.slots import Slots, artifact_path, slot_of
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.manifest import Feature
from support import kinds
from support.hubside import HARDWARE, Hubside, Shipment, score

HUB = Hubside()
ONE, TWO = HUB.ship(1), HUB.ship(2)
DEVICE = "station-1"


@pytest.fixture
def config(tmp_path: Path) -> AgentConfig:
    """A device that has committed version 1 and then version 2."""
    return device_with(tmp_path, TWO, ONE)


def device_with(folder: Path, active: Shipment, previous: Shipment | None = None) -> AgentConfig:
    """A device with these versions on its disk."""
    state = folder / "state"
    disk = RealDisk(state)
    identity = HUB.identity(DEVICE)
    sealed.save_both(disk, enrol.IDENTITY, enrol.Identity(answer=identity))
    slots = Slots(disk)
    found = []
    for shipment in (active, previous or active):
        slots.keep_manifest(shipment.document)
        slots.keep_artifact(shipment.artifact)
        found.append(slot_of(shipment.manifest, shipment.release.manifest_sha256))
    sealed.save(disk, FOLDER, Journal(active=found[0], previous=found[1], factory=found[1]))
    return AgentConfig(device=DEVICE, hardware=HARDWARE, state_dir=state, hub_url="http://hub")


def csv(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text, "utf-8")
    return path


def answers(capsys: pytest.CaptureFixture[str]) -> list[dict[str, float]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(("slot", "bias"), [("active", 2.0), ("previous", 1.0)])
def test_rows_are_answered_by_the_slot_that_is_asked(
    config: AgentConfig,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    slot: str,
    bias: float,
) -> None:
    rows = csv(tmp_path, "\ufeffpressure,name,temperature\n1,a,-2\n0.5,b,-3.5\n")
    assert inspect.score(config, slot, rows) == 0
    told = answers(capsys)
    assert [t["score"] for t in told] == pytest.approx(
        [score([1.0, -2.0], bias), score([0.5, -3.5], bias)], abs=1e-6
    )
    assert all(t["label"] == (t["score"] >= 0.5) for t in told)


def test_many_rows_are_answered_in_order(
    config: AgentConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = inspect.BATCH_ROWS * 2 + 3
    lines = [f"{i / count},0" for i in range(count)]
    inspect.score(config, "active", csv(tmp_path, "\n".join(["temperature,pressure", *lines])))
    scores = [t["score"] for t in answers(capsys)]
    assert len(scores) == count
    assert scores == sorted(scores)


def test_a_whole_number_of_batches_leaves_nothing_over(
    config: AgentConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["0,0"] * inspect.BATCH_ROWS
    inspect.score(config, "active", csv(tmp_path, "\n".join(["temperature,pressure", *lines])))
    assert len(answers(capsys)) == inspect.BATCH_ROWS


def test_rows_come_from_standard_input(
    config: AgentConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("temperature,pressure\n0,0\n"))
    inspect.score(config, "active", Path("-"))
    assert len(answers(capsys)) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("temperature\n1\n", "no column pressure"),
        ("", "no column temperature, pressure"),
        ("temperature,pressure\n1,2\n3,wet\n", "line 3, pressure: 'wet' is no number"),
        ("temperature,pressure\n1,1e300\n", "too large"),
    ],
)
def test_rows_that_are_not_the_models_inputs_are_named(
    config: AgentConfig, tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        inspect.score(config, "active", csv(tmp_path, text))


def test_categories_are_texts_and_classes_have_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = device_with(tmp_path, HUB.ship_bytes(*kinds.model("three classes")))
    rows = csv(tmp_path, "size,colour,heat\n10,red,1.5\n2.0,mauve,-2\n,NA,\n")
    inspect.score(config, "active", rows)
    twins = kinds.predictor("three classes").predict(
        [
            {"heat": 1.5, "colour": "red", "size": 10},
            {"heat": -2, "colour": "mauve", "size": 2},
            {"heat": None, "colour": None, "size": None},
        ]
    )
    expected = [{"label": a.label, "score": a.score, "class_name": a.class_name} for a in twins]
    assert answers(capsys) == expected


def test_a_category_may_be_called_none(tmp_path: Path) -> None:
    feature = Feature(name="wind", categories=["none", "strong"])
    assert inspect._value("none", feature, 2) == "none"
    assert inspect._value("None", feature, 2) is None


@pytest.mark.parametrize("text", ["", "NA", "nan", " null ", "None"])
def test_what_is_empty_is_missing(text: str) -> None:
    assert inspect._number(text, "temperature", 2) is None


def test_a_short_line_misses_its_last_values() -> None:
    assert inspect._number(None, "pressure", 2) is None


def test_a_file_that_is_not_there_or_no_text(config: AgentConfig, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        inspect.score(config, "active", tmp_path / "none.csv")
    path = tmp_path / "rows.csv"
    path.write_bytes(b"temperature,pressure\n\xff\xfe,1\n")
    with pytest.raises(InputError, match="cannot be read"):
        inspect.score(config, "active", path)


def test_a_damaged_model_answers_nothing(config: AgentConfig, tmp_path: Path) -> None:
    RealDisk(config.state_dir).write(artifact_path(TWO.manifest.sha256), b"rot")
    with pytest.raises(SlotError, match="damaged"):
        inspect.score(config, "active", csv(tmp_path, "temperature,pressure\n0,0\n"))


def test_without_a_model_it_says_where_one_comes_from(tmp_path: Path) -> None:
    state = tmp_path / "state"
    config = AgentConfig(device=DEVICE, hardware=HARDWARE, state_dir=state, hub_url="http://hub")
    with pytest.raises(StateError, match="run the agent first"):
        inspect.score(config, "active", Path("-"))
    assert not state.exists()
    state.mkdir()
    with pytest.raises(StateError, match="no active model"):
        inspect.score(config, "active", Path("-"))
    with pytest.raises(StateError, match="no agent runs"):
        inspect.status(config, as_json=True)


def test_an_agent_that_has_gone_without_a_word_is_silent(config: AgentConfig) -> None:
    (config.state_dir / ADDRESS).write_text("http://127.0.0.1:1", "ascii")
    with pytest.raises(StateError, match="is silent"):
        inspect.status(config, as_json=False)
