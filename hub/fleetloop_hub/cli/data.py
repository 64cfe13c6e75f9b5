"""Commands about rows: `fleetloop data ...`."""

import time
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from fleetloop_hub.cli.options import (
    DEFAULT_DIR,
    HubFolder,
    HubUrl,
    Json,
    SpecFile,
    StateDir,
    err,
    folder_at,
    out,
    print_json,
)
from fleetloop_hub.data.addition import Addition
from fleetloop_hub.data.difference import Difference
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.records import Dataset
from fleetloop_hub.remote import Remote, find_hub
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.tables import data as tables

app = typer.Typer(
    no_args_is_help=True,
    help="Rows: add what is new in the sources, list, show and compare dataset versions.",
)

Version = Annotated[
    str, typer.Argument(metavar="VERSION", help="The beginning of its key, or a model's name.")
]

_LOOK_S = 0.1


@app.command()
def add(
    spec: SpecFile,
    *,
    folder: HubFolder = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Read what is new in a spec's sources, check it, and keep it as a dataset version."""
    remote = find_hub(state_dir, hub, change=True)
    ended = add_rows(remote, spec, folder_at(remote, spec, folder))
    if json:
        print_json(ended)
    elif ended.dataset is not None and ended.grown:
        out.print(tables.dataset_story(ended.dataset))
    elif ended.dataset is not None:
        out.print(f"Nothing new: {ended.model} stays at {ended.dataset.key[:12]}.")


@app.command("list")
def list_versions(
    *,
    model: Annotated[str | None, typer.Option(help="Only versions of this model.")] = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """List dataset versions, newest first."""
    found = find_hub(state_dir, hub, change=False).listed("/data", "datasets", Dataset)
    found = [d for d in found if model in {None, d.model}]
    if json:
        print_json(found)
    elif found:
        out.print(tables.datasets_table(found))
    else:
        out.print("No dataset version yet: fleetloop data add SPEC.toml")


@app.command()
def show(
    version: Version, *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False
) -> None:
    """Show a version: where its rows are from, what was kept out and why, what has moved."""
    found = find_hub(state_dir, hub, change=False).get(f"/data/versions/{quote(version)}", Dataset)
    if json:
        print_json(found)
    else:
        out.print(tables.dataset_story(found))


@app.command()
def diff(
    a: Version,
    b: Version,
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Compare two versions: rows, columns, labels, what was kept out, what has moved."""
    remote = find_hub(state_dir, hub, change=False)
    found = remote.get(f"/data/versions/{quote(a)}/against/{quote(b)}", Difference)
    if json:
        print_json(found)
    else:
        out.print(tables.difference_story(found))


def add_rows(remote: Remote, spec: Path, folder: str, *, to_train: bool = False) -> Addition:
    """Have the hub read what is new in a spec's sources, and show how far it is.

    Args:
        remote: The hub.
        spec: The spec, on this machine.
        folder: What its paths are relative to, on the hub's.
        to_train: Whether rows that nothing can be learned from are refused.

    Raises:
        SpecError: The spec does not say what it should.
        RemoteError: Nothing came of it.
    """
    _, text = specs.load(spec)
    body = {"spec": text, "folder": folder, "to_train": to_train}
    state = remote.post("/data", body, Addition)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as shown:
        task = shown.add_task(state.text, total=1.0)
        while not state.ended:
            time.sleep(_LOOK_S)
            state = remote.get(f"/data/additions/{state.key}", Addition)
            shown.update(task, completed=state.share, description=state.text)
    if state.error is not None:
        raise RemoteError(state.error)
    return state
