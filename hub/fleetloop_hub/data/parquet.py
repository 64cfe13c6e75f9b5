"""A dataset version as one Parquet file: usable rows in time order; equal rows give equal bytes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.model_spec import ModelSpec

GROUP_ROWS = 65_536
"""Rows of a row group; part of what makes equal rows equal bytes."""

_TEXTS = ("device", "source", "origin", "key")


def dataset_schema(spec: ModelSpec) -> pa.Schema:
    """The columns of a dataset version.

    at, label (NaN where unknown), label_at; device ("" for a source), source ("" for a device),
    origin (line or prediction id), key; `x.` and a feature's name, a category as its place; `g.`
    and the name of a column that parts the rows. The model's name is part of the bytes, so that two
    models never share a version.
    """
    own = [(name, pa.float64()) for name in ("at", "label", "label_at")]
    own += [(name, pa.string()) for name in _TEXTS]
    features = [(f"x.{name}", pa.float32()) for name in spec.feature_names]
    groups = [(group_column(name), pa.string()) for name in spec.group_columns]
    return pa.schema([*own, *features, *groups], metadata={"model": spec.model.name})


def group_column(name: str) -> str:
    """What a column that parts the rows is called among a dataset version's columns."""
    return f"g.{name}"


class Writer:
    """Writes rows in the order in which they come, in row groups of equal size."""

    def __init__(self, path: Path, form: pa.Schema) -> None:
        """Open the file.

        Raises:
            OSError: It cannot be written.
        """
        self._form = form
        self._held: list[pa.Table] = []
        self._held_rows = 0
        floats = [f.name for f in form if not pa.types.is_string(f.type)]
        texts = [f.name for f in form if pa.types.is_string(f.type) and f.name != "origin"]
        self._writer = pq.ParquetWriter(
            path,
            form,
            compression="zstd",
            use_dictionary=texts,
            use_byte_stream_split=floats,
            write_statistics=["at"],
        )

    def write(self, rows: pa.Table) -> None:
        """Add rows."""
        self._held.append(rows)
        self._held_rows += rows.num_rows
        while self._held_rows >= GROUP_ROWS:
            table = pa.concat_tables(self._held)
            self._put(table.slice(0, GROUP_ROWS))
            self._held = [table.slice(GROUP_ROWS)]
            self._held_rows = table.num_rows - GROUP_ROWS

    def close(self) -> None:
        """Write what is left, and finish the file."""
        if self._held_rows:
            self._put(pa.concat_tables(self._held))
        self._writer.close()

    def _put(self, table: pa.Table) -> None:
        """One row group from one piece of memory, whatever pieces it came in."""
        plain = [_same_nan(column) for column in table.columns]
        self._writer.write_table(pa.table(plain, schema=self._form), row_group_size=GROUP_ROWS)


def batches(path: Path) -> Iterator[pa.Table]:
    """The rows of a dataset version, a row group at a time.

    Raises:
        DataError: It is none.
    """
    try:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, use_threads=True)
    except (pa.ArrowException, OSError) as error:
        raise no_version(error) from error


def read_frame(path: Path, spec: ModelSpec) -> Frame:
    """The rows of a dataset version that can be trained on.

    Rows whose label has not come yet are left out, but for an anomaly model, which needs none.

    Raises:
        DataError: It is no dataset version, or one of other columns.
    """
    form = dataset_schema(spec)
    try:
        with pq.ParquetFile(path) as file:
            missing = [name for name in form.names if name not in file.schema_arrow.names]
            if missing:
                raise no_version(f"it has no {', '.join(missing)}")
            parts = [
                _frame(file.read_row_group(group, columns=form.names), spec)
                for group in range(file.num_row_groups)
            ]
    except (pa.ArrowException, OSError) as error:
        raise no_version(error) from error
    return _joined(parts or [_frame(form.empty_table(), spec)])


def _frame(table: pa.Table, spec: ModelSpec) -> Frame:
    label = table.column("label").to_numpy()
    values = np.empty((table.num_rows, len(spec.features)), np.float32)
    for place, name in enumerate(spec.feature_names):
        values[:, place] = table.column(f"x.{name}").to_numpy()
    frame = Frame(
        values=values,
        label=label,
        at=table.column("at").to_numpy(),
        label_at=table.column("label_at").to_numpy(),
        device=_texts(table.column("device")),
        groups={name: _texts(table.column(group_column(name))) for name in spec.group_columns},
    )
    return frame if spec.model.task == "anomaly" else frame.take(~np.isnan(label))


def _joined(parts: list[Frame]) -> Frame:
    return Frame(
        values=np.concatenate([p.values for p in parts]),
        label=np.concatenate([p.label for p in parts]),
        at=np.concatenate([p.at for p in parts]),
        label_at=np.concatenate([p.label_at for p in parts]),
        device=np.concatenate([p.device for p in parts]),
        groups={name: np.concatenate([p.groups[name] for p in parts]) for name in parts[0].groups},
    )


def _texts(column: pa.ChunkedArray) -> npt.NDArray[np.str_]:
    """Text as numpy has it; each different one is made once."""
    encoded = pc.dictionary_encode(column.combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    words = np.array(encoded.dictionary.to_pylist() or [""], dtype=np.str_)
    found: npt.NDArray[np.str_] = words[encoded.indices.to_numpy()]
    return found


def _same_nan(column: pa.ChunkedArray) -> pa.Array:
    """The column with one kind of NaN."""
    flat = column.combine_chunks()
    if not pa.types.is_floating(flat.type):
        return flat
    values = flat.to_numpy(zero_copy_only=False)
    return pa.array(np.where(np.isnan(values), np.array(np.nan, values.dtype), values))


def no_version(why: object) -> DataError:
    """The error for a file that is no dataset version of a spec."""
    return DataError(
        f"not a dataset version of this spec: {why}; read the sources again with the spec as it is "
        "now: fleetloop data add SPEC.toml"
    )
