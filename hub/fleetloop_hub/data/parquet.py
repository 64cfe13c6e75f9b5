"""A dataset version as one Parquet file: every row with its origin, the quarantined ones too."""

import io
import math
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types; this is its one home
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # as above

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.data.row import Row
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.model_spec import ModelSpec

_OWN = ("at", "label", "device", "origin", "fault")


def encode(rows: list[Row], names: list[str], model: str) -> bytes:
    """The bytes of a dataset version; equal rows give equal bytes.

    Args:
        rows: In their order.
        names: The features, in the order of a row's values.
        model: What it is for; part of the bytes, so that two models never share a version.
    """
    width = len(names)
    fitting = [r.values if len(r.values) == width else (math.nan,) * width for r in rows]
    with np.errstate(over="ignore"):
        values = np.array(fitting, dtype=np.float32).reshape(len(rows), width)
    columns = {
        "at": pa.array([r.at for r in rows], pa.float64()),
        "label": pa.array([r.label for r in rows], pa.int64()),
        "device": pa.array([r.device for r in rows], pa.string()),
        "origin": pa.array([r.origin for r in rows], pa.string()),
        "fault": pa.array([r.fault for r in rows], pa.string()),
    } | {f"x.{name}": pa.array(values[:, k]) for k, name in enumerate(names)}
    table = pa.table(columns).replace_schema_metadata({"model": model})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def decode(data: bytes, names: list[str]) -> list[Row]:
    """The rows of a dataset version.

    Raises:
        DataError: Not a dataset version, or one of other features.
    """
    try:
        table = pq.read_table(io.BytesIO(data))
        own = [table.column(name).to_pylist() for name in _OWN]
        values = [table.column(f"x.{name}").to_pylist() for name in names]
    except (pa.ArrowException, KeyError, OSError) as error:
        raise DataError(
            f"not a dataset version with the columns {', '.join(names)}: {error}; "
            "read the source again with the spec as it is now"
        ) from error
    features = zip(*values, strict=True) if names else iter(())
    return [
        Row(at, label, tuple(row), device, origin, fault)
        for at, label, device, origin, fault, row in zip(*own, features, strict=True)
    ]


def read_frame(path: Path, spec: ModelSpec) -> Frame:
    """The rows of a dataset version that are not quarantined, as columns.

    Raises:
        DataError: Not a dataset version, or one of other features.
    """
    rows = [row for row in decode(path.read_bytes(), spec.feature_names) if not row.fault]
    at = np.array([row.at for row in rows], np.float64)
    return Frame(
        values=np.array([row.values for row in rows], np.float32).reshape(len(rows), -1),
        label=np.array([math.nan if r.label is None else r.label for r in rows], np.float64),
        at=at,
        label_at=at,
        device=np.array([row.device for row in rows], np.str_),
        groups={},
    )
