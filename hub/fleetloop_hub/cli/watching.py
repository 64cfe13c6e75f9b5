"""Shows how far a run is, and asks what Ctrl-C was meant to do."""

import time

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from fleetloop_hub.cli import asking
from fleetloop_hub.cli.options import err, person
from fleetloop_hub.records import Run
from fleetloop_hub.remote import Remote

_LOOK_S = 0.5
_MINUTE_S = 60.0


def watch(remote: Remote, run: str) -> Run:
    """The run when it has ended, however long it takes.

    Ctrl-C asks: the run is cancelled, watched further, or left to the hub.

    Raises:
        RemoteError: The hub does not answer.
        typer.Exit: The person has left.
    """
    while True:
        try:
            return _watch(remote, run)
        except KeyboardInterrupt:
            _ask(remote, run)


def _watch(remote: Remote, run: str) -> Run:
    columns = BarColumn(), TaskProgressColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as shown:
        task = shown.add_task(f"{run}: starting", total=1.0)
        while True:
            found = remote.get(f"/runs/{run}", Run)
            if found.state.is_over:
                shown.update(task, completed=1.0, description=f"{run}: {found.state}")
                return found
            status = asking.status(remote)
            if status.training is not None:
                text = f"{status.training}{_left(status.training_left_s)}"
                shown.update(task, completed=status.training_share or 0.0, description=text)
            time.sleep(_LOOK_S)


def _ask(remote: Remote, run: str) -> None:
    """Returns if the person wants to go on watching."""
    leaving = f"{run} goes on at the hub: `fleetloop runs show {run}`"
    try:
        answer = typer.prompt(
            f"\n{run} is under way. Cancel it (c), watch on (w), or leave it to the hub (l)?",
            default="l",
            err=True,
        )
    except typer.Abort as error:
        err.print(leaving)
        raise typer.Exit(1) from error
    if answer.lower().startswith("w"):
        return
    if answer.lower().startswith("c"):
        remote.post(f"/runs/{run}/cancel", {"by": person()}, dict[str, str])
        err.print(f"{run} is cancelled; nothing of it is used")
    else:
        err.print(leaving)
    raise typer.Exit(1)


def _left(left_s: float | None) -> str:
    if left_s is None:
        return ""
    if left_s < _MINUTE_S:
        return f", candidates about {left_s:.0f} s more"
    return f", candidates about {left_s / _MINUTE_S:.0f} min more"
