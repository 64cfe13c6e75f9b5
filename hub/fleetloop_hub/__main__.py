"""`fleetloop` and `python -m fleetloop_hub`: the command line with errors as sentences."""

import sys

import typer

from fleetloop_hub.cli.app import app
from fleetloop_shared.errors import FleetloopError


def main() -> None:
    """Run a command; what goes wrong is told in a sentence or two, with exit code 1."""
    try:
        app(prog_name="fleetloop")
    except FleetloopError as error:
        typer.echo(f"fleetloop: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
