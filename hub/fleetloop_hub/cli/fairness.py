"""How groups of people are answered in the field: `fleetloop fairness MODEL[@V]`."""

from typing import Annotated

import typer

from fleetloop_hub.cli.accuracy import usual
from fleetloop_hub.cli.options import DEFAULT_DIR, WHICH, HubUrl, Json, StateDir, out, print_json
from fleetloop_hub.monitoring.field_fairness import FieldFairness
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables.fairness import fairness_story


def fairness(
    version: Annotated[
        str,
        typer.Argument(
            metavar="MODEL[@V]", help=f"{WHICH}; without it, the champion, else the newest."
        ),
    ],
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Tell how a version answers groups of people on devices, against the limits of its gates."""
    remote = find_hub(state_dir, hub, change=False)
    model, _, which = version.partition("@")
    path = f"/versions/{model}/{which or usual(remote, model)}/fairness"
    found = remote.get(path, FieldFairness)
    if json:
        print_json(found)
    else:
        out.print(fairness_story(found))
