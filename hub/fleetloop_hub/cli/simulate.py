"""Tries policies of retraining on recorded rows: `fleetloop retrain simulate`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from fleetloop_hub.cli.options import Json, SpecFile, err, out, print_json
from fleetloop_hub.errors import DataError
from fleetloop_hub.simulating import drawing
from fleetloop_hub.simulating.outcome import Simulation
from fleetloop_hub.simulating.plan import Plan
from fleetloop_hub.simulating.policies import Policy
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.tables import simulate as tables
from fleetloop_shared.durable import RealDisk, replace

_UNITS = {"s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}
_DRAWINGS = {".svg": drawing.over_time, ".html": drawing.page}


def simulate(  # noqa: PLR0913  # an option each
    spec: SpecFile,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Labelled rows: CSV or Parquet.")],
    *,
    policies: Annotated[
        str, typer.Option(help="Which to compare, separated by commas.")
    ] = ",".join(Policy),
    every: Annotated[
        str | None,
        typer.Option(help="Of the schedule: 30d, 12h, 90s. By default a tenth of the replay."),
    ] = None,
    label_delay: Annotated[
        str, typer.Option(help="How long after its row a label is known: 45d, 2h.")
    ] = "0s",
    devices: Annotated[int, typer.Option(min=1, help="Over how many the rows are dealt.")] = 4,
    first: Annotated[
        float, typer.Option(min=0.05, max=0.95, help="Share that version 1 is trained on.")
    ] = 0.3,
    time_unit: Annotated[
        str, typer.Option(help="What 1 in the time column is: s, min, h, d. Dates need none.")
    ] = "s",
    json: Json = False,
    out_file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Draw into this .html or .svg.")
    ] = None,
) -> None:
    """Replay recorded rows under several policies, and say which is best at what price.

    Needs no hub and changes nothing. Each policy sees a label only once its delay is over.
    """
    chosen = _policies(policies)
    plan = Plan(
        devices=devices,
        first_share=first,
        label_delay_s=_seconds(label_delay, "--label-delay"),
        every_s=None if every is None else _seconds(every, "--every"),
        unit_s=_seconds(f"1{time_unit}", "--time-unit"),
    )
    if out_file is not None and out_file.suffix not in _DRAWINGS:
        raise DataError(f"{out_file} must end in .html or .svg; nothing was replayed")
    _tell(_replayed(spec, data, plan, chosen), out_file, json=json)


def _replayed(spec: Path, data: Path, plan: Plan, policies: list[Policy]) -> Simulation:
    from fleetloop_hub.simulating.compare import simulate as replay  # noqa: PLC0415  # loads what only training needs
    from fleetloop_hub.simulating.history import read_history  # noqa: PLC0415  # the same

    history = read_history(specs.load(spec)[0], data, plan)
    columns = BarColumn(), TaskProgressColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as shown:
        task = shown.add_task("beginning", total=1.0)
        return replay(
            history,
            plan,
            data.name,
            policies,
            lambda share, text: shown.update(task, completed=share, description=text),
        )


def _tell(found: Simulation, out_file: Path | None, *, json: bool) -> None:
    if out_file is not None:
        data = _DRAWINGS[out_file.suffix](found)
        try:
            replace(RealDisk(out_file.absolute().parent), Path(out_file.name), data)
        except OSError as error:
            raise DataError(f"{out_file} cannot be written: {error.strerror}") from error
    if json:
        print_json(found)
        return
    out.print(tables.compared(found))
    if out_file is not None:
        out.print(f"drawn into {out_file}", soft_wrap=True)


def _policies(text: str) -> list[Policy]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(Policy)]
    if unknown or not names or len(set(names)) < len(names):
        known = ", ".join(Policy)
        raise DataError(f"--policies {text!r}: name each of these at most once: {known}")
    return [Policy(name) for name in names]


def _seconds(text: str, option: str) -> float:
    """A length of time such as 30d.

    >>> _seconds("1.5h", "--every")
    5400.0
    """
    unit = next((u for u in ("min", "s", "h", "d") if text.endswith(u)), "")
    try:
        value = float(text.removesuffix(unit))
    except ValueError:
        value = -1.0
    if not unit or not 0 <= value < float("inf"):
        raise DataError(f"{option} {text!r}: write a number and a unit: 30d, 12h, 15min or 90s")
    return value * _UNITS[unit]
