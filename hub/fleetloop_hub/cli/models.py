"""Commands about model versions: `fleetloop models ...`."""

import msgspec
import typer

from fleetloop_hub.cli import card
from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, print_json
from fleetloop_hub.monitoring.overview import VersionView
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables import versions as tables

app = typer.Typer(help="Model versions: list them, see where they come from, name and keep them.")


class _Versions(msgspec.Struct, frozen=True):
    versions: list[VersionView]


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """List the models' versions, newest first."""
    if context.invoked_subcommand is not None:
        return
    versions = find_hub(state_dir, hub, change=False).get("/versions", _Versions).versions
    if json:
        print_json(versions)
    elif versions:
        out.print(tables.versions_table(versions))
    else:
        out.print("No model yet: fleetloop train SPEC.toml")


app.command()(card.card)
