"""`fleetloop-sim demo`, which `fleetloop demo` and `make demo` run."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fleetloop_firmware_sim.errors import RecordingError
from fleetloop_firmware_sim.stories import shelf
from fleetloop_firmware_sim.stories.playing import Options, as_json, run
from fleetloop_firmware_sim.stories.story import FIRST_SEED, Asked

_Story = Annotated[str, typer.Option("--story", help="Which story; --list names them.")]
_List = Annotated[bool, typer.Option("--list", help="Name the stories and end.")]
_Seed = Annotated[
    int, typer.Option("--seed", min=0, help="Of all that is drawn: the same seed, the same world.")
]
_Devices = Annotated[
    int | None, typer.Option("--devices", help="How many devices; default: the story's own number.")
]
_KillHub = Annotated[
    bool, typer.Option("--kill-hub", help="Kill the hub at random moments, and start it again.")
]
_Broker = Annotated[
    str, typer.Option("--broker", help="nats, mosquitto, or mqtt://… of one that runs.")
]
_Data = Annotated[
    Path | None,
    typer.Option("--data", help="Another recording of the same form (weather only)."),
]
_Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="An empty folder for all that is written, kept afterwards."),
]
_Keep = Annotated[bool, typer.Option("--keep", help="Leave hub and agents running until Ctrl-C.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on the last line.")]


def demo(  # noqa: PLR0913  # a command line's options
    *,
    story: _Story = "weather",
    list_: _List = False,
    seed: _Seed = FIRST_SEED,
    devices: _Devices = None,
    kill_hub: _KillHub = False,
    broker: _Broker = "nats",
    data: _Data = None,
    folder: _Folder = None,
    keep: _Keep = False,
    json_: _Json = False,
) -> None:
    """Watch a whole story of the loop; exit code 0 only if it really ended right."""
    if list_:
        for one in shelf.STORIES:
            typer.echo(f"{one.name:<12} {one.caption}")
        return
    told = shelf.find(story)(Asked(seed, devices, data))
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise RecordingError(f"{folder} is not empty: name a new folder")
    place = folder or Path(tempfile.mkdtemp(prefix="fleetloop-demo-"))
    summary = run(told, Options(place.absolute(), broker, keep, kill_hub), Console())
    if summary.closed and folder is None:
        shutil.rmtree(place, ignore_errors=True)
    elif not summary.closed:
        typer.echo(f"the logs of hub and agents are in {place}", err=True)
    if json_:
        typer.echo(as_json(summary))
    if not summary.closed:
        raise typer.Exit(1)
