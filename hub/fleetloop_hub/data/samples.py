"""Rows that devices have seen, with labels that came later, as rows of a dataset version."""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandera.pandas import DataFrameSchema

from fleetloop_hub.data.chunk import CHUNK_ROWS
from fleetloop_hub.data.columns import texts
from fleetloop_hub.data.keys import Keys, hashed
from fleetloop_hub.data.labels import not_whole
from fleetloop_hub.data.parquet import dataset_schema, group_column
from fleetloop_hub.data.prepare import Prepared, Refused, bounded
from fleetloop_hub.data.schema import AT, LABEL, failures, feature_column, schema
from fleetloop_hub.spec.labels import class_numbers
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.telemetry_records import LabelledSample

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]


def device_names(devices: pa.Array, origins: pa.Array) -> pa.Array:
    """What names a row that a device has seen: device and prediction id."""
    return pc.binary_join_element_wise(devices, origins, "\n")


def prepare(
    samples: Iterable[LabelledSample], spec: ModelSpec, keys: Keys, labels: set[float]
) -> Iterator[Prepared]:
    """The samples that are not there already, piece by piece.

    Args:
        samples: Rows that devices have served, with their truth.
        spec: The spec; values are in its units already, categories are their places.
        keys: The names, as of `device_names`, of samples that are there already.
        labels: The labels that sources have borne; a class that none of them has is quarantined.
    """
    known = set(map(float, class_numbers(spec.label))) or labels
    checks = schema(spec, label_needed=True)
    pending = iter(samples)
    while piece := list(islice(pending, CHUNK_ROWS)):
        names = device_names(
            pa.array([s.device for s in piece], pa.string()),
            pa.array([s.sample.prediction_id for s in piece], pa.string()),
        )
        fresh = np.flatnonzero(~keys.taken(hashed(names)))
        yield _prepared([piece[k] for k in fresh], spec, checks, known)


def _prepared(
    piece: list[LabelledSample], spec: ModelSpec, checks: DataFrameSchema, known: set[float]
) -> Prepared:
    width = len(spec.features)
    fitting = np.array([len(s.sample.values) == width for s in piece], bool)
    values = np.full((len(piece), width), np.nan)
    for row in np.flatnonzero(fitting):
        values[row] = [np.nan if v is None else v for v in piece[row].sample.values]  # noqa: PD011  # no frame
    columns = {
        feature_column(f.name): bounded(values[:, k], f) for k, f in enumerate(spec.features)
    }
    at = np.array([s.sample.at for s in piece], float)
    label = np.array([s.label.label for s in piece], float)
    wrong: list[tuple[str, Truths]] = []
    if not fitting.all():
        wrong.append((f"not {width} values", ~fitting))
    if spec.model.task != "regression":
        unseen = ~np.isin(label, list(known)) if known else np.zeros(len(piece), bool)
        name = spec.label.column or "label"
        wrong.append((f"{name} never seen before", unseen | not_whole(label)))
    frame = pd.DataFrame({**columns, AT: at, LABEL: label}, copy=False)
    wrong += [(reason, rows & fitting) for (_, reason), rows in failures(frame, checks).items()]
    good = np.ones(len(piece), bool)
    for _, rows in wrong:
        good &= ~rows
    refused = [
        Refused(
            "",
            piece[row].device,
            piece[row].sample.prediction_id,
            msgspec.json.encode([piece[row].sample, piece[row].label]).decode(),
            [reason for reason, rows in wrong if rows[row]],
        )
        for row in np.flatnonzero(~good)
    ]
    kept = [piece[row] for row in np.flatnonzero(good)]
    return Prepared(_table(kept, columns, good, spec), refused)


def _table(
    kept: list[LabelledSample], columns: dict[str, Floats], good: Truths, spec: ModelSpec
) -> pa.Table:
    form = dataset_schema(spec)
    at = np.array([s.sample.at for s in kept], float)
    known_at = np.array([s.label.at for s in kept], float)
    filled = {
        "at": at,
        "label": np.array([s.label.label for s in kept], float),
        "label_at": np.maximum(at, np.where(np.isfinite(known_at), known_at, at)),
        "device": pa.array([s.device for s in kept], pa.string()),
        "source": pa.array([""] * len(kept), pa.string()),
        "origin": pa.array([s.sample.prediction_id for s in kept], pa.string()),
        "key": pa.nulls(len(kept), pa.string()),
    }
    for name, values in columns.items():
        filled[name] = values[good].astype(np.float32)
    for name in spec.group_columns:
        filled[group_column(name)] = _group(name, columns, good, spec)
    return pa.table({n: filled[n] for n in form.names}, schema=form)


def _group(name: str, columns: dict[str, Floats], good: Truths, spec: ModelSpec) -> pa.Array:
    """What parts the rows, where it is a feature; a device sends nothing else."""
    count = int(good.sum())
    feature = next((f for f in spec.features if f.name == name), None)
    if feature is None:
        return pa.array([""] * count, pa.string())
    values = columns[feature_column(name)][good]
    if feature.kind == "category":
        listed = [*feature.categories, ""]
        places = np.where(np.isfinite(values) & (values >= 0), values, len(listed) - 1)
        return pa.array([listed[min(int(p), len(listed) - 1)] for p in places], pa.string())
    source = (values - feature.offset) / feature.scale
    return texts(pa.array(source)).fill_null("")
