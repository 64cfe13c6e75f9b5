"""Rows on their way into a dataset version: kept on disk as they come, given out in time order.

In memory are 17 bytes a row, its place in time and what it is, beside one chunk; the rows
themselves lie in an Arrow file that is mapped, so that the system drops and reads pages as it can.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Order = npt.NDArray[np.int64]

_TAKE_ROWS = 65_536


class Staging:
    """Rows in the order in which they come."""

    def __init__(self, path: Path, form: pa.Schema) -> None:
        """Open the file; it is the caller's to remove."""
        self._path = path
        self._writer = pa.ipc.new_file(path, form)
        self._at: list[Floats] = []
        self._seen: list[npt.NDArray[np.bool_]] = []
        self.rows = 0

    def add(self, rows: pa.Table) -> None:
        """Take rows."""
        self._writer.write_table(rows)
        self._at.append(rows.column("at").to_numpy())
        self._seen.append(np.asarray(pc.not_equal(rows.column("device"), "")))
        self.rows += rows.num_rows

    def finish(self) -> "Staged":
        """No more rows come."""
        self.close()
        at = np.concatenate(self._at) if self._at else np.zeros(0)
        seen = np.concatenate(self._seen) if self._seen else np.zeros(0, bool)
        return Staged(self._path, at, seen)

    def close(self) -> None:
        """Let go of the file."""
        self._writer.close()


class Staged:
    """Rows that can be had in any order."""

    def __init__(self, path: Path, at: Floats, seen: npt.NDArray[np.bool_]) -> None:
        """Map the file.

        Args:
            path: The file.
            at: Each row's place in time.
            seen: Whether a device has seen it.
        """
        with pa.memory_map(str(path)) as file:
            self._table = pa.ipc.open_file(file).read_all()
        self.at, self.seen = at, seen

    def column(self, name: str) -> pa.ChunkedArray:
        """One column, in the order in which the rows came."""
        return self._table.column(name)

    def in_time_order(self) -> Order:
        """The source's rows, then the devices' rows, each by time; equal times keep their order.

        The two are not compared: a source may count days, where devices tell Unix seconds.
        """
        order: Order = np.lexsort((self.at, self.seen))
        return order

    def take(self, order: Order) -> Iterator[tuple[Order, pa.Table]]:
        """Some rows in some order, piece by piece, with the places they have here."""
        for start in range(0, len(order), _TAKE_ROWS):
            places = order[start : start + _TAKE_ROWS]
            first = int(places[0])
            if np.array_equal(places, np.arange(first, first + len(places))):
                yield places, self._table.slice(first, len(places))
            else:
                yield places, self._table.take(pa.array(places))
