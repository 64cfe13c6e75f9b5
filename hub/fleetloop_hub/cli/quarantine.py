"""What is never offered to a hardware type again: `fleetloop quarantine list | lift`."""

from typing import Annotated
from urllib.parse import quote

import typer

from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, person, print_json
from fleetloop_hub.cli.rollouts import By, Reason
from fleetloop_hub.fleet_records import Quarantine
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables import rollouts as tables

app = typer.Typer(
    no_args_is_help=True,
    help="Versions that did harm on a hardware type, and are not offered to it again.",
)


@app.command("list")
def list_quarantines(
    *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False
) -> None:
    """List what is in quarantine and what was lifted, the newest first, with the reasons."""
    remote = find_hub(state_dir, hub, change=False)
    found = remote.listed("/quarantine", "quarantine", Quarantine)
    found = sorted(found, key=lambda one: one.at, reverse=True)
    if json:
        print_json(found)
    elif found:
        out.print(tables.quarantine_table(found))
    else:
        out.print("Nothing is in quarantine: no version did harm on any hardware type.")


@app.command()
def lift(  # noqa: PLR0913  # each is an argument or option of the command
    sha256: Annotated[
        str, typer.Argument(metavar="SHA", help="Of the artifact, as far as it is unique.")
    ],
    hardware: Annotated[str, typer.Argument(metavar="HARDWARE", help="The hardware type.")],
    *,
    reason: Reason,
    by: By = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Let a version be offered to a hardware type again."""
    where = f"/quarantine/{quote(sha256, safe='')}/{quote(hardware, safe='')}/lift"
    ask = {"by": by or person(), "reason": reason}
    lifted = find_hub(state_dir, hub, change=True).post(where, ask, Quarantine)
    if json:
        print_json(lifted)
        return
    which = f"{lifted.model}@{lifted.version}"
    out.print(
        f"{which} may be offered to {lifted.hardware} again: fleetloop rollouts start {which}",
        markup=False,
        soft_wrap=True,
    )
