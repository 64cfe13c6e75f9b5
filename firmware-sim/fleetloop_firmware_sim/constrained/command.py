"""`fleetloop-sim constrained`: runs a model in C as a device without Python would."""

import secrets
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from fleetloop_firmware_sim import enrolment
from fleetloop_firmware_sim.constrained import building
from fleetloop_firmware_sim.constrained.device import ConstrainedDevice, Ended, Sensors
from fleetloop_firmware_sim.errors import FirmwareError

_out = Console(width=None if sys.stdout.isatty() else 140)
_err = Console(stderr=True)


def constrained(  # noqa: PLR0913  # a command line's options
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `fleetloop export` wrote.")],
    *,
    sensors: Annotated[str, typer.Option(help="The sensors' broker, mqtt://HOST:PORT.")],
    input_: Annotated[str, typer.Option("--input", help="Topic filter of the rows.")],
    output: Annotated[
        str, typer.Option(help="Topic of the answers; {0} is what stood for the filter's first +.")
    ],
    refusals: Annotated[str, typer.Option(help="Topic on which refused messages are told.")] = "",
    user: Annotated[str, typer.Option(help="Name at the sensors' broker.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="File with its password.")] = None,
    hub: Annotated[str | None, typer.Option(help="URL of a hub to enrol at.")] = None,
    token: Annotated[str | None, typer.Option(help="The one-time token of that hub.")] = None,
    name: Annotated[str | None, typer.Option(help="The device's name; by default a new one.")] = (
        None
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = (
        False
    ),
) -> None:
    """Compile a model in C and answer the rows that sensors publish, until Ctrl-C.

    At a hub it shows what it serves, and reports the profile of every window, which merges with
    those of all other devices.
    """
    manifest = building.manifest_of(folder)
    if (hub is None) != (token is None):
        raise FirmwareError("--hub and --token belong together: name both, or neither")
    called = name or f"sim-{secrets.token_hex(2)}"
    where = Sensors(sensors, input_, output, refusals, user, _password(password_file))
    with tempfile.TemporaryDirectory(prefix="fleetloop-sim-") as place:
        program = building.build(folder, Path(place))
        identity = enrolment.enrol(hub, token, called) if hub and token else None
        device = ConstrainedDevice(program, called, where, identity)
        _err.print(f"{called} runs {manifest.model} v{manifest.version} in C", highlight=False)
        with device:
            ended = _until_interrupted(device)
    if as_json:
        typer.echo(msgspec.json.encode(ended))
    else:
        told = f"{ended.answered:,} rows answered, {ended.refused:,} messages refused"
        _out.print(f"{told}, {ended.profiles:,} profiles reported")


def _until_interrupted(device: ConstrainedDevice) -> Ended:
    try:
        while line := device.hear():
            _err.print(line.rstrip(), highlight=False)
    except KeyboardInterrupt:
        _err.print("stopped in good order")
    return device.end()


def _password(file: Path | None) -> str:
    try:
        return file.read_text("utf-8").strip() if file is not None else ""
    except (OSError, UnicodeDecodeError) as error:
        raise FirmwareError(f"{file} cannot be read: {error}; nothing was started") from error
