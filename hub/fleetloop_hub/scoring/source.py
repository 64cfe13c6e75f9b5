"""Reads a file that is to be scored, in chunks, with every column it has."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fleetloop_hub.data import columns, csv_source, jsonl_source, parquet_source
from fleetloop_hub.data.chunk import Chunk
from fleetloop_hub.data.wanted import Wanted
from fleetloop_hub.drafting import sample
from fleetloop_hub.errors import DataError
from fleetloop_shared.manifest import Signature


@dataclass(frozen=True)
class Source:
    """A file and what of it the model takes.

    Attributes:
        path: The file.
        kept: The columns that the model does not take; they go into the output as they are.
        numbers: The features that are numbers.
        features: All features.
        delimiter: Of a CSV file.
    """

    path: Path
    kept: pa.Schema
    numbers: frozenset[str]
    features: list[str]
    delimiter: str

    def chunks(self) -> Iterator[Chunk]:
        """Its rows, in its order.

        Raises:
            DataError: It cannot be read, or lacks a feature.
        """
        wanted = Wanted([*self.features, *self.kept.names], self.numbers, None)
        match sample.form_of(self.path):
            case "csv":
                return csv_source.read(self.path, self.path.name, wanted, self.delimiter, None)
            case "parquet":
                return parquet_source.read(self.path, self.path.name, wanted)
            case "jsonl":
                return jsonl_source.read(self.path, self.path.name, wanted, None)

    def kept_of(self, chunk: Chunk) -> list[pa.ChunkedArray]:
        """The kept columns of a chunk, each of its kind."""
        found = []
        for field in self.kept:
            column = chunk.table.column(field.name)
            if column.type != field.type:
                column = pa.chunked_array([columns.texts(column)])
            found.append(column)
        return found


def open_source(path: Path, signature: Signature, delimiter: str) -> Source:
    """A file, seen to have the model's features.

    Raises:
        DataError: It cannot be read, or lacks a feature; the text names those.
    """
    names = sample.names(path, delimiter)
    features = [feature.name for feature in signature.features]
    absent = [name for name in features if name not in names]
    if absent:
        raise DataError(
            f"{path} lacks {_listed(absent)}, which the model takes; it has {_listed(names)}"
        )
    kept = [
        name for name in dict.fromkeys(names) if name not in features and names.count(name) == 1
    ]
    types = dict.fromkeys(kept, pa.string())
    if sample.form_of(path) == "parquet":
        schema = pq.read_schema(path)
        types = {name: schema.field(name).type for name in kept}
    numbers = frozenset(f.name for f in signature.features if not f.categories)
    return Source(path, pa.schema(list(types.items())), numbers, features, delimiter)


def _listed(names: list[str]) -> str:
    shown = 20
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(map(repr, names[:shown])) + more
