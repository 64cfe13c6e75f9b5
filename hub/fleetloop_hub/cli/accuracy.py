"""How accurate a version is now: `fleetloop accuracy MODEL[@V]`."""

from typing import Annotated

import typer

from fleetloop_hub.cli import asking
from fleetloop_hub.cli.options import DEFAULT_DIR, WHICH, HubUrl, Json, StateDir, out, print_json
from fleetloop_hub.monitoring.accuracy_views import AccuracyView
from fleetloop_hub.remote import Remote, find_hub
from fleetloop_hub.tables.accuracy import accuracy_story


def accuracy(
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
    """Tell how accurate a version is on each device now, by labels and without them."""
    remote = find_hub(state_dir, hub, change=False)
    model, _, which = version.partition("@")
    path = f"/versions/{model}/{which or usual(remote, model)}/accuracy"
    found = remote.get(path, AccuracyView)
    if json:
        print_json(found)
    else:
        out.print(accuracy_story(found))


def usual(remote: Remote, model: str) -> str:
    """What a bare name means: the champion, else the newest."""
    named = any("champion" in v.aliases for v in asking.versions(remote) if v.model == model)
    return "champion" if named else "newest"
