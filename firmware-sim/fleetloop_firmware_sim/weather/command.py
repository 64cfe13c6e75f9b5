"""`fleetloop-sim demo`, which `fleetloop demo` and `make demo` run."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fleetloop_firmware_sim.errors import RecordingError
from fleetloop_firmware_sim.weather.demo import Options, as_json, run

_Broker = Annotated[
    str, typer.Option("--broker", help="nats, mosquitto, or mqtt://… of one that runs.")
]
_Data = Annotated[
    Path | None,
    typer.Option("--data", help="Another recording of the same form; default: the shipped one."),
]
_Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="An empty folder for all that is written, kept afterwards."),
]
_Keep = Annotated[bool, typer.Option("--keep", help="Leave hub and agents running until Ctrl-C.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on the last line.")]


def demo(
    broker: _Broker = "nats",
    data: _Data = None,
    folder: _Folder = None,
    keep: _Keep = False,  # noqa: FBT002  # a flag of a command line
    json_: _Json = False,  # noqa: FBT002  # a flag of a command line
) -> None:
    """Watch one whole turn of the loop on real weather; exit code 0 only if it really closed."""
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise RecordingError(f"{folder} is not empty: name a new folder")
    place = folder or Path(tempfile.mkdtemp(prefix="fleetloop-demo-"))
    summary = run(Options(place.absolute(), broker, data, keep), Console())
    if summary.closed and folder is None:
        shutil.rmtree(place, ignore_errors=True)
    elif not summary.closed:
        typer.echo(f"the logs of hub and agents are in {place}", err=True)
    if json_:
        typer.echo(as_json(summary))
    if not summary.closed:
        raise typer.Exit(1)
