"""Commands from a spec to a version: check it, train it, say why a version exists."""

import time
from typing import Annotated

import typer

from fleetloop_hub.cli import asking
from fleetloop_hub.cli.data import add_rows
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
    person,
    print_json,
)
from fleetloop_hub.cli.watching import watch
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.records import Run, RunState, Version
from fleetloop_hub.remote import Remote, find_hub
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.tables import data as data_tables
from fleetloop_hub.tables import delays as delay_tables
from fleetloop_hub.tables import runs as run_tables
from fleetloop_hub.tables import versions as tables

_LOOK_S = 0.5
_LOST_S = 60.0


def train(  # noqa: PLR0913  # options of a command
    spec: SpecFile,
    *,
    detach: Annotated[
        bool, typer.Option("--detach", help="Start the run and do not wait for it.")
    ] = False,
    folder: HubFolder = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Train the model that a spec describes, and show what the gates say."""
    specs.load(spec)
    remote = find_hub(state_dir, hub, change=True)
    added = add_rows(remote, spec, folder_at(remote, spec, folder), to_train=True)
    model = added.model
    if added.dataset is not None and added.grown:
        err.print(data_tables.news(added.dataset))
    ask = {
        "model": model,
        "reason": f"a person asked for it with {spec.name}",
        "by": person(),
    }
    run = remote.post("/runs", ask, dict[str, str])["run"]
    if detach:
        if json:
            print_json({"run": run})
        else:
            out.print(f"{run} has begun: fleetloop runs show {run}, fleetloop runs cancel {run}")
        return
    show(remote, watched(remote, run), json=json)


def watched(remote: Remote, run: str) -> VersionView:
    """The version that comes of a run, which is watched until it has ended.

    Raises:
        RemoteError: None comes of it; the text says why.
    """
    ended = watch(remote, run)
    if ended.state is not RunState.FINISHED:
        raise RemoteError(ended.error or f"run {run} failed: the hub's log says why")
    return _version(remote, run)


def show(remote: Remote, version: VersionView, *, json: bool) -> None:
    """Show what the gates say of a version that was made just now; 1 if one blocks it."""
    passed = version.gates_passed == version.gates_judged
    if json:
        print_json(version)
    else:
        out.print(run_tables.pick(remote.get(f"/runs/{version.run}", Run)))
        out.print(tables.gates_table(version.gates))
        told = remote.get(f"/versions/{version.model}/{version.number}", Version).evidence.delays
        if told is not None:
            out.print(delay_tables.brief_table(told))
        out.print(tables.outcome(version), soft_wrap=True)
    if not passed:
        raise typer.Exit(1)


def _version(remote: Remote, run: str) -> VersionView:
    """The version that comes of a run, which the hub makes a moment after the run has ended."""
    ended_at = time.monotonic()
    while time.monotonic() - ended_at < _LOST_S:
        for version in asking.versions(remote):
            if version.run == run:
                return version
        time.sleep(_LOOK_S)
    raise RemoteError(f"no version came of run {run}: the hub's log says why")
