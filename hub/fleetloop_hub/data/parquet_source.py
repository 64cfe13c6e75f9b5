"""Reads a Parquet file in chunks; one that would unpack to more than memory holds is refused."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fleetloop_hub.data.chunk import CHUNK_ROWS, Chunk
from fleetloop_hub.data.files import Blocks
from fleetloop_hub.data.wanted import Wanted, check_header
from fleetloop_hub.dataset_parts import SourceMark
from fleetloop_hub.errors import DataError

MOST_GROUP_BYTES = 2 * 2**30
MOST_GROUP_ROWS = 2**24
"""A row group that says it is larger than this is not read; writers make some 128 MB."""

MOST_ROWS = 2**31


def read(path: Path, words: str, wanted: Wanted) -> Iterator[Chunk]:
    """The file's rows in the file's order.

    Raises:
        DataError: It is no Parquet file, a damaged one, or one too large to be true.
    """
    blocks = Blocks(path, None)
    for _ in blocks:
        pass
    mark = SourceMark(words=words, sha256=blocks.sha256, bytes=blocks.read_bytes, rows=0)
    try:
        with pq.ParquetFile(path) as file:
            _see_size(words, file.metadata)
            check_header(words, list(file.schema_arrow.names), wanted)
            total, rows = file.metadata.num_rows, 0
            for batch in file.iter_batches(CHUNK_ROWS, columns=wanted.columns):
                table = pa.Table.from_batches([batch]).select(wanted.columns)
                first, rows = rows + 1, rows + table.num_rows
                yield Chunk(
                    table=table,
                    lines=np.arange(first, rows + 1, dtype=np.int64),
                    raw=partial(as_text, table),
                    mark=SourceMark(words=words, sha256=mark.sha256, bytes=mark.bytes, rows=rows),
                    share=rows / max(total, 1),
                )
            if rows != total:
                raise DataError(
                    f"{words} says that it has {total:,} rows, and has {rows:,}; nothing was "
                    "stored: write the file again"
                )
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{words} is no Parquet file, or a damaged one ({error}); nothing was stored: write "
            "the file again"
        ) from error


def as_text(table: pa.Table, row: int) -> str:
    """A row as JSON, for a report."""
    return json.dumps(table.slice(row, 1).to_pylist()[0], default=str, ensure_ascii=False)


def _see_size(words: str, metadata: pq.FileMetaData) -> None:
    groups = [metadata.row_group(k) for k in range(metadata.num_row_groups)]
    largest_bytes = max((_unpacked_bytes(g) for g in groups), default=0)
    largest_rows = max((g.num_rows for g in groups), default=0)
    if largest_bytes > MOST_GROUP_BYTES or largest_rows > MOST_GROUP_ROWS:
        raise DataError(
            f"{words}: a row group unpacks to {largest_bytes / 2**20:,.0f} MB and "
            f"{largest_rows:,} rows; {MOST_GROUP_BYTES / 2**20:,.0f} MB and {MOST_GROUP_ROWS:,} "
            "rows can be read: nothing was stored; write the file with smaller row groups"
        )
    if metadata.num_rows > MOST_ROWS:
        raise DataError(f"{words} says that it has {metadata.num_rows:,} rows; split it")


def _unpacked_bytes(group: pq.RowGroupMetaData) -> int:
    columns = (group.column(k).total_uncompressed_size for k in range(group.num_columns))
    return int(max(group.total_byte_size, sum(columns)))
