"""Trained models with their manifests, and their rows as files, for tests of batch scoring."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
from onnxruntime.quantization import quantize_dynamic

from fleetloop_hub.packaging.assembly import Origin, World, assemble, signature
from fleetloop_hub.packaging.files import files
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.spec.scalars import Family
from fleetloop_shared.manifest import Manifest
from support.families import KINDS, fitted, rows_for, spec_for

Row = dict[str, float | str | None]

NAMES = ("a", "b", "c", "d")
CATEGORIES = ("x", "y", "z")


@cache
def released(kind: str, family: Family) -> tuple[Manifest, bytes]:
    """A fitted model as it would be released, with three numbers and a category."""
    spec, (task, classes) = spec_for(kind), KINDS[kind]
    positive = 1 if len(classes) == 2 else -1
    data = min(_files(kind, family).values(), key=len)
    span = (800.0, 1_200.0) if task == "regression" else (0.0, 1.0)
    form = signature(spec, classes, 0.4 if positive == 1 else 0.0, span)
    return described(kind, data, form)


def described(kind: str, data: bytes, form: object = None) -> tuple[Manifest, bytes]:
    """An artifact for rows of a kind, with its manifest."""
    spec, (_, classes) = spec_for(kind), KINDS[kind]
    form = form or signature(spec, classes, 0.4, (0.0, 1.0))
    values = rows_for(kind).values
    origin = Origin(version=3, floor=0, dataset="0" * 64, run="m-1", created_at=0.0)
    return assemble(spec, form, data, World(values, values), origin)[0], data  # type: ignore[arg-type]  # a signature


def quantized(folder: Path) -> tuple[Manifest, bytes]:
    """A network whose activations are quantized by what is in a batch."""
    (folder / "float.onnx").write_bytes(_files("two classes", "mlp")["float32"])
    quantize_dynamic(folder / "float.onnx", folder / "int8.onnx")
    assert any(
        node.op_type == "DynamicQuantizeLinear"
        for node in onnx.load(folder / "int8.onnx").graph.node
    )
    return described("two classes", (folder / "int8.onnx").read_bytes())


def _files(kind: str, family: Family) -> dict[str, bytes]:
    positive = 1 if len(KINDS[kind][1]) == 2 else -1
    return dict(files(fitted(kind, family)[0], Head(positive=positive)))


def rows_of(kind: str, count: int = 200) -> list[Row]:
    """Rows as an application would give them to a device: missing values, unknown categories."""
    values = rows_for(kind, count, seed=1).values.astype(np.float64)
    rows: list[Row] = []
    for number, (a, b, c, d) in enumerate(values.tolist()):
        category = None if number % 17 == 0 else "new" if number % 13 == 0 else CATEGORIES[int(d)]
        rows.append({"a": a, "b": b, "c": None if np.isnan(c) else c, "d": category})
    return rows


def write(path: Path, rows: list[Row], **kept: list[object]) -> Path:
    """Rows with more columns beside them, in the form that the file's name says."""
    columns = {**kept, **{name: [row[name] for row in rows] for name in NAMES}}
    if path.suffix == ".parquet":
        pq.write_table(pa.table(columns), path)
        return path
    table = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")
    else:
        lines = [",".join("" if v is None else str(v) for v in row.values()) for row in table]
        path.write_text("\n".join([",".join(columns), *lines]) + "\n", "utf-8")
    return path
