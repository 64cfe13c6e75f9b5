"""Commands that make files of a run: pictures, and a copy on an MLflow server."""

from pathlib import Path
from typing import Annotated

import typer

from fleetloop_hub.cli import asking, card
from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, print_json
from fleetloop_hub.cli.runs import RunKey, read_run
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.records import Run
from fleetloop_hub.remote import Remote, find_hub
from fleetloop_hub.tracking.mlflow_export import Copy, copied
from fleetloop_hub.tracking.plots.formats import Format
from fleetloop_hub.training import job as files
from fleetloop_shared.durable import RealDisk, replace

_EVALUATION = str(files.EVALUATION)


def plot(  # noqa: PLR0913  # an option each
    run: RunKey,
    *,
    to: Annotated[Path | None, typer.Option("--out", help="The folder; by default RUN.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="svg or png.")] = "svg",
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Draw a run: ROC, precision and recall, calibration, confusion, learning, Pareto, search."""
    remote = find_hub(state_dir, hub, change=False)
    found = read_run(remote, run)
    folder = to or Path(run)
    drawn = _drawn(remote, found, format_)
    disk = RealDisk(folder)
    for name, data in drawn.items():
        replace(disk, Path(name), data)
    if json:
        print_json({"folder": str(folder), "files": list(drawn)})
    else:
        out.print(f"{', '.join(drawn)} are in {folder}", soft_wrap=True)


def export(  # noqa: PLR0913  # an option each
    run: RunKey,
    *,
    mlflow: Annotated[str, typer.Option(help="URI of the MLflow tracking server.")],
    experiment: Annotated[
        str | None, typer.Option(help="The experiment; by default the model's name.")
    ] = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Copy a run to an MLflow server: parameters, metrics with steps, tags and files."""
    remote = find_hub(state_dir, hub, change=False)
    found = read_run(remote, run)
    left = {n: remote.read(f"/runs/{run}/files/{n}") for n in found.artifacts if not found.swept}
    plots = {f"plots/{name}": data for name, data in _drawn(remote, found, "svg").items()}
    version = _version(remote, run)
    copy = Copy(run=found, version=version, files=left | plots | _card(remote, version))
    made = copied(copy, mlflow, experiment or found.model)
    if json:
        print_json({"mlflow_run": made, "experiment": experiment or found.model})
    else:
        out.print(f"{run} is at {mlflow} as run {made}", soft_wrap=True)


def _version(remote: Remote, run: str) -> str | None:
    """What came of a run, as MODEL@V."""
    versions = asking.versions(remote)
    return next((f"{v.model}@{v.number}" for v in versions if v.run == run), None)


def _card(remote: Remote, version: str | None) -> dict[str, bytes]:
    """The model card as a file, where a version came of the run."""
    if version is None:
        return {}
    return {card.FILE: remote.read(f"/versions/{version.replace('@', '/')}/{card.FILE}")}


def _drawn(remote: Remote, run: Run, format_: Format) -> dict[str, bytes]:
    """Every picture as a file.

    Raises:
        RemoteError: Nothing can be drawn of this run.
    """
    from fleetloop_hub.tracking.plots.pictures import pictures  # noqa: PLC0415  # loads what only drawing needs
    from fleetloop_hub.training import evaluation  # noqa: PLC0415  # loads what only drawing needs

    rows = None
    if _EVALUATION in run.artifacts and not run.swept:
        rows = evaluation.decode(remote.read(f"/runs/{run.key}/files/{_EVALUATION}"))
    drawn = {f"{name}.{format_}": data for name, data in pictures(run, rows, format_)}
    if not drawn:
        raise RemoteError(
            f"{run.key} is {run.state} and has tried no candidate, so there is nothing to draw; "
            f"see `fleetloop runs log {run.key}`"
        )
    return drawn
