"""What a person says to retrainings: ask for one, agree to one that waits, or turn it down."""

from typing import Annotated

import typer

from fleetloop_hub.cli import asking
from fleetloop_hub.cli.approve import By, Reason
from fleetloop_hub.cli.options import (
    DEFAULT_DIR,
    HubUrl,
    Json,
    StateDir,
    out,
    person,
    print_json,
)
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.records import RunState
from fleetloop_hub.remote import Remote, find_hub

app = typer.Typer(
    no_args_is_help=True, help="Ask for retrainings, and agree to those that wait for a person."
)
Waiting = Annotated[
    str, typer.Argument(metavar="RUN", help="The run that waits, or the name of its model.")
]


@app.command()
def ask(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Which model.")],
    reason: Reason,
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Have a model trained on its newest dataset version; it waits while another run goes on."""
    remote = find_hub(state_dir, hub, change=True)
    asked = {"model": model, "reason": reason, "by": person()}
    run = remote.post("/runs", asked, dict[str, str])["run"]
    if json:
        print_json({"run": run})
    else:
        out.print(f"{run} is ordered: fleetloop runs show {run}", soft_wrap=True)


@app.command()
def approve(
    run: Waiting, by: By, reason: Reason, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None
) -> None:
    """Agree to a retraining that the hub has decided on; it begins as soon as the hub is free."""
    remote = find_hub(state_dir, hub, change=True)
    key = _waiting(remote, run)
    remote.post(f"/runs/{key}/allow", {"by": by, "reason": reason}, dict[str, str])
    out.print(f"{key} will be trained: fleetloop runs show {key}", soft_wrap=True)


@app.command()
def reject(run: Waiting, by: By, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None) -> None:
    """Turn down a retraining that waits; the same evidence asks for no other."""
    remote = find_hub(state_dir, hub, change=True)
    key = _waiting(remote, run)
    remote.post(f"/runs/{key}/cancel", {"by": by}, dict[str, str])
    out.print(f"{key} is turned down; every version is as it was", soft_wrap=True)


def _waiting(remote: Remote, name: str) -> str:
    """The key of the run that waits, by that or by its model.

    Raises:
        RemoteError: None waits.
    """
    runs = [r for r in asking.runs(remote) if r.state is RunState.WAITING]
    for run in runs:
        if name in {run.key, run.model}:
            return run.key
    have = ", ".join(run.key for run in runs) or "none"
    raise RemoteError(f"no run {name[:80]!r} waits for a person's word; of those that do: {have}")
