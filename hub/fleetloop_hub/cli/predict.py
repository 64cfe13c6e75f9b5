"""The command that scores a file with a model version."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from fleetloop_hub.cli.fetching import from_hub
from fleetloop_hub.cli.options import (
    DEFAULT_DIR,
    WHICH,
    HubUrl,
    Json,
    StateDir,
    err,
    out,
    print_json,
)
from fleetloop_hub.errors import DataError
from fleetloop_hub.remote import find_hub
from fleetloop_hub.scoring import given
from fleetloop_shared.manifest import Manifest

REJECTED = 3
"""The exit code where some rows could not be answered."""


def predict(  # noqa: PLR0913  # each is an argument or option of the command
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL[@V]",
            help=f"{WHICH}; by default champion, or else newest.",
        ),
    ],
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="CSV or JSON lines, plain or gzip, or Parquet.")
    ],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="Ends with .csv, .parquet or .jsonl.")
    ],
    *,
    artifact: Annotated[
        Path | None, typer.Option(help="A local ONNX file, instead of asking the hub.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="The manifest of that file.")] = None,
    delimiter: Annotated[str, typer.Option(help="Between the fields of a CSV file.")] = ",",
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Score a file of any size, answering each row as a device would.

    Values are in the model's units, as on devices. Rows that cannot be answered go to
    OUT.rejects.jsonl with their reasons, and the exit code is 3.
    """
    if (artifact is None) != (manifest is None):
        raise DataError("--artifact and --manifest belong together: name both, or neither")
    if artifact is not None and manifest is not None:
        signed, data = _local(artifact, manifest)
    else:
        signed, data = from_hub(model, find_hub(state_dir, hub, change=False))
    if signed.model != model.partition("@")[0]:
        raise DataError(f"{manifest} is of the model {signed.model}, not of {model}")
    from fleetloop_hub.scoring.job import Task, score  # noqa: PLC0415  # loads what only scoring needs

    began = time.monotonic()
    with _progress() as step:
        scored = score(Task(signed, data, source, target, delimiter), step)
    took_s = time.monotonic() - began
    if json:
        print_json(
            {
                "model": signed.model,
                "version": signed.version,
                "artifact": signed.sha256,
                "rows": scored.rows,
                "rejected": scored.rejected,
                "rejects": None if scored.rejects is None else str(scored.rejects),
                "seconds": round(took_s, 3),
            }
        )
    else:
        pace = f"{scored.rows:,} rows in {took_s:.1f} s"
        out.print(f"{signed.model} v{signed.version} answered {pace}: {target}", soft_wrap=True)
    if scored.rejects is not None:
        told = f"{scored.rejected:,} rows were not answered; why, stands in {scored.rejects}"
        err.print(told, soft_wrap=True)
        raise typer.Exit(REJECTED)


def _local(artifact: Path, manifest: Path) -> tuple[Manifest, bytes]:
    try:
        return given.manifest(manifest.read_bytes()), artifact.read_bytes()
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}; nothing was scored") from error


@contextmanager
def _progress() -> Iterator[Callable[[float, int], None]]:
    """A bar on a terminal, with rows a second and the time that is left."""
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[pace]:,.0f} rows/s"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    hidden = not err.is_terminal
    with Progress(*columns, console=err, transient=True, disable=hidden) as bar:
        task = bar.add_task("scoring", total=1.0, rows=0, pace=0.0)

        def step(share: float, rows: int) -> None:
            pace = rows / max(time.monotonic() - began, 1e-3)
            bar.update(task, completed=share, rows=rows, pace=pace)

        yield step
