"""`fleetloop rollouts plan` and `start`: what a rollout would do, and beginning it."""

from typing import Annotated

import msgspec
import typer

from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, person, print_json
from fleetloop_hub.cli.rollouts import By
from fleetloop_hub.delivery.plan import Plan
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables import rollouts as tables

Which = Annotated[str, typer.Argument(metavar="MODEL@VERSION", help="Which version, by number.")]
Cohort = Annotated[str, typer.Option(help="Who gets it: a cohort, or a name for a part of one.")]
Where = Annotated[
    str, typer.Option(help="Which of its devices, by label: 'site = \"roof\"'; without it, all.")
]
Replace = Annotated[
    bool, typer.Option("--replace", help="Take the place of another model on these devices.")
]


class _Begun(msgspec.Struct, frozen=True):
    rollout: str


def plan(  # noqa: PLR0913  # each is an argument or option of the command
    version: Which,
    *,
    cohort: Cohort = "default",
    where: Where = "",
    replace: Replace = False,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Tell what a rollout would do: who gets it in which phase, and when. Nothing is begun."""
    ask = {**_named(version), "cohort": cohort, "where": where, "replacing": replace}
    planned = find_hub(state_dir, hub, change=True).post("/rollouts/plan", ask, Plan)
    if json:
        print_json(planned)
    else:
        out.print(tables.planned(planned))


def start(  # noqa: PLR0913  # each is an argument or option of the command
    version: Which,
    *,
    cohort: Cohort = "default",
    where: Where = "",
    replace: Replace = False,
    by: By = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; for the audit log.")] = "",
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Roll a version out, the canary first. A device runs one model."""
    remote = find_hub(state_dir, hub, change=True)
    ask = {**_named(version), "cohort": cohort, "where": where, "replacing": replace}
    ask |= {"by": by or person(), "reason": reason}
    begun = remote.post("/rollouts", ask, _Begun)
    if json:
        print_json(begun)
        return
    place = f"{cohort} where {where}" if where else cohort
    out.print(
        f"{version} is on its way to {place}: watch it at {remote.url}, or with "
        f"fleetloop rollouts show {begun.rollout}",
        markup=False,
        soft_wrap=True,
    )


def _named(version: str) -> dict[str, object]:
    model, _, number = version.rpartition("@")
    if not model or not number.isdecimal():
        raise RemoteError(
            f"{version!r} names no version, and nothing was asked: write MODEL@VERSION, as rain@3"
        )
    return {"model": model, "version": int(number)}
