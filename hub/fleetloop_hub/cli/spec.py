"""Commands about the model spec: draft one from data, check one."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, get_args

import typer

from fleetloop_hub.cli.options import Json, SpecFile, err, out, print_json
from fleetloop_hub.data.one_class import see_classes
from fleetloop_hub.errors import DataError, SpecError
from fleetloop_hub.records import Dataset
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.spec.explain import Problem, in_dots
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.problems import unknown_columns, wrong_delimiter
from fleetloop_hub.spec.scalars import Task
from fleetloop_shared.durable import RealDisk, replace
from fleetloop_shared.ids import check_name

_TASKS: dict[str, Task] = {task: task for task in get_args(Task)}


def init(  # noqa: PLR0913  # each is an argument or option of the command
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the model will be called.")],
    *,
    data: Annotated[
        Path,
        typer.Option("--from", help="CSV or JSON lines, plain or gzip, or Parquet."),
    ],
    label: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    task: Annotated[str | None, typer.Option(help="classification, regression or anomaly.")] = None,
    spec: Annotated[Path, typer.Option("--out", help="Where to write it.")] = Path("spec.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Draft a model spec from data; every guess stands beside its reason."""
    check_name(name, "model")
    if task is not None and task not in _TASKS:
        raise SpecError(f"--task {task} is not known; write one of {', '.join(_TASKS)}")
    if not spec.absolute().parent.is_dir():
        raise SpecError(f"{spec.parent} is no folder: make it, or name another file with --out")
    from fleetloop_hub.drafting.draft import (  # noqa: PLC0415  # loads what only drafting needs
        draft,
        warnings_in,
    )

    with err.status(f"reading {data.name}"):
        text = draft(name, data, spec.absolute().parent, label, _TASKS.get(task or ""))
    if spec.exists() and not force:
        raise SpecError(f"{spec} is there already and was not touched: --force replaces it")
    replace(RealDisk(spec.absolute().parent), spec.absolute(), text.encode())
    for warning in warnings_in(text):
        err.print(f"warning: {warning}", style="yellow", markup=False, soft_wrap=True)
    out.print(f"{spec} is written. Read it, then: fleetloop check {spec}", soft_wrap=True)


def check(
    spec: SpecFile,
    *,
    json: Json = False,
) -> None:
    """Say what is wrong with a spec, line by line, and what its rows say; needs no hub."""
    text = specs.read_text(spec)
    parsed, found = specs.examine(text)
    if parsed is not None:
        found += specs.located(text, _unlike_sources(parsed, spec.parent))
    if parsed is None or found:
        _tell(spec, found, json=json)
        raise typer.Exit(1)
    data = _rows(parsed, spec.parent)
    if json:
        print_json({"model": data.model, "rows": data.rows, "quarantined": data.quarantined})
        return
    names = ", ".join(c.name for c in parsed.candidates)
    out.print(f"{data.model}: {data.rows:,} rows, {len(parsed.features)} features, {names}")
    for fault in data.faults:
        out.print(f"kept out: {fault.rows:,} rows, {fault.reason}; {fault.examples[0]}")


def _tell(spec: Path, found: list[Problem], *, json: bool) -> None:
    if json:
        problems = [{"line": p.line, "key": in_dots(p.path), "text": p.text} for p in found]
        print_json({"problems": problems})
        return
    for problem in found:
        typer.echo(f"{spec}:{problem.line}: {problem.text}")
    count = f"{len(found)} mistake{'s' if len(found) != 1 else ''}"
    err.print(f"{count}; nothing was read or changed.", style="dim")


def _unlike_sources(spec: ModelSpec, folder: Path) -> Iterator[Problem]:
    """What the spec says of its sources that the headers of those that can be read contradict."""
    from fleetloop_hub.drafting import sample  # noqa: PLC0415  # loads what only reading needs

    for place, source in enumerate(spec.sources):
        file = source.csv or source.parquet or source.jsonl
        with contextlib.suppress(DataError):  # reading the rows will say it
            if file is None:
                continue
            if source.csv and (other := sample.likelier_delimiter(folder / file, source.delimiter)):
                yield wrong_delimiter(place, other)
            else:
                yield from unknown_columns(spec, sample.names(folder / file, source.delimiter))


def _rows(spec: ModelSpec, folder: Path) -> Dataset:
    """What the dataset version would be."""
    from fleetloop_hub.data.build import from_sources  # noqa: PLC0415  # loads what only reading needs

    with tempfile.TemporaryDirectory() as work:
        built = from_sources(spec, folder, Path(work), None, lambda share, text: None)
    if built is None:
        raise DataError("the sources hold nothing; add rows")
    see_classes(built.dataset, spec)
    return built.dataset
