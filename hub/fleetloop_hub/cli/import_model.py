"""`fleetloop models import`: a model that was trained elsewhere becomes a version."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleetloop_hub.cli.options import (
    DEFAULT_DIR,
    HubFolder,
    HubUrl,
    Json,
    StateDir,
    folder_at,
    out,
    person,
)
from fleetloop_hub.cli.train import show, watched
from fleetloop_hub.records import Run
from fleetloop_hub.remote import find_hub
from fleetloop_hub.spec import reading as specs


class Activation(StrEnum):
    """What makes probabilities of the model's outputs."""

    AUTO = "auto"
    NONE = "none"
    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"


def import_model(  # noqa: PLR0913  # options of a command
    file: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL.onnx", help="The ONNX file; with --folder, where it lies below that."
        ),
    ],
    *,
    spec: Annotated[Path, typer.Option(metavar="SPEC.toml", help="The model spec.")],
    input: Annotated[  # noqa: A002  # the option's name
        str | None, typer.Option(help="The input, where several could be it.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="The output, where several could be it.")
    ] = None,
    activation: Annotated[
        Activation, typer.Option(help="What makes probabilities; auto looks at real answers.")
    ] = Activation.AUTO,
    folder: HubFolder = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Take in an ONNX file of another library, judge it as if it was trained here, and sign it."""
    _, text = specs.load(spec)
    remote = find_hub(state_dir, hub, change=True)
    body = {
        "spec": text,
        "folder": folder_at(remote, spec, folder),
        "file": str(file.resolve() if folder is None else folder / file),
        "input": input,
        "output": output,
        "activation": activation.value,
        "by": person(),
    }
    run = remote.post("/imports", body, dict[str, str])["run"]
    version = watched(remote, run)
    if not json:
        for note in remote.get(f"/runs/{run}", Run).notes:
            out.print(note, highlight=False)
    show(remote, version, json=json)
