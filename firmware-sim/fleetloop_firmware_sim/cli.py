"""The command line: fleets, devices, sensors and power cuts, simulated."""

import json
import secrets
import signal
import tempfile
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.live import Live

from fleetloop_firmware_sim import enrolment, recording
from fleetloop_firmware_sim.errors import FeedError, HubError, RecordingError
from fleetloop_firmware_sim.feed_http import HttpFeeder
from fleetloop_firmware_sim.fleet import Fleet, Replay
from fleetloop_firmware_sim.fleet_table import table
from fleetloop_firmware_sim.hub_api import HubApi
from fleetloop_firmware_sim.power_cut_screen import look_everywhere
from fleetloop_firmware_sim.recording import Recording
from fleetloop_firmware_sim.scenarios.power_cut import EXHAUSTIVE, QUICK
from fleetloop_firmware_sim.sensor import Pace, Sensor
from fleetloop_shared.messages import EnrolAnswer

LOOK_S = 0.5
"""How often a fleet is looked at."""

_PATIENCE_S = 30.0
_BATCH_ROWS = 64

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Simulated devices under Fleetloop's real agent.",
)
_out = Console()
_err = Console(stderr=True)

_Hub = Annotated[str, typer.Option("--hub", help="URL of the hub.", envvar="FLEETLOOP_HUB")]
_Data = Annotated[Path, typer.Option("--data", help="CSV of the rows that are measured.")]
_Label = Annotated[str, typer.Option("--label", help="The CSV's column that holds the truth.")]
_Rows = Annotated[
    str, typer.Option("--rows", help="FROM:TO of the CSV's rows, from 0; TO is not among them.")
]
_Speed = Annotated[float, typer.Option("--speed", min=0.001, help="Rows a second, each device.")]
_Delay = Annotated[
    int, typer.Option("--label-delay", min=0, help="Rows until the truth about a row is known.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")]
_LABEL = "label"


@app.command()
def fleet(  # noqa: PLR0913  # a command line's options
    hub: _Hub,
    data: _Data,
    label: _Label = _LABEL,
    devices: Annotated[int, typer.Option(min=1, help="How many.")] = 4,
    token_file: Annotated[
        Path | None,
        typer.Option(help="The hub's admin token file: one-time tokens are made with it."),
    ] = None,
    tokens: Annotated[
        Path | None, typer.Option(help="A file of one-time tokens, one a line, one a device.")
    ] = None,
    cohort: Annotated[str, typer.Option(help="For tokens made with --token-file.")] = "default",
    name: Annotated[
        str | None, typer.Option(help="Devices are called NAME-1, NAME-2, ...; default: a new one.")
    ] = None,
    rows: _Rows = ":",
    speed: _Speed = 10.0,
    label_delay: _Delay = 1,
    as_json: _Json = False,
) -> None:
    """Run many devices in this process until they have measured all there is, or Ctrl-C."""
    replay = Replay(_recording(data, label, rows), speed, label_delay)
    texts = _tokens(hub, token_file, tokens, cohort, devices)
    prefix = name or f"sim-{secrets.token_hex(2)}"
    identities = [
        enrolment.enrol(hub, text, f"{prefix}-{number}")
        for number, text in enumerate(texts[:devices], start=1)
    ]
    _run(identities, replay, as_json=as_json)


@app.command()
def device(  # noqa: PLR0913  # a command line's options
    hub: _Hub,
    data: _Data,
    token: Annotated[str, typer.Option(help="The one-time token that the hub has printed.")],
    label: _Label = _LABEL,
    name: Annotated[str | None, typer.Option(help="The device's name; default: a new one.")] = None,
    rows: _Rows = ":",
    speed: _Speed = 10.0,
    label_delay: _Delay = 1,
    as_json: _Json = False,
) -> None:
    """Run one device in this process until it has measured all there is, or Ctrl-C."""
    replay = Replay(_recording(data, label, rows), speed, label_delay)
    identity = enrolment.enrol(hub, token, name or f"sim-{secrets.token_hex(2)}")
    _run([identity], replay, as_json=as_json)


@app.command()
def sensor(  # noqa: PLR0913  # a command line's options
    device_url: Annotated[str, typer.Option(help="The agent's local endpoint, http://HOST:PORT.")],
    data: _Data,
    label: _Label = _LABEL,
    rows: _Rows = ":",
    speed: _Speed = 10.0,
    label_delay: _Delay = 1,
    as_json: _Json = False,
) -> None:
    """Feed rows to a running agent, as a sensor beside it does."""
    feeder = HttpFeeder(device_url)
    measured = Sensor(_recording(data, label, rows), feeder, label_delay)
    feeder.columns()
    with _status("feeding", quiet=as_json) as status:
        try:
            _feed(measured, speed, lambda text: status.update(text))
        except KeyboardInterrupt:
            _err.print("stopped; rows answered so far:")
    versions = {version: row for version, row in measured.versions()}
    ...
