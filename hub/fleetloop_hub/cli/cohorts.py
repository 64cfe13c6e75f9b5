"""Names for parts of cohorts: `fleetloop cohorts list | define | remove`."""

from typing import Annotated
from urllib.parse import quote

import typer

from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, person, print_json
from fleetloop_hub.cli.rollouts import By, Reason
from fleetloop_hub.fleet_records import LabelCohort
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables import rollouts as tables

app = typer.Typer(
    no_args_is_help=True,
    help="Names for parts of cohorts, by the labels that devices have in their config.",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="What the part is called.")]


@app.command("list")
def list_cohorts(
    *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False
) -> None:
    """List the names that were given to parts of cohorts."""
    found = find_hub(state_dir, hub, change=False).listed("/cohorts", "cohorts", LabelCohort)
    if json:
        print_json(found)
    elif found:
        out.print(tables.cohorts_table(found))
    else:
        out.print("No part of a cohort has a name: fleetloop cohorts define NAME --where QUERY")


@app.command()
def define(  # noqa: PLR0913  # each is an argument or option of the command
    name: Name,
    *,
    where: Annotated[str, typer.Option(help="Which devices, by label: 'site = \"roof\"'.")],
    home: Annotated[str, typer.Option("--in", metavar="HOME", help="The cohort.")] = "default",
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Give a name to the devices of a cohort that a label query is about."""
    ask = {"name": name, "where": where, "home": home}
    made = find_hub(state_dir, hub, change=True).post("/cohorts", ask, LabelCohort)
    if json:
        print_json(made)
        return
    out.print(
        f"{made.key} is {made.home} where {made.where}: roll out to it with "
        f"fleetloop rollouts start MODEL@VERSION --cohort {made.key}",
        markup=False,
        soft_wrap=True,
    )


@app.command()
def remove(  # noqa: PLR0913  # each is an argument or option of the command
    name: Name,
    *,
    reason: Reason,
    by: By = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Forget such a name; devices keep what they have."""
    remote = find_hub(state_dir, hub, change=True)
    ask = {"by": by or person(), "reason": reason}
    gone = remote.post(f"/cohorts/{quote(name, safe='')}/remove", ask, LabelCohort)
    if json:
        print_json(gone)
    else:
        out.print(f"{name} names no part of {gone.home} any more; devices keep what they have")
