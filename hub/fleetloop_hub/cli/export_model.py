"""The command that makes a C program of a version: `fleetloop export MODEL@V --target c`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleetloop_hub.cli.fetching import from_hub
from fleetloop_hub.cli.options import DEFAULT_DIR, WHICH, HubUrl, Json, StateDir, out, print_json
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.remote import find_hub
from fleetloop_shared.codec import encode
from fleetloop_shared.durable import RealDisk, replace
from fleetloop_shared.ids import sha256_hex

Target = Literal["c"]

MANIFEST = "manifest.json"


def export(  # noqa: PLR0913  # an option each
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL[@V]", help=f"{WHICH}; by default champion, or else newest."),
    ],
    *,
    target: Annotated[Target, typer.Option(help="c: a C99 program without a heap.")] = "c",
    to: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="By default MODEL-V-c.")
    ] = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Write a signed version as a C program, for devices on which no ONNX Runtime runs.

    It is made of the signed artifact itself and gives the same answers; `make check` in its folder
    proves the golden vectors. Models that fit: linear, networks, trees and support vectors.
    """
    signed, artifact = from_hub(model, find_hub(state_dir, hub, change=False))
    if sha256_hex(artifact) != signed.sha256:
        raise RemoteError(
            f"the artifact of {signed.model} v{signed.version} is not what was signed, and nothing "
            "was written: see `fleetloop models show`, and restore the file from a backup"
        )
    from fleetloop_hub.packaging.c_program.program import program  # noqa: PLC0415  # loads ONNX

    made = program(signed, artifact)
    folder = to or Path(f"{signed.model}-{signed.version}-{target}")
    try:
        disk = RealDisk(folder)
        for name, content in (made.files | {MANIFEST: encode(signed)}).items():
            replace(disk, Path(name), content)
    except OSError as error:
        raise RemoteError(f"{folder} cannot be written: {error.strerror}") from error
    told = {
        "model": signed.model,
        "version": signed.version,
        "artifact": signed.sha256,
        "folder": str(folder),
        "files": sorted([*made.files, MANIFEST]),
        "table_bytes": made.table_bytes,
        "work_bytes": made.work_bytes,
    }
    if json:
        print_json(told)
        return
    size = f"tables {made.table_bytes:,} bytes of flash, work memory {made.work_bytes:,} of RAM"
    out.print(f"{signed.model} v{signed.version} is in {folder}: {size}", soft_wrap=True)
    out.print(f"Prove it: make -C {folder} check", soft_wrap=True)
