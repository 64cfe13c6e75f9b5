"""The model card of a version: `fleetloop models card MODEL@VERSION`."""

from pathlib import Path
from typing import Annotated

import typer

from fleetloop_hub.cli.options import DEFAULT_DIR, WHICH, HubUrl, StateDir, err
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.remote import find_hub
from fleetloop_shared.durable import RealDisk, replace

FILE = "card.md"
"""The name of a card among other files, and of the route to it."""


def card(
    version: Annotated[
        str,
        typer.Argument(
            metavar="MODEL[@V]",
            help=f"{WHICH}, as without it.",
        ),
    ],
    *,
    html: Annotated[
        bool, typer.Option("--html", help="One HTML file instead of Markdown.")
    ] = False,
    out_file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to; by default printed.")
    ] = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Write what a person should know about a version before they trust it."""
    model, _, which = version.partition("@")
    form = "html" if html else "md"
    path = f"/versions/{model}/{which or 'newest'}/card.{form}"
    data = find_hub(state_dir, hub, change=False).read(path)
    if out_file is None:
        typer.echo(data.decode(), nl=False)
        return
    try:
        replace(RealDisk(out_file.absolute().parent), Path(out_file.name), data)
    except OSError as error:
        raise RemoteError(f"{out_file} cannot be written: {error.strerror}") from error
    err.print(f"{out_file}: {len(data):,} bytes", style="dim")
