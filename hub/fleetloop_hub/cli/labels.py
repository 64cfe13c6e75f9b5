"""Commands about late labels: `fleetloop labels ...`."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, print_json
from fleetloop_hub.remote import find_hub
from fleetloop_hub.web.actions import LabelAccount
from fleetloop_shared.label_messages import LabelReceipt

app = typer.Typer(
    no_args_is_help=True,
    help="Late labels: tell what predictions of devices should have been, and who else may.",
)

_PIECE = 5_000
_SHOWN = 10

SOME_REFUSED = 3
"""The exit code where some labels were not taken."""


class _Told(msgspec.Struct, frozen=True):
    """What has become of the labels of a file; `refused` are those not taken, with their lines."""

    told: int
    joined: int
    waiting: int
    duplicate: int
    refused: int
    refusals: list[str]


class _Waiting(msgspec.Struct, frozen=True):
    waiting: dict[str, int]
    sources: list[str]


@app.command()
def add(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help=".csv, .parquet or .jsonl: prediction_id, label and, if known, at."
        ),
    ],
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Tell the hub what predictions of devices should have been; each label counts once.

    Where some are refused, they are named with their lines, and the exit code is 3.
    """
    from fleetloop_hub.data import label_files  # noqa: PLC0415  # pyarrow, only where it is needed

    remote = find_hub(state_dir, hub, change=True)
    sums, refusals = dict.fromkeys(("told", "joined", "waiting", "duplicate", "refused"), 0), []
    for piece in label_files.in_pieces(label_files.read(file, time.time()), _PIECE):
        body = {"labels": [told for _, told in piece], "source": "file"}
        receipt = remote.post("/labels", body, LabelReceipt)
        sums["told"] += len(piece)
        sums["joined"] += receipt.joined
        sums["waiting"] += receipt.waiting
        sums["duplicate"] += receipt.duplicate
        sums["refused"] += receipt.refused_count
        refusals += [f"line {piece[r.place][0]}: {r.text} ({r.reason})" for r in receipt.refused]
    ended = _Told(**sums, refusals=refusals)
    if json:
        print_json(ended)
    else:
        _print(ended)
    if ended.refused:
        raise typer.Exit(SOME_REFUSED)


def _print(ended: _Told) -> None:
    out.print(
        f"{ended.told:,} labels told: {ended.joined:,} joined to their rows, {ended.waiting:,} wait"
        f" for rows that devices have not sent, {ended.duplicate:,} were known, "
        f"{ended.refused:,} refused."
    )
    for text in ended.refusals[:_SHOWN]:
        out.print(f"  {text}", markup=False)


@app.command()
def source(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the source is called.")],
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Make an account with which a program may tell labels over MQTT, and do nothing else."""
    made = find_hub(state_dir, hub, change=True).post(
        "/labels/sources", {"name": name}, LabelAccount
    )
    if json:
        print_json(made)
        return
    out.print(f"broker    {made['broker']}", f"username  {made['username']}", sep="\n")
    out.print(f"password  {made['password']}", markup=False)
    out.print(f"labels    {made['topic']}", f"receipts  {made['receipts']}", sep="\n")
    out.print('Say {"id":"1","labels":[{"prediction_id":"D.1.1","label":1,"at":1790000000}]}')


@app.command("list")
def list_waiting(
    *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False
) -> None:
    """List the label sources, and how many labels wait for rows, by device."""
    found = find_hub(state_dir, hub, change=False).get("/labels", _Waiting)
    if json:
        print_json(found)
        return
    out.print(f"label sources: {', '.join(found.sources) or 'none; fleetloop labels source NAME'}")
    for device, count in found.waiting.items():
        out.print(f"{device}: {count:,} labels wait for their rows")
    if not found.waiting:
        out.print("No label waits for its row. What was refused: fleetloop attempts")
