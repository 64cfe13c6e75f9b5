"""Writes staged rows as a dataset version: in time order, labelled, counted and compared."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fleetloop_hub.data import drift, late, parquet
from fleetloop_hub.data.files import sha256_of
from fleetloop_hub.data.quarantine import Quarantine
from fleetloop_hub.data.staging import Order, Staged
from fleetloop_hub.data.windows import Window
from fleetloop_hub.dataset_parts import Shift, SourceMark
from fleetloop_hub.errors import DataError
from fleetloop_hub.records import Dataset
from fleetloop_hub.spec.labels import names_by_number, positive_number
from fleetloop_hub.spec.model_spec import ModelSpec

Floats = npt.NDArray[np.float64]

_NAMED_SOURCES = 3


@dataclass(frozen=True)
class Ready:
    """Everything a version is made of.

    Attributes:
        staged: Its rows, as they came; those of before first.
        old_rows: How many those are.
        late: Late labels, if there are any.
        quarantine: The rows that are kept out, written already.
        marks: What was read of each source.
        parent: The version it grows from.
        window: Which rows it keeps; None for all.
    """

    staged: Staged
    old_rows: int
    late: pa.Table | None
    quarantine: Quarantine
    marks: list[SourceMark]
    parent: str | None
    window: Window | None


@dataclass(frozen=True)
class Built:
    """A version in the folder in which it was built.

    Attributes:
        dataset: Its record; not dated yet, and its files are named by their hashes.
        rows: The file of its rows.
        quarantine: The file of the rows that were kept out, if there are any.
        late: The file of the late labels, if there are any.
    """

    dataset: Dataset
    rows: Path
    quarantine: Path | None
    late: Path | None


@dataclass
class _Counted:
    """What is counted while rows are written."""

    labels: Counter[float]
    sources: Counter[str]
    devices: set[str]
    device_rows: int = 0
    rows: int = 0
    waiting: int = 0


def finish(spec: ModelSpec, ready: Ready, work: Path) -> Built:
    """Write the version's files.

    Raises:
        DataError: No row is left to train on.
    """
    staged = ready.staged
    label, known_at = _labels(spec, ready)
    needs_label = spec.model.task != "anomaly"
    order = staged.in_time_order()
    words = ""
    if ready.window is not None:
        usable = ~np.isnan(label) if needs_label else np.ones(len(label), bool)
        order, words = ready.window.kept(order, usable, staged.at, staged.seen)
    counted = _write(spec, staged, order, (label, known_at), work / "rows.parquet")
    faults = ready.quarantine.faults()
    if not counted.rows:
        raise DataError(_nothing_left(ready, counted, {f.reason: f.rows for f in faults}))
    kept_out = work / "quarantine.parquet" if ready.quarantine.rows else None
    labels_file = None
    if ready.late is not None:
        labels_file = work / "late.parquet"
        pq.write_table(ready.late, labels_file, compression="zstd")
    positive = positive_number(spec) if spec.model.task == "classification" else 1
    dataset = Dataset(
        key=sha256_of(work / "rows.parquet"),
        model=spec.model.name,
        source=_in_words(counted),
        rows=counted.rows,
        positives=counted.labels[float(positive)] if spec.model.task != "regression" else 0,
        quarantined=dict(sorted((f.reason, f.rows) for f in faults)),
        parent=ready.parent,
        created_at=0.0,
        quarantined_rows=ready.quarantine.rows,
        waiting=counted.waiting,
        added=len(staged.at) - ready.old_rows,
        timed=spec.rows.time is not None,
        labels=_class_counts(spec, counted),
        names=_names(spec),
        sources=ready.marks,
        quarantine=None if kept_out is None else sha256_of(kept_out),
        late_labels=None if labels_file is None else sha256_of(labels_file),
        faults=faults,
        drift=_drift(spec, ready, label),
        window=words,
    )
    return Built(dataset, work / "rows.parquet", kept_out, labels_file)


def _labels(spec: ModelSpec, ready: Ready) -> tuple[Floats, Floats]:
    """Every staged row's label, and when it became known."""
    label = np.array(ready.staged.column("label").to_numpy())
    known_at = np.array(ready.staged.column("label_at").to_numpy())
    if spec.label.late is not None:  # a label may have gone to a row than which a newer has come
        of_source = ~ready.staged.seen
        label[of_source], known_at[of_source] = np.nan, ready.staged.at[of_source]
    if ready.late is not None and spec.label.late is not None and ready.late.num_rows:
        keys = ready.staged.column("key")
        joined = late.join(ready.late, keys, ready.staged.at, spec.label.late.within_s)
        label[joined.rows], known_at[joined.rows] = joined.label, joined.known_at
    return label, known_at


def _write(
    spec: ModelSpec, staged: Staged, order: Order, labels: tuple[Floats, Floats], path: Path
) -> _Counted:
    counted = _Counted(Counter(), Counter(), set())
    writer = parquet.Writer(path, parquet.dataset_schema(spec))
    try:
        for places, rows in staged.take(order):
            label, known_at = labels[0][places], labels[1][places]
            at_label, at_known = (rows.column_names.index(n) for n in ("label", "label_at"))
            written = rows.set_column(at_label, "label", pa.array(label))
            writer.write(written.set_column(at_known, "label_at", pa.array(known_at)))
            _count(counted, rows, label, needs_label=spec.model.task != "anomaly")
    finally:
        writer.close()
    return counted


def _count(counted: _Counted, rows: pa.Table, label: Floats, *, needs_label: bool) -> None:
    known = ~np.isnan(label)
    usable = known if needs_label else np.ones(len(label), bool)
    counted.rows += int(usable.sum())
    counted.waiting += int((~usable).sum())
    values, times = np.unique(label[known], return_counts=True)
    if len(values) + len(counted.labels) <= _MOST_CLASSES:
        for value, count in zip(values.tolist(), times.tolist(), strict=True):
            counted.labels[value] += count
    trained = rows.select(["source", "device"]).filter(pa.array(usable))
    for name, count in _value_counts(trained.column("source")):
        if name:
            counted.sources[name] += count
    for name, count in _value_counts(trained.column("device")):
        if name:
            counted.devices.add(name)
            counted.device_rows += count


_MOST_CLASSES = 1_000


def _value_counts(column: pa.ChunkedArray) -> list[tuple[str, int]]:
    return [(v["values"], v["counts"]) for v in pc.value_counts(column).to_pylist()]


def _class_counts(spec: ModelSpec, counted: _Counted) -> dict[str, int]:
    if spec.model.task == "regression":
        return {}
    return {f"{value:g}": count for value, count in sorted(counted.labels.items())}


def _names(spec: ModelSpec) -> dict[str, dict[str, str]]:
    """What stands behind the numbers of each column of texts."""
    found = {
        f"x.{f.name}": {str(place): text for place, text in enumerate(f.categories)}
        for f in spec.features
        if f.kind == "category"
    }
    return {**found, "label": classes} if (classes := names_by_number(spec)) else found


def _in_words(counted: _Counted) -> str:
    parts = []
    if counted.device_rows:
        devices = len(counted.devices)
        plural = "" if devices == 1 else "s"
        parts.append(f"{counted.device_rows:,} labelled rows from {devices} device{plural}")
    if len(counted.sources) > _NAMED_SOURCES:
        parts.append(f"{counted.sources.total():,} rows of {len(counted.sources)} sources")
    else:
        parts += [f"{count:,} rows of {name}" for name, count in sorted(counted.sources.items())]
    return ", ".join(parts)


def _nothing_left(ready: Ready, counted: _Counted, faults: dict[str, int]) -> str:
    where = ", ".join(mark.words for mark in ready.marks) or "the sources"
    if not faults and not counted.waiting:
        return f"{where}: there is a header and no row; nothing was stored: add rows"
    waiting = f"; {counted.waiting:,} rows wait for their label" if counted.waiting else ""
    examples = "; ".join(f.examples[0] for f in ready.quarantine.faults()[:3])
    return (
        f"{where}: no row is left to train on; quarantined: {faults}{waiting}; nothing was stored: "
        f"correct the rows, or the spec. The first: {examples}"
    )


def _drift(spec: ModelSpec, ready: Ready, label: Floats) -> list[Shift]:
    """The new rows against those of before, the largest change first."""
    old = ready.old_rows
    if old == 0 or len(label) - old < drift.FEWEST_ROWS:
        return []
    names = _names(spec)
    columns = [
        drift.Column(f.name, f.unit, values[:old], values[old:], names.get(f"x.{f.name}", {}))
        for f in spec.features
        for values in [ready.staged.column(f"x.{f.name}").to_numpy()]
    ]
    if spec.label.column is not None:
        values = label.astype(np.float32)
        classes = names.get("label", {})
        columns.append(drift.Column(spec.label.column, "", values[:old], values[old:], classes))
    return sorted((drift.shift(c) for c in columns), key=lambda s: -s.psi)
