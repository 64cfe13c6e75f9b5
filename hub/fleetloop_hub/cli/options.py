"""What every command has in common: its options, where it prints, how it finds the hub."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from fleetloop_hub import config

StateDir = Annotated[
    Path, typer.Option("--state-dir", help="Where the hub keeps its state.", show_default=True)
]
HubUrl = Annotated[
    str | None,
    typer.Option(
        "--hub",
        envvar="FLEETLOOP_HUB",
        help="URL of the hub; by default the one of the state folder. Whoever changes something "
        "there needs its admin token in FLEETLOOP_TOKEN; by default the state folder's is used.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
SpecFile = Annotated[Path, typer.Argument(metavar="SPEC.toml", help="The model spec.")]

WHICH = "V is a number, an alias such as champion, or newest, the last that is signed"
"""What may stand behind MODEL@."""
ShownVersion = Annotated[
    str, typer.Argument(metavar="MODEL[@V]", help=f"{WHICH}; without it, the last that was made.")
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


def print_json(value: object) -> None:
    """One line of JSON, for a program."""
    typer.echo(msgspec.json.encode(value))
