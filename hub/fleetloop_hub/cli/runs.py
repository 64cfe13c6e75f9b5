"""Commands about runs: `fleetloop runs ...`."""

import sys
import time
from typing import Annotated
from urllib.parse import urlencode

import typer

from fleetloop_hub.cli import asking
from fleetloop_hub.cli.options import (
    DEFAULT_DIR,
    HubUrl,
    Json,
    StateDir,
    err,
    out,
    person,
    print_json,
)
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.remote import Remote, find_hub
from fleetloop_hub.tables import runs as tables
from fleetloop_hub.tracking.comparison import compare as compare_runs

app = typer.Typer(
    no_args_is_help=True,
    help="Training runs: list, show, compare and plot them, and do one again.",
)

RunKey = Annotated[str, typer.Argument(metavar="RUN", help="A run's key, as `runs list` has it.")]

_LOOK_S = 0.5


@app.command("list")
def list_runs(  # noqa: PLR0913  # an option each
    *,
    model: Annotated[str | None, typer.Option(help="Only runs of this model.")] = None,
    state: Annotated[RunState | None, typer.Option(help="Only runs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="No more than so many.")] = 20,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """List runs, newest first."""
    asked = urlencode({k: v for k, v in (("model", model), ("state", state)) if v is not None})
    runs = asking.runs(find_hub(state_dir, hub, change=False), f"?{asked}" if asked else "", limit)
    if json:
        print_json(runs)
    elif runs:
        out.print(tables.runs_table(runs))
    else:
        out.print("No such run yet: fleetloop train SPEC.toml")


@app.command()
def show(
    run: RunKey,
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Show all that is known about a run."""
    found = read_run(find_hub(state_dir, hub, change=False), run)
    if json:
        print_json(found)
    else:
        out.print(tables.run_story(found))


@app.command()
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN ...", help="Two runs or more.")],
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what they share.")] = False,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Show in what runs differ: what they were made of, parameters, metrics."""
    if len(set(runs)) < 2:  # noqa: PLR2004  # it takes two to differ
        raise RemoteError("name two different runs or more: see `fleetloop runs list`")
    remote = find_hub(state_dir, hub, change=False)
    found = compare_runs([read_run(remote, key) for key in runs], everything=everything)
    if json:
        print_json(found)
    else:
        out.print(tables.comparison_table(found))


@app.command()
def log(run: RunKey, *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None) -> None:
    """Print what a run's libraries have printed, of a failed one too."""
    remote = find_hub(state_dir, hub, change=False)
    data = remote.read(f"/runs/{run}/files/log.txt")
    sys.stdout.write(data.decode(errors="replace"))


@app.command()
def reproduce(
    run: RunKey,
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Train a run once more and compare the artifacts; exit code 0 only if they are the same."""
    remote = find_hub(state_dir, hub, change=True)
    again = remote.post(f"/runs/{run}/reproduce", {"by": person()}, dict[str, str])["run"]
    found = _wait(remote, again)
    if found.reproduction is None:
        raise RemoteError(f"{again} came to nothing: {found.error}; see `fleetloop runs log`")
    if json:
        print_json(found)
    else:
        out.print(tables.verdict(found))
    if not found.reproduction.equal:
        raise typer.Exit(1)


@app.command()
def cancel(run: RunKey, *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None) -> None:
    """End a run that is under way; nothing of it is used, and every version stays as it is."""
    find_hub(state_dir, hub, change=True).post(
        f"/runs/{run}/cancel", {"by": person()}, dict[str, str]
    )
    out.print(f"{run} is cancelled; nothing of it is used")


def read_run(remote: Remote, key: str) -> Run:
    """A run as a whole.

    Raises:
        RemoteError: There is none of that key, or the key cannot be one.
    """
    if not key.replace("-", "").replace("_", "").isalnum():
        raise RemoteError(f"{key[:80]!r} is no run's key: see `fleetloop runs list`")
    return remote.get(f"/runs/{key}", Run)


def _wait(remote: Remote, key: str) -> Run:
    with err.status("training") as shown:
        while True:
            run = read_run(remote, key)
            if run.state.is_over:
                return run
            shown.update(asking.status(remote).training or "comparing")
            time.sleep(_LOOK_S)
