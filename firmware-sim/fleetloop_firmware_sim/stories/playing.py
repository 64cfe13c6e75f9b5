"""Plays a story from beginning to end and computes its summary."""

import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console

from fleetloop_firmware_sim.errors import FeedError, HubError, StoryEndedError
from fleetloop_firmware_sim.hub_api import HubApi
from fleetloop_firmware_sim.stories import hub_kills
from fleetloop_firmware_sim.stories.processes import Process, free_port
from fleetloop_firmware_sim.stories.screen import Screen, screen
from fleetloop_firmware_sim.stories.stage import Setting, Stage
from fleetloop_firmware_sim.stories.story import S, Story
from fleetloop_firmware_sim.stories.summary import Summary, judge


@dataclass(frozen=True)
class Options:
    """How a story is played.

    Attributes:
        folder: Where everything is written; must be empty.
        broker: "nats", "mosquitto" or a URL, as `fleetloop serve` takes it.
        keep: Leave hub and agents running until Ctrl-C.
        kill_hub: Kill the hub at moments drawn from the story's seed.
    """

    folder: Path
    broker: str = "nats"
    keep: bool = False
    kill_hub: bool = False


def run(story: Story[S], options: Options, console: Console) -> S:
    """Play the story; the summary says whether it really ended right."""
    options.folder.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{free_port()}"
    hub_dir = options.folder / "hub"
    serve = ["-m", "fleetloop_hub", "serve", "--state-dir", str(hub_dir), "--anonymous", "viewer"]
    listen = ["--http", url.removeprefix("http://"), "--broker", options.broker]
    hub = Process("hub", [*serve, *listen, "--broker-port", "0"], options.folder / "hub.log")
    kills = hub_kills.draw(story.seed) if options.kill_hub else []
    with screen(console) as shown:
        api = HubApi(url, hub_dir / "admin.token")
        stage = Stage(Setting(options.folder, api, hub, shown, kills))
        found = msgspec.structs.replace(story.blank(), console=url, killed_hub=options.kill_hub)
        try:
            found = _play(story, stage, found)
            _tell(story, found, shown)
            if options.keep:
                _stay(stage)
        except KeyboardInterrupt:
            shown.say("demo", "stopped by you", "yellow")
            found = msgspec.structs.replace(found, closed=False, missing=["it was stopped by you"])
        finally:
            stage.close()
    return found


def _play(story: Story[S], stage: Stage, found: S) -> S:
    try:
        for so_far in story.play(stage, found):
            found = so_far
        found = msgspec.structs.replace(
            found, hub_egress_bytes=stage.hub.api.get("/status")["egress_bytes"]
        )
    except (StoryEndedError, HubError, FeedError) as error:
        stage.screen.say("demo", str(error), "red")
    found = msgspec.structs.replace(
        found,
        seconds=round(stage.screen.seconds, 1),
        devices=len(stage.devices),
        hub_kills=stage.hub_kills,
        reports_sent=stage.reports_sent,
        reports_stored=stage.reports_stored,
    )
    return judge(found, story.demands(found))


def _tell(story: Story[S], found: S, shown: Screen) -> None:
    if words := story.ending(found):
        shown.say("world", words, "bold")
    if found.reports_sent:
        shown.say(
            "hub",
            f"{found.reports_stored:,} reports stored of {found.reports_sent:,} written;"
            f" {found.hub_egress_bytes:,} bytes sent for {found.devices} devices",
        )
    if found.closed:
        shown.say("demo", f"{story.name} has ended right in {found.seconds:.0f} s", "bold green")
    else:
        shown.say("demo", f"{story.name} did not end right: {'; '.join(found.missing)}", "bold red")


def _stay(stage: Stage) -> None:
    stage.screen.say(
        "demo", f"everything keeps running; console at {stage.hub.api.url}; Ctrl-C ends it"
    )
    try:
        while True:
            stage.watch()
            time.sleep(1.0)
    except (KeyboardInterrupt, HubError):
        stage.screen.say("demo", "ending hub and agents")


def as_json(summary: Summary) -> str:
    """The summary as one line of JSON, for whoever reads it with a program."""
    return msgspec.json.encode(summary).decode()
