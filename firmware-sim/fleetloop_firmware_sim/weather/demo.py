"""Runs the demo from beginning to end and computes its summary."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from fleetloop_firmware_sim.errors import FeedError, HubError
from fleetloop_firmware_sim.hub_api import HubApi
from fleetloop_firmware_sim.weather.processes import Process, free_port
from fleetloop_firmware_sim.weather.screen import Screen, screen
from fleetloop_firmware_sim.weather.story import Stage, Story, StoryEndedError
from fleetloop_firmware_sim.weather.summary import Comparison, Summary, compare, judge
from fleetloop_firmware_sim.weather.world import World, build

STATIONS = 6

_DATA = files("fleetloop_firmware_sim") / "data"


@dataclass(frozen=True)
class Options:
    """What the demo was asked for.

    Attributes:
        folder: Where everything is written; must be empty.
        broker: "nats", "mosquitto" or a URL, as `fleetloop serve` takes it.
        data: Another recording of the same form, None for the one that is shipped.
        keep: Leave hub and agents running until Ctrl-C.
    """

    folder: Path
    broker: str
    data: Path | None
    keep: bool


def run(options: Options, console: Console) -> Summary:
    """Play the story; the summary says whether the loop really closed.

    Raises:
        RecordingError: The recording cannot be used for this story.
    """
    with as_file(_DATA / "noaa_weather.csv") as shipped:
        world = build(options.data or shipped, STATIONS)
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "winters.csv").write_text(world.training_csv, "utf-8")
    url = f"http://127.0.0.1:{free_port()}"
    hub_dir = options.folder / "hub"
    serve = ["-m", "fleetloop_hub", "serve", "--state-dir", str(hub_dir)]
    listen = ["--http", url.removeprefix("http://"), "--broker", options.broker]
    hub = Process("hub", [*serve, *listen, "--broker-port", "0"], options.folder / "hub.log")
    with screen(console) as shown:
        api = HubApi(url, hub_dir / "admin.token")
        story = Story(Stage(options.folder, api, hub, world, shown))
        try:
            summary = _play(story, world, shown)
            _tell(summary, shown)
            if options.keep:
                _stay(story, shown)
        except KeyboardInterrupt:
            shown.say("demo", "stopped by you", "yellow")
            summary = judge(Summary(closed=False, missing=[], seconds=shown.seconds))
        finally:
            story.close()
    return summary


def _play(story: Story, world: World, shown: Screen) -> Summary:
    found = Summary(closed=False, missing=[], console=story.api.url)
    try:
        for so_far in _acts(story, world, found):
            found = so_far
    except (StoryEndedError, HubError, FeedError) as error:
        shown.say("demo", str(error), "red")
    seconds = round(shown.seconds, 1)
    return judge(msgspec.structs.replace(found, seconds=seconds, devices=len(story.stations)))


def _acts(story: Story, world: World, found: Summary) -> Iterator[Summary]:
    """The acts; after each that found something, all that was found so far."""
    story.open()
    if story.train((_DATA / "rain.toml").read_text("utf-8"))["state"] == "blocked":
        return
    story.enrol(len(world.stations))
    story.first_rollout()
    story.late_comer()
    story.lose_the_broker()
    found = msgspec.structs.replace(found, champion_before=1, champion_after=1)
    yield found
    second = story.second_rollout() if story.world_changes() else None
    story.settle()
    found = story.count(found)
    yield found
    if second is None or second["state"] == "blocked" or not story.committed(second["number"]):
        return
    compared = _compare(story, world)
    story.settle()
    yield msgspec.structs.replace(
        story.count(found),
        drift_alarms=found.drift_alarms,
        first_drift_after_rows=found.first_drift_after_rows,
        champion_after=second["number"],
        devices_committed=story.committed(second["number"]),
        artifact_bytes=second["artifact_bytes"],
        float_bytes=second["float_bytes"],
        accuracy_before=round(compared.before, 4),
        accuracy_after=round(compared.after, 4),
        accuracy_gain=round(compared.after - compared.before, 4),
        accuracy_gain_low=round(compared.low, 4),
        accuracy_gain_high=round(compared.high, 4),
        held_out_rows=compared.rows,
    )


def _compare(story: Story, world: World) -> Comparison:
    """Both versions on the same later rows: one by HTTP, the one before from each device's disk."""
    story.chapter("6  Later springs and summers, which nobody has seen")
    before: list[int] = []
    after: list[int] = []
    truth: list[int] = []
    for station, rows in zip(story.stations, world.held_out, strict=True):
        judged = [n for n, label in enumerate(rows.labels) if label is not None]
        served, earlier = station.serve(rows), station.score_previous(rows)
        after += [served[n] for n in judged]
        before += [earlier[n] for n in judged]
        truth += [int(label) for label in rows.labels if label is not None]
    return compare(before, after, truth)


def _tell(summary: Summary, screen: Screen) -> None:
    if summary.accuracy_before is not None and summary.accuracy_after is not None:
        screen.say(
            "world",
            f"on {summary.held_out_rows:,} later rows: version {summary.champion_before} was right"
            f" on {summary.accuracy_before:.1%}, version {summary.champion_after} on"
            f" {summary.accuracy_after:.1%} (gain {summary.accuracy_gain:+.1%}, 95 % interval"
            f" {summary.accuracy_gain_low:+.1%} to {summary.accuracy_gain_high:+.1%})",
            "bold",
        )
    if summary.reports_sent:
        screen.say(
            "hub",
            f"{summary.reports_stored:,} reports stored of {summary.reports_sent:,} written;"
            f" {summary.hub_egress_bytes:,} bytes sent for {summary.devices} devices",
        )
    if summary.closed:
        screen.say("demo", f"the loop has closed in {summary.seconds:.0f} s", "bold green")
    else:
        screen.say("demo", f"the loop did not close: {'; '.join(summary.missing)}", "bold red")


def _stay(story: Story, screen: Screen) -> None:
    screen.say("demo", f"everything keeps running; console at {story.api.url}; Ctrl-C ends it")
    try:
        while True:
            story.watch()
            time.sleep(1.0)
    except (KeyboardInterrupt, HubError):
        screen.say("demo", "ending hub and agents")


def as_json(summary: Summary) -> str:
    """The summary as one line of JSON, for whoever reads it with a program."""
    fields: dict[str, Any] = msgspec.to_builtins(summary)
    return msgspec.json.encode(fields).decode()
