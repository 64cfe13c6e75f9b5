"""Why a version exists, or why nothing was done: `fleetloop why MODEL[@V]`."""

from typing import Annotated

import typer

from fleetloop_hub.cli.options import (
    DEFAULT_DIR,
    WHICH,
    HubUrl,
    Json,
    StateDir,
    out,
    print_json,
)
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables import why as tables
from fleetloop_hub.why.story import Story


def why(
    name: Annotated[
        str | None,
        typer.Argument(metavar="MODEL[@V]", help=f"{WHICH}; without it, the last that was made."),
    ] = None,
    *,
    decision: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="A decision instead, such as rain-0003."),
    ] = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Tell why a version exists, or what a decision rests on and what came of it.

    Pictures of the evidence are on the console's page of the same name.
    """
    if (name is None) == (decision is None):
        raise RemoteError("say either MODEL[@V] or --decision KEY, such as: fleetloop why rain@3")
    remote = find_hub(state_dir, hub, change=False)
    if decision is not None:
        story = remote.get(f"/decisions/{decision}", Story)
    else:
        model, _, which = (name or "").partition("@")
        story = remote.get(f"/why/{model}/{which}" if which else f"/why/{model}", Story)
    if json:
        print_json(story)
    else:
        out.print(tables.whole(story))
