"""The weather's acts, in order: every step is done by the real hub and the real agents."""

from typing import Any

from fleetloop_firmware_sim.stories.comparison import Comparison, compare
from fleetloop_firmware_sim.stories.device import Device
from fleetloop_firmware_sim.stories.feeding import Feeding, Rhythm
from fleetloop_firmware_sim.stories.stage import Stage
from fleetloop_firmware_sim.stories.weather.world import World

COHORT = "stations"
MODEL = "rain"

_DAYS = Rhythm(batch_rows=1, pause_s=1 / 16, most_ahead_rows=32)
_SLOW_LINK_BYTES_PER_S = 8_000
_CHUNKS_BEFORE_THE_KILL = 9
_LAST_TRAINING_S = 90.0
"""When no more rows come, this is enough for a cool-down and a training."""


def first_version(stage: Stage, world: World, spec: str) -> dict[str, Any]:
    """The first version is trained on winters; returns it, passed or blocked."""
    stage.screen.chapter("2  A first model that knows only winters")
    rows = world.training_csv.count("\n") - 1
    stage.screen.say("world", f"{rows:,} winter days of fourteen years: will it rain?")
    (stage.folder / "winters.csv").write_text(world.training_csv, "utf-8")
    return stage.train(MODEL, spec, "the first version: only winters are known")


def enrol(stage: Stage, world: World) -> None:
    """Devices are set up, each with a one-time token; all but the last are switched on."""
    count = len(world.stations)
    stage.screen.chapter(f"3  {count} stations enrol and get it over MQTT")
    for number, life in enumerate(world.stations, start=1):
        slow = _SLOW_LINK_BYTES_PER_S if number == count - 1 else None
        place = stage.place(COHORT, max_bytes_per_s=slow)
        stage.devices.append(Device(f"station-{number}", life, place))
    for device in stage.devices[:-1]:
        device.process.start()
    stage.screen.say(stage.devices[-1].name, "is switched off for now", "dim")
    stage.until(lambda: stage.hub.online() >= count - 1, 60.0, "the stations did not enrol")
    stage.feed(Feeding(stage.devices, _DAYS))


def first_rollout(stage: Stage) -> None:
    """The first version goes out; one device is killed in the middle of its fetch."""
    stage.roll_out(MODEL, 1, COHORT)
    victim = stage.devices[-2]
    stage.until(lambda: _in_the_middle(victim), 90.0, f"{victim.name} never fetched")
    victim.process.kill()
    stage.screen.say(victim.name, "power cut in the middle of the fetch (SIGKILL)", "yellow")
    victim.process.start()
    stage.until(lambda: stage.hub.ended(1), 120.0, "the first rollout did not end")


def late_comer(stage: Stage) -> None:
    """The device that was off comes up and finds the standing statement."""
    late, everybody = stage.devices[-1], len(stage.devices)
    stage.screen.say(late.name, "is switched on, and finds what its cohort should run")
    late.process.start()
    stage.until(lambda: stage.hub.committed(1) == everybody, 90.0, "it never caught up")


def world_changes(stage: Stage) -> bool:
    """Winter goes on into spring and summer, until the hub decides to retrain, or never."""
    stage.screen.chapter("4  The world changes: winter, spring, summer")
    stage.until(
        lambda: stage.hub.decisions("retrain") or _weathered(stage),
        400.0,
        "the weather never ended",
    )
    return bool(stage.hub.decisions("retrain"))


def second_rollout(stage: Stage) -> dict[str, Any] | None:
    """The hub retrains and judges, again with more labels if a gate blocks; then rolls out.

    Returns:
        The version that took over, or the last one that was blocked before the weather ended;
        None if no retraining came to an end.
    """
    stage.screen.chapter("5  The hub retrains, judges, and rolls out")
    known = 1
    while True:
        version = _next_version(stage, known)
        if version is None:
            return None
        known = int(version["number"])
        stage.tell_version(version)
        if version["state"] != "blocked":
            _wait_for_its_end(stage, known)
            return version
        if _weathered(stage):
            return version
        stage.screen.say("hub", "the champion stays; more labels are coming", "yellow")


def both_compared(stage: Stage, world: World) -> Comparison:
    """Both versions on the same later rows: one by HTTP, the one before from each device's disk."""
    stage.screen.chapter("6  Later springs and summers, which nobody has seen")
    before: list[int] = []
    after: list[int] = []
    truth: list[int] = []
    for device, rows in zip(stage.devices, world.held_out, strict=True):
        judged = [n for n, label in enumerate(rows.labels) if label is not None]
        served, earlier = device.serve(rows), device.score_previous(rows)
        after += [served[n] for n in judged]
        before += [earlier[n] for n in judged]
        truth += [int(label) for label in rows.labels if label is not None]
    return compare(before, after, truth)


def _next_version(stage: Stage, known: int) -> dict[str, Any] | None:
    """The next one; None if the weather has ended and nothing has come of it for a while.

    The weather stands still while a run is under way: it takes seconds, and a season passes in ten.
    """

    def more() -> bool:
        stage.hold(still=any(run["state"] == "running" for run in stage.hub.runs(MODEL)))
        return len(stage.hub.versions(MODEL)) > known

    stage.until(lambda: more() or _weathered(stage), 400.0, "the weather never ended")
    stage.until(more, _LAST_TRAINING_S, "no retraining ended", fatal=False)
    return stage.hub.versions(MODEL)[0] if more() else None


def _wait_for_its_end(stage: Stage, number: int) -> None:
    stage.until(lambda: stage.hub.ended(number), 180.0, "the second rollout did not end")


def _in_the_middle(station: Device) -> bool:
    status = station.status().get("reported", {})
    have, total = status.get("chunks_have", 0), status.get("chunks_total", 0)
    return bool(_CHUNKS_BEFORE_THE_KILL <= have < total)


def _weathered(stage: Stage) -> bool:
    return all(station.sensor.done for station in stage.devices)
