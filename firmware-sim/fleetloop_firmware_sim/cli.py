"""The command line: fleets, devices, sensors and power cuts, simulated."""

import secrets
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.live import Live

from fleetloop_firmware_sim import enrolment, feeding, fleet_table, power_cut_screen, recording
from fleetloop_firmware_sim.chaos.command import chaos
from fleetloop_firmware_sim.constrained.command import constrained
from fleetloop_firmware_sim.errors import HubError, RecordingError
from fleetloop_firmware_sim.feed_http import HttpFeeder
from fleetloop_firmware_sim.fleet import Fleet, Replay
from fleetloop_firmware_sim.hub_api import HubApi
from fleetloop_firmware_sim.recording import Recording
from fleetloop_firmware_sim.scenarios.power_cut import EXHAUSTIVE, QUICK
from fleetloop_firmware_sim.sensor import Sensor
from fleetloop_firmware_sim.stories.command import demo
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.messages import EnrolAnswer

_LOOK_S = 0.5

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Simulated devices under Fleetloop's real agent.",
)
_out = Console(width=None if sys.stdout.isatty() else 140)
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

app.command()(demo)
app.command()(chaos)
app.command()(constrained)


@app.command()
def fleet(  # noqa: PLR0913  # a command line's options
    *,
    hub: _Hub,
    data: _Data,
    label: _Label,
    devices: Annotated[int, typer.Option(min=1, help="How many.")] = 4,
    token_file: Annotated[
        Path | None,
        typer.Option(help="The hub's admin token file; one-time tokens are made with it."),
    ] = None,
    tokens: Annotated[
        Path | None, typer.Option(help="A file of one-time tokens instead, one a line, one each.")
    ] = None,
    cohort: Annotated[str, typer.Option(help="Cohort of devices let in by --token-file.")] = (
        "default"
    ),
    name: Annotated[
        str | None, typer.Option(help="Devices are NAME-1, NAME-2, ...; by default a new name.")
    ] = None,
    rows: _Rows = ":",
    speed: _Speed = 10.0,
    label_delay: _Delay = 1,
    as_json: _Json = False,
) -> None:
    """Run many devices in this process until they have measured all there is, or Ctrl-C.

    Each has a thread, a flash in memory and the real agent; all of them share one interpreter, so
    that about fifty devices and a thousand rows a second are what a process can do.
    """
    replay = Replay(_recording(data, label, rows), speed, label_delay)
    if (token_file is None) == (tokens is None):
        raise HubError("say how devices get in: --token-file of the hub, or --tokens FILE")
    texts = enrolment.read_tokens(tokens) if tokens is not None else []
    if tokens is not None and len(texts) < devices:
        raise HubError(f"{tokens} holds {len(texts)} tokens for {devices} devices")
    if token_file is not None:
        admin = HubApi(hub, token_file)
        texts = [admin.post("/tokens", {"cohort": cohort})["token"] for _ in range(devices)]
    prefix = name or _new_name()
    identities = [
        enrolment.enrol(hub, text, f"{prefix}-{number}")
        for number, text in enumerate(texts[:devices], start=1)
    ]
    _run(identities, replay, as_json=as_json)


@app.command()
def device(  # noqa: PLR0913  # a command line's options
    *,
    hub: _Hub,
    data: _Data,
    label: _Label,
    token: Annotated[str, typer.Option(help="The one-time token that the hub has printed.")],
    name: Annotated[str | None, typer.Option(help="The device's name; by default a new one.")] = (
        None
    ),
    rows: _Rows = ":",
    speed: _Speed = 10.0,
    label_delay: _Delay = 1,
    as_json: _Json = False,
) -> None:
    """Run one device in this process until it has measured all there is, or Ctrl-C."""
    replay = Replay(_recording(data, label, rows), speed, label_delay)
    identity = enrolment.enrol(hub, token, name or _new_name())
    _run([identity], replay, as_json=as_json)


@app.command()
def sensor(  # noqa: PLR0913  # a command line's options
    *,
    device_url: Annotated[str, typer.Option(help="The agent's local endpoint, http://HOST:PORT.")],
    data: _Data,
    label: _Label,
    rows: _Rows = ":",
    speed: _Speed = 10.0,
    label_delay: _Delay = 1,
    as_json: _Json = False,
) -> None:
    """Feed rows, and later their truth, to a running agent, as a sensor beside it does."""
    measured = Sensor(_recording(data, label, rows), HttpFeeder(device_url), label_delay)
    with _err.status("feeding") as status:
        try:
            feeding.feed(measured, speed, lambda fed: status.update(_words(fed)))
        except KeyboardInterrupt:
            _err.print("stopped")
    fed = feeding.summary(measured)
    _tell(fed) if as_json else _out.print(_words(fed))


@app.command()
def powercut(
    *,
    exhaustive: Annotated[
        bool,
        typer.Option(
            "--exhaustive",
            help="Every legal state of the flash, and a second cut at every moment of every"
            " recovery; takes some minutes.",
        ),
    ] = False,
    as_json: _Json = False,
) -> None:
    """Cut the power at every moment of an update and of a refresh of trust; see what breaks.

    Also with a disk that is full, becomes read-only or forgets bits.
    """
    findings = power_cut_screen.look_everywhere(EXHAUSTIVE if exhaustive else QUICK, _err)
    broken = [f"{f.story}, {f.trouble} at {text}" for f in findings for text in f.broken]
    if as_json:
        _tell({"findings": findings, "broken": len(broken)})
    else:
        _out.print(power_cut_screen.table(findings))
    for text in broken:
        _err.print(text, style="red", highlight=False)
    if broken:
        raise typer.Exit(1)


def _run(identities: list[EnrolAnswer], replay: Replay, *, as_json: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="fleetloop-sim-") as folder:
        running = Fleet(identities, replay, Path(folder))
        try:
            with running:
                _watch(running, quiet=as_json)
        except KeyboardInterrupt:
            _err.print("stopped in good order")
        views = running.views()
    if as_json:
        _tell({"devices": views})


def _watch(running: Fleet, *, quiet: bool) -> None:
    if quiet:
        while not running.done:
            time.sleep(_LOOK_S)
        return
    with Live(fleet_table.table(running.views()), console=_out, auto_refresh=False) as live:
        while not running.done:
            time.sleep(_LOOK_S)
            live.update(fleet_table.table(running.views()), refresh=True)


def _recording(data: Path, label: str, rows: str) -> Recording:
    start, colon, stop = rows.partition(":")
    if not colon or not all(part == "" or part.isdecimal() for part in (start, stop)):
        raise RecordingError(f"--rows {rows!r} is not FROM:TO; write, for example, 0:1000")
    whole = recording.read(data, label)
    part = whole.part(int(start or 0), int(stop) if stop else None)
    if not part.labels:
        raise RecordingError(f"{data} has {len(whole.labels)} rows, none of them in {rows}")
    return part


def _new_name() -> str:
    return f"sim-{secrets.token_hex(2)}"


def _words(fed: feeding.Fed) -> str:
    versions = ", ".join(f"version {v} from row {row}" for v, row in fed.versions) or "no version"
    accuracy = "not known" if fed.accuracy is None else f"{fed.accuracy:.3f}"
    return f"{fed.rows:,} rows answered by {versions}; accuracy {accuracy}"


def _tell(found: object) -> None:
    typer.echo(msgspec.json.encode(found))


def main() -> None:
    """Run a command; an error that was foreseen is told in a line."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        app()
    except FleetloopError as error:
        _err.print(f"fleetloop-sim: {error}", highlight=False, soft_wrap=True)
        sys.exit(1)
