"""The acts that begin every story of a steady world: a first version, and all stations run it."""

from collections.abc import Sequence
from typing import Any

from fleetloop_firmware_sim.errors import StoryEndedError
from fleetloop_firmware_sim.recording import Recording
from fleetloop_firmware_sim.stories.device import Device
from fleetloop_firmware_sim.stories.feeding import Feeding, Rhythm
from fleetloop_firmware_sim.stories.stage import Stage
from fleetloop_firmware_sim.stories.steady import COLUMNS, MODEL, TRAINING_ROWS, spec

COHORT = "stations"

_UNTIL_IT_RUNS = Rhythm(batch_rows=16, pause_s=0.25, most_ahead_rows=64)


def first_version(stage: Stage, hours: str, columns: Sequence[str] = COLUMNS) -> dict[str, Any]:
    """The hub starts, and trains a first version on the hours before.

    Args:
        stage: Where it plays.
        hours: These, as a CSV; columns that the model does not see may be among them.
        columns: The model sees these.

    Raises:
        StoryEndedError: Its gates have blocked it.
    """
    stage.screen.chapter("1  A hub, and a first model")
    stage.open()
    stage.screen.say("world", f"{TRAINING_ROWS:,} hours of weather: will it rain?")
    (stage.folder / "hours.csv").write_text(hours, "utf-8")
    version = stage.train(MODEL, spec(columns), "the first version")
    if version["state"] == "blocked":
        raise StoryEndedError("the first version was blocked by its gates")
    return version


def everybody_runs_it(stage: Stage, lives: Sequence[Recording], boards: Sequence[str] = ()) -> None:
    """Stations enrol, are given the first version, and commit it on live rows.

    Args:
        stage: Where it plays.
        lives: What each measures.
        boards: The hardware type of each; without, all are the same.
    """
    count = len(lives)
    stage.screen.chapter(f"2  {count} stations enrol and get it over MQTT")
    for number, life in enumerate(lives, start=1):
        board = {"hardware": boards[number - 1]} if boards else {}
        stage.devices.append(Device(f"station-{number}", life, stage.place(COHORT, **board)))
    for device in stage.devices:
        device.process.start()
    stage.until(lambda: stage.hub.online() == count, 180.0, "the stations did not enrol")
    stage.feed(Feeding(stage.devices, _UNTIL_IT_RUNS))
    stage.roll_out(MODEL, 1, COHORT)
    stage.until(lambda: stage.hub.committed(1) == count, 240.0, "not every station committed")
    stage.until(lambda: stage.hub.ended(1), 60.0, "the first rollout did not end")
    stage.hush()
