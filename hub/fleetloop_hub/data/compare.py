"""Compares two dataset versions in a process of its own, `python -m fleetloop_hub.data.compare`."""

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from fleetloop_hub.data import drift
from fleetloop_hub.data.difference import Difference, Pair
from fleetloop_hub.data.row_marks import column_names, exchanged
from fleetloop_hub.dataset_parts import Shift
from fleetloop_hub.errors import DataError
from fleetloop_hub.records import Dataset

Names = dict[str, dict[str, str]]

_TIMEOUT_S = 600.0
_TIMED = "timed"


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
    if a.timed and b.timed:
        command.append(_TIMED)
    try:
        done = subprocess.run(
            command,
            input=msgspec.json.encode(_common(a.names, b.names)),
            capture_output=True,
            check=True,
            timeout=_TIMEOUT_S,
        )
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
        labels=_pairs(_by_name(a), _by_name(b)),
        quarantined=_pairs(a.quarantined, b.quarantined),
        **{name: getattr(found, name) for name in _Content.__struct_fields__},
    )


def content(a: Path, b: Path, names: Names, *, timed: bool) -> _Content:
    """The same of the files alone; in memory are 8 bytes a row and one column.

    Args:
        a: The rows of the first version.
        b: Those of the second.
        names: Texts of categories and classes by their numbers, by column.
        timed: Whether a row's time is its own; if not, it is only its place in the source.

    Raises:
        DataError: One of them is no dataset version.
    """
    names_a, names_b = column_names(a), column_names(b)
    common = [name for name in names_a if name in names_b]
    added, removed = exchanged(a, b, timed=timed)
    return _Content(
        rows=Pair(a=pq.read_metadata(a).num_rows, b=pq.read_metadata(b).num_rows),
        added=added,
        removed=removed,
        columns_added=[_plain(name) for name in names_b if name not in names_a],
        columns_removed=[_plain(name) for name in names_a if name not in names_b],
        columns=sorted(
            (
                drift.shift(
                    drift.Column(
                        _plain(name), "", _values(a, name), _values(b, name), names.get(name, {})
                    )
                )
                for name in common
                if name.startswith("x.") or name == "label"
            ),
            key=lambda shift: -shift.psi,
        ),
    )


def _common(a: Names, b: Names) -> Names:
    """The names that both versions have given the same numbers."""
    return {column: names for column, names in b.items() if a.get(column) == names}


def _by_name(one: Dataset) -> dict[str, int]:
    names = one.names.get("label", {})
    return {names.get(number, number): count for number, count in one.labels.items()}


def _pairs(a: dict[str, int], b: dict[str, int]) -> dict[str, Pair]:
    return {name: Pair(a=a.get(name, 0), b=b.get(name, 0)) for name in sorted({*a, *b})}


def _plain(name: str) -> str:
    return name.removeprefix("x.").removeprefix("g.")


def _values(path: Path, name: str) -> npt.NDArray[np.float32]:
    column = pq.read_table(path, columns=[name]).column(name)
    values: npt.NDArray[np.float32] = column.to_numpy().astype(np.float32)
    return values


if __name__ == "__main__":
    first, second, *timed = sys.argv[1:]
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Names)
    found = content(Path(first), Path(second), given, timed=timed == [_TIMED])
    sys.stdout.buffer.write(msgspec.json.encode(found))
