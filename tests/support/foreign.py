"""Rows that scikit-learn bundles, in the order in which the exported models have seen them."""

import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import sklearn.datasets

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.packaging.assembly import signature
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.training.imported import Entered, enter
from fleetloop_hub.training.job import Job
from fleetloop_hub.training.split import split
from fleetloop_shared.ids import sha256_hex
from support.learnable import from_csv, job

ONNX = Path(__file__).parents[1] / "golden" / "onnx"
EXPECTED: dict[str, dict[str, Any]] = json.loads((ONNX / "expected.json").read_text())
NAMES = ["barolo", "grignolino", "barbera"]
HELD_OUT = 0.2


@dataclass(frozen=True)
class Rows:
    """One data set, oldest first."""

    x: np.ndarray
    y: np.ndarray

    @property
    def old(self) -> int:
        """How many rows the exported models were fitted on."""
        return round(len(self.y) * (1 - HELD_OUT))


@cache
def rows_of(name: str) -> Rows:
    """The rows, shuffled as they were for the export."""
    data = getattr(sklearn.datasets, f"load_{name}")()
    order = np.random.default_rng(0).permutation(len(data.target))
    return Rows(data.data[order].astype(np.float32), data.target[order])


def spec_text(name: str) -> str:
    """The model spec for one export; nothing is trained by it."""
    expected = EXPECTED[name]
    rows = rows_of(expected["data"])
    classes = f"classes = {NAMES}" if name.endswith("_names") else ""
    features = "\n".join(f'[[features]]\nname = "f{k}"' for k in range(rows.x.shape[1]))
    return f"""
[model]
name = "foreign"
task = "{expected["task"]}"
[[sources]]
csv = "rows.csv"
[rows]
time = "t"
[label]
column = "y"
{classes}
{features}
[gates]
metric = "{expected["metric"]}"
floor = {expected["value"] - (0.3 if expected["task"] == "regression" else 0.15):.3f}
held_out = {HELD_OUT}
[budget]
latency_ms = 50.0
[drift]
window_rows = 16
"""


def write_rows(name: str, folder: Path) -> Path:
    """The rows as the CSV file that the spec names."""
    expected = EXPECTED[name]
    rows, task = rows_of(expected["data"]), expected["task"]
    labels = [str(y) for y in rows.y.tolist()]
    if task == "anomaly":
        labels = [str(int(y == 0)) for y in rows.y.tolist()]
    elif name.endswith("_names"):
        labels = [NAMES[y] for y in rows.y.tolist()]
    header = ",".join(["t", *(f"f{k}" for k in range(rows.x.shape[1])), "y"])
    lines = [
        ",".join([str(t), *map(repr, x), y])
        for t, (x, y) in enumerate(zip(rows.x.astype(float).tolist(), labels, strict=True))
    ]
    path = folder / "rows.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def data_of(name: str) -> bytes:
    """The exported file."""
    return (ONNX / f"{name}.onnx").read_bytes()


@cache
def entered(
    name: str,
    data: bytes | None = None,
    path: Path | None = None,
    change: tuple[str, str] = ("", ""),
) -> Entered:
    """An export that was taken in, without hub, process and gates.

    Args:
        name: The export.
        data: Another file in its place.
        path: Where that lies, if not where it should.
        change: A piece of the spec, and what stands there instead.
    """
    made = data_of(name) if data is None else data
    spec = specs.parse(spec_text(name).replace(*change, 1))
    rows = rows_of(EXPECTED[name]["data"])
    anomaly = spec.model.task == "anomaly"
    label = (rows.y == 0 if anomaly else rows.y).astype(np.float64)
    at = np.arange(len(label), dtype=np.float64)
    frame = Frame(rows.x, label, at, at, np.full(len(label), ""), {})
    classes = [] if spec.model.task == "regression" else sorted({int(y) for y in label})
    form = signature(spec, classes, 0.5, (0.0, 1.0))
    said = Imported(file=f"{name}.onnx", sha256=sha256_hex(made), length_bytes=len(made))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        file.write_bytes(made)
        return enter(said, path or file, spec, split(frame, spec), form)


def import_job(
    name: str,
    blobs: FileBlobs,
    folder: Path,
    data: bytes | None = None,
    **said: Any,  # noqa: ANN401  # fields of `Imported`
) -> Job:
    """The job that imports a file, by default the export itself."""
    made = data_of(name) if data is None else data
    imported = Imported(
        file=f"{name}.onnx", sha256=sha256_hex(made), length_bytes=len(made), **said
    )
    dataset = from_csv(specs.parse(spec_text(name)), write_rows(name, folder), blobs, 1.0)
    plain = job(spec_text(name), dataset, blobs)
    path = str(blobs.path(blobs.put(made)))
    return msgspec.structs.replace(plain, imported=imported, imported_path=path)
