"""Compares two dataset versions in a process of its own, `python -m fleetloop_hub.data.compare`."""

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fleetloop_hub.data import drift, parquet
from fleetloop_hub.data.difference import Difference, Pair
from fleetloop_hub.data.keys import Marks, hashed
from fleetloop_hub.dataset_parts import Shift
from fleetloop_hub.errors import DataError
from fleetloop_hub.records import Dataset

_TIMEOUT_S = 600.0


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    rows: Pair
    added: int
    removed: int
    columns_added: list[str]
    columns_removed: list[str]
    columns: list[Shift]


def compare(first: tuple[Dataset, Path], second: tuple[Dataset, Path]) -> Difference:
    """What tells two versions apart; the work is done elsewhere, so that the hub stays quick.

    Raises:
        DataError: One of the files is no dataset version.
    """
    (a, path_a), (b, path_b) = first, second
    command = [sys.executable, "-m", "fleetloop_hub.data.compare", str(path_a), str(path_b)]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=_TIMEOUT_S)
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", None) or str(error).encode()
        raise DataError(
            f"{a.key[:12]} and {b.key[:12]} cannot be compared: "
            f"{said.decode(errors='replace').strip().splitlines()[-1]}"
        ) from error
    found = msgspec.json.decode(done.stdout, type=_Content)
    return Difference(
        a=a.key,
        b=b.key,
        labels=_pairs(a.labels, b.labels),
        quarantined=_pairs(a.quarantined, b.quarantined),
        **{name: getattr(found, name) for name in _Content.__struct_fields__},
    )


def content(a: Path, b: Path) -> _Content:
    """The same of the files alone; in memory are 8 bytes a row and one column.

    Raises:
        DataError: One of them is no dataset version.
    """
    names_a, names_b = _names(a), _names(b)
    common = [name for name in names_a if name in names_b]
    marks_a, marks_b = _marks(a, common), _marks(b, common)
    shared = _shared(marks_a, marks_b)
    return _Content(
        rows=Pair(a=len(marks_a), b=len(marks_b)),
        added=len(marks_b) - shared,
        removed=len(marks_a) - shared,
        columns_added=[_plain(name) for name in names_b if name not in names_a],
        columns_removed=[_plain(name) for name in names_a if name not in names_b],
        columns=sorted(
            (
                drift.shift(drift.Column(_plain(name), "", _values(a, name), _values(b, name)))
                for name in common
                if name.startswith("x.") or name == "label"
            ),
            key=lambda shift: -shift.psi,
        ),
    )


def _pairs(a: dict[str, int], b: dict[str, int]) -> dict[str, Pair]:
    return {name: Pair(a=a.get(name, 0), b=b.get(name, 0)) for name in sorted({*a, *b})}


def _names(path: Path) -> list[str]:
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise parquet.no_version(error) from error


def _plain(name: str) -> str:
    return name.removeprefix("x.").removeprefix("g.")


def _marks(path: Path, names: list[str]) -> Marks:
    """A hash of each row's content."""
    parts = [_row_marks(table.select(names)) for table in parquet.batches(path)]
    return np.concatenate(parts) if parts else np.zeros(0, np.uint64)


def _row_marks(table: pa.Table) -> Marks:
    marks = np.zeros(table.num_rows, np.uint64)
    for column in table.columns:
        flat = pa.concat_arrays(column.chunks)
        if pa.types.is_string(flat.type):
            part = hashed(flat)
        else:
            values = flat.to_numpy(zero_copy_only=False).astype(np.float64)
            part = pd.util.hash_array(values, categorize=False)
        marks = marks * np.uint64(1_000_003) + part
    return marks


def _shared(a: Marks, b: Marks) -> int:
    """How many rows both have, counted as often as both have them."""
    kinds_a, counts_a = np.unique(a, return_counts=True)
    kinds_b, counts_b = np.unique(b, return_counts=True)
    _, in_a, in_b = np.intersect1d(kinds_a, kinds_b, assume_unique=True, return_indices=True)
    return int(np.minimum(counts_a[in_a], counts_b[in_b]).sum())


def _values(path: Path, name: str) -> npt.NDArray[np.float32]:
    column = pq.read_table(path, columns=[name]).column(name)
    values: npt.NDArray[np.float32] = column.to_numpy().astype(np.float32)
    return values


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(content(Path(sys.argv[1]), Path(sys.argv[2]))))
