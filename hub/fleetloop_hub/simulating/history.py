"""Recorded rows in order of time, as a fleet would have seen them."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from msgspec import structs

from fleetloop_hub.data import parquet
from fleetloop_hub.data.build import from_sources
from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import DataError
from fleetloop_hub.simulating.plan import Plan
from fleetloop_hub.spec.data_tables import SourceTable
from fleetloop_hub.spec.model_spec import ModelSpec

Floats = npt.NDArray[np.float64]

FEWEST_ROWS = 400
"""Rows, below which nothing can be said about policies."""

_FORMS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}
_TABS = ".tsv"


@dataclass(frozen=True)
class History:
    """What is replayed.

    Attributes:
        spec: The model spec.
        frame: Labelled rows in order of time; `at` and `label_at` in seconds.
        start: The first row that is replayed; those before it are what version 1 is trained on.
        every_s: Between two retrainings of the schedule, seconds.
        devices: How many devices see the rows, in turn.
    """

    spec: ModelSpec
    frame: Frame
    start: int
    every_s: float
    devices: int


def read_history(spec: ModelSpec, data: Path, plan: Plan) -> History:
    """The rows of a file, prepared by the spec as those of a source are.

    Args:
        spec: What rows are, and how they are prepared; its own sources are not read.
        data: A CSV or Parquet file.
        plan: How its rows are to be replayed.

    Raises:
        DataError: Without a time column, out of order, too short, or not to be read.
        DiskFullError: No room for the prepared rows.
    """
    source = _source(spec, data)
    with tempfile.TemporaryDirectory(prefix="fleetloop-simulate-") as folder:
        built = from_sources(
            structs.replace(spec, sources=[source]),
            data.absolute().parent,
            Path(folder),
            None,
            lambda _share, _text: None,
        )
        if built is None:
            raise DataError(f"{data} has no rows")
        _check_order(built.rows, data, str(spec.rows.time))
        frame = parquet.read_frame(built.rows, spec)
    return timed(spec, frame, plan)


def timed(spec: ModelSpec, frame: Frame, plan: Plan) -> History:
    """Rows with times in seconds, and labels that come after their delay.

    Raises:
        DataError: Too few rows with a label.
    """
    frame = frame.take(np.isfinite(frame.label))
    start = round(len(frame) * plan.first_share)
    if len(frame) < FEWEST_ROWS or not 0 < start < len(frame):
        raise DataError(
            f"{len(frame):,} labelled rows are too few to be replayed: give {FEWEST_ROWS} or more, "
            "and leave some after those of the first version (--first)"
        )
    at = frame.at * plan.unit_s
    every_s = plan.every_s or max(float(at[-1] - at[start]) / 10, 1.0)
    replayed = np.arange(len(at)) >= start
    frame = replace(frame, at=at, label_at=at + plan.label_delay_s * replayed)
    return History(spec, frame, start, every_s, plan.devices)


def _source(spec: ModelSpec, data: Path) -> SourceTable:
    if spec.rows.time is None:
        raise DataError(
            "the spec names no time column, so nobody can say what was known when: "
            'write time = "..." under [rows]'
        )
    if spec.model.task == "anomaly" or spec.label.column is None or spec.label.late is not None:
        raise DataError(
            "policies are compared by labels that stand beside their rows: the spec must name "
            "label.column, without label.late, for a classification or a regression"
        )
    form = _FORMS.get(data.suffix.lower())
    if form is None or not data.is_file():
        raise DataError(f"{data} is no CSV or Parquet file that can be read")
    if form == "parquet":
        return SourceTable(parquet=data.name)
    return SourceTable(csv=data.name, delimiter="\t" if data.suffix == _TABS else ",")


def _check_order(rows: Path, data: Path, time: str) -> None:
    """Refuse rows that do not stand in order of time: who made the file meant something else."""
    table = pq.read_table(rows, columns=["at", "origin"])
    at = table.column("at").to_numpy()
    line = np.array(table.column("origin").to_pylist(), np.int64)
    back = np.flatnonzero((np.diff(line) < 0) & (np.diff(at) > 0))
    if len(back):
        raise DataError(
            f"{data} is not in order of time: line {line[back[0]]} is earlier by {time!r} than "
            f"line {line[back[0] + 1]}, but stands after it; sort the file by {time!r}"
        )
