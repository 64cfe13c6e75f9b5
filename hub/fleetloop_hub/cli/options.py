"""What every command has in common: its options, where it prints, how it finds the hub."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from fleetloop_hub import config
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.remote import Remote

StateDir = Annotated[
    Path, typer.Option("--state-dir", help="Where the hub keeps its state.", show_default=True)
]
HubUrl = Annotated[
    str | None,
    typer.Option(
        "--hub",
        envvar="FLEETLOOP_HUB",
        help="URL of the hub; by default the one of the state folder. An API token or the admin "
        "token is read from FLEETLOOP_TOKEN; by default the state folder's is used.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
SpecFile = Annotated[Path, typer.Argument(metavar="SPEC.toml", help="The model spec.")]

WHICH = "V is a number, an alias such as champion, or newest, the last that is signed"
"""What may stand behind MODEL@."""
ShownVersion = Annotated[
    str, typer.Argument(metavar="MODEL[@V]", help=f"{WHICH}; without it, the last that was made.")
]

HubFolder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        metavar="DIR",
        help="What paths in the spec are relative to, on the hub's machine; by default the spec's "
        "own folder, which the hub must be able to read.",
    ),
]

DEFAULT_DIR = config.DEFAULT_DIR

out = Console(width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True)


def person() -> str:
    """Who types, as far as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "person"


def folder_at(remote: Remote, spec: Path, folder: Path | None) -> str:
    """Where the hub is to look for what a spec names.

    Raises:
        RemoteError: It runs elsewhere, and nobody has said where.
    """
    if folder is not None:
        return str(folder)
    if remote.near:
        return str(spec.resolve().parent)
    raise RemoteError(
        f"the hub at {remote.url} reads the sources of {spec.name} on its own machine, and nothing "
        "was asked of it: copy them there, and say where with --folder DIR"
    )


def print_json(value: object) -> None:
    """One line of JSON, for a program."""
    typer.echo(msgspec.json.encode(value))
