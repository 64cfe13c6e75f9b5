"""How many rows two dataset versions share, whatever line of a source each stands on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fleetloop_hub.data import parquet
from fleetloop_hub.data.keys import Marks, hashed

_TIMES = frozenset({"at", "label_at"})


def column_names(path: Path) -> list[str]:
    """The columns of a version's file.

    Raises:
        DataError: It is no dataset version.
    """
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise parquet.no_version(error) from error


def exchanged(a: Path, b: Path, *, timed: bool) -> tuple[int, int]:
    """How many rows of the second file the first lacks, and of the first the second.

    In memory are 8 bytes a row. Two rows are the same if the columns that both files have are,
    but for the line on which a row stands.

    Args:
        a: The rows of one version.
        b: Those of another.
        timed: Whether a row's time is its own; if not, it is only its place in the source.

    Raises:
        DataError: One of them is no dataset version.
    """
    others = {"origin"} if timed else {"origin", *_TIMES}
    there = set(column_names(b)) - others
    common = [name for name in column_names(a) if name in there]
    marks_a, marks_b = _marks(a, common), _marks(b, common)
    shared = _shared(marks_a, marks_b)
    return len(marks_b) - shared, len(marks_a) - shared


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
