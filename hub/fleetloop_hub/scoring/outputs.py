"""Writes tables into a file piece by piece; the file has its name only when it is whole."""

import contextlib
import errno
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from fleetloop_hub.errors import DataError
from fleetloop_shared.durable import RealDisk, discard, publish
from fleetloop_shared.errors import DiskFullError


class Output(ABC):
    """A file that grows, all pieces of it with the same columns."""

    @abstractmethod
    def write(self, table: pa.Table) -> None:
        """Add rows."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file."""


class _Arrow(Output):
    """CSV or Parquet, by pyarrow's writer."""

    def __init__(self, writer: pq.ParquetWriter | pa_csv.CSVWriter) -> None:
        self._writer = writer

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()


class Lines(Output):
    """One JSON object a line."""

    def __init__(self, path: Path) -> None:
        """Write into this file, which is made by the first line."""
        self._path = path
        self._file: BinaryIO | None = None

    def write(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            self.add(row)

    def add(self, row: object) -> None:
        """Add one object."""
        if self._file is None:
            self._file = self._path.open("wb")
        self._file.write(msgspec.json.encode(row) + b"\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def open_output(path: Path, part: Path, schema: pa.Schema) -> Output:
    """The writer for a file, by the end of its name.

    Raises:
        DataError: The name says no form.
    """
    match path.suffix.lower():
        case ".csv":
            return _Arrow(pa_csv.CSVWriter(part, schema))
        case ".parquet":
            return _Arrow(pq.ParquetWriter(part, schema, compression="zstd"))
        case ".jsonl":
            part.touch()
            return Lines(part)
        case _:
            raise DataError(f"{path}: end its name with .csv, .parquet or .jsonl")


@contextlib.contextmanager
def whole_or_not_at_all(*paths: Path) -> Iterator[dict[Path, Path]]:
    """Parts under which to write files; they get their names together, or are taken away.

    A path whose part was not written is removed in the end: it would be of another run.

    Raises:
        DiskFullError: No room; what was there before still is.
        DataError: A file cannot be written.
    """
    parts = {path: path.with_name(f".{path.name}.part") for path in paths}
    try:
        yield parts
        for path, part in parts.items():
            disk = RealDisk(path.parent)
            if part.exists():
                publish(disk, part, path)
            elif path.exists():
                discard(disk, path)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError(
                f"no room to write {paths[0]}: free some space; what was there is as it was"
            ) from error
        raise DataError(
            f"{paths[0]} cannot be written ({error}); what was there is as it was"
        ) from error
    finally:
        for part in parts.values():
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
