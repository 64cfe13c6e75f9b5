"""Commands about rollouts that are under way or over: `fleetloop rollouts list | show | ...`."""

from typing import Annotated
from urllib.parse import quote

import msgspec
import typer

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
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables import rollouts as tables

app = typer.Typer(
    no_args_is_help=True,
    help="Versions on their way to devices: begin, watch, stop and end rollouts.",
)

Key = Annotated[str, typer.Argument(metavar="KEY", help="Of the rollout: fleetloop rollouts list.")]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Your name, recorded; by default the account's."),
]
Reason = Annotated[str, typer.Option("--reason", help="Why, in words; it is recorded.")]


@app.command("list")
def list_rollouts(
    *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False
) -> None:
    """List the rollouts, the newest first, and where each of them stands."""
    found = find_hub(state_dir, hub, change=False).listed("/rollouts", "rollouts", Rollout)
    if json:
        print_json(found)
    elif found:
        out.print(tables.rollouts_table(found))
    else:
        out.print("No version was rolled out yet: fleetloop rollouts start MODEL@VERSION")


@app.command()
def show(
    key: Key, *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False
) -> None:
    """Show a rollout's phases, how its devices stand, its history and what judged it."""
    found = find_hub(state_dir, hub, change=False).get(f"/rollouts/{_checked(key)}", Rollout)
    if json:
        print_json(found)
    else:
        out.print(tables.whole(found))


@app.command()
def approve(  # noqa: PLR0913  # each is an argument or option of the command
    key: Key,
    *,
    reason: Reason,
    by: By = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Let a rollout begin that waits for a person."""
    _happen(_Word(key, "approve", by, reason), state_dir, hub, json=json)


@app.command()
def pause(  # noqa: PLR0913  # each is an argument or option of the command
    key: Key,
    *,
    reason: Reason,
    by: By = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Stop a rollout where it stands: whoever took the version keeps it, nobody else begins."""
    _happen(_Word(key, "pause", by, reason), state_dir, hub, json=json)


@app.command()
def resume(  # noqa: PLR0913  # each is an argument or option of the command
    key: Key,
    *,
    reason: Reason,
    by: By = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Let a paused rollout go on."""
    _happen(_Word(key, "resume", by, reason), state_dir, hub, json=json)


@app.command()
def abort(  # noqa: PLR0913  # each is an argument or option of the command
    key: Key,
    *,
    reason: Reason,
    revert: Annotated[
        bool,
        typer.Option(
            "--revert/--keep", help="Whether devices that took the version go back or keep it."
        ),
    ] = False,
    by: By = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """End a rollout; whoever took the version keeps it, or goes back with --revert."""
    word = _Word(key, "withdraw" if revert else "abort", by, reason)
    _happen(word, state_dir, hub, json=json)


class _Word(msgspec.Struct, frozen=True):
    """What a person does to a rollout."""

    key: str
    event: str
    by: str | None
    reason: str


def _happen(word: _Word, state_dir: StateDir, hub: HubUrl, *, json: bool) -> None:
    remote = find_hub(state_dir, hub, change=True)
    body = {"by": word.by or person(), "reason": word.reason}
    moved = remote.post(f"/rollouts/{_checked(word.key)}/{word.event}", body, Rollout)
    if json:
        print_json(moved)
    else:
        out.print(tables.stands(moved))


def _checked(key: str) -> str:
    if "/" in key:
        raise RemoteError(
            f"{key[:80]!r} names no rollout, and nothing was asked: see `fleetloop rollouts list`"
        )
    return quote(key, safe="")
