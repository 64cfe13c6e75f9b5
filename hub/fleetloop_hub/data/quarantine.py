"""Rows that are kept out of a dataset version: none is dropped, each is kept with its reasons."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fleetloop_hub.data.prepare import Refused
from fleetloop_hub.dataset_parts import Fault
from fleetloop_hub.errors import DataError

_FORM = pa.schema(
    [
        ("source", pa.string()),
        ("device", pa.string()),
        ("origin", pa.string()),
        ("raw", pa.string()),
        ("reasons", pa.list_(pa.string())),
    ]
)
_EXAMPLES = 5
_EXAMPLE_CHARS = 200
_MOST_FAULTS = 10_000


class Quarantine:
    """Writes quarantined rows, and counts what they failed."""

    def __init__(self, path: Path) -> None:
        """Nothing is written before the first row comes."""
        self.path = path
        self.rows = 0
        self._writer: pq.ParquetWriter | None = None
        self._counts: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, refused: list[Refused]) -> None:
        """Keep rows."""
        if not refused:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, _FORM, compression="zstd")
        self.rows += len(refused)
        for row in refused:
            for reason in row.reasons:
                self._count(reason, row)
        columns = {name: [getattr(row, name) for row in refused] for name in _FORM.names}
        self._writer.write_table(pa.table(columns, schema=_FORM))

    def close(self) -> None:
        """Finish the file, if there is one."""
        if self._writer is not None:
            self._writer.close()

    def faults(self) -> list[Fault]:
        """What rows have failed, the commonest first."""
        return [
            Fault(reason=reason, rows=count, examples=self._examples[reason])
            for reason, count in sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        ]

    def _count(self, reason: str, row: Refused) -> None:
        self._counts[reason] = self._counts.get(reason, 0) + 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            where = (
                f"{row.source} line {row.origin}"
                if not row.device
                else f"{row.device} {row.origin}"
            )
            examples.append(f"{where}: {row.raw[:_EXAMPLE_CHARS]}")


def read(path: Path) -> Iterator[list[Refused]]:
    """Quarantined rows, some at a time.

    Raises:
        DataError: The file holds none.
    """
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield [Refused(**row) for row in batch.to_pylist()]
    except (pa.ArrowException, OSError, TypeError) as error:
        raise DataError(f"not a file of quarantined rows: {error}; add the data again") from error
