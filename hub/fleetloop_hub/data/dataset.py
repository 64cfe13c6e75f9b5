"""Dataset versions: read from a source, or grown from another with rows that devices have seen."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fleetloop_hub.data import csv_source, parquet
from fleetloop_hub.data.row import Row, checked, in_time_order
from fleetloop_hub.errors import DataError
from fleetloop_hub.ports import Blobs, LabelledSample
from fleetloop_hub.records import Dataset
from fleetloop_hub.spec.fleet_tables import RetrainTable
from fleetloop_hub.spec.model_spec import ModelSpec


def from_csv(spec: ModelSpec, path: Path, blobs: Blobs, now: float) -> Dataset:
    """A dataset version with the rows of a CSV file, kept among the blobs.

    Raises:
        DataError: The file cannot be read as the spec says, or has no row to train on.
    """
    rows = in_time_order(csv_source.read(path, spec))
    return _keep(rows, spec, blobs, source=path.name, parent=None, now=now)


def with_samples(
    spec: ModelSpec,
    parent: Dataset,
    samples: Iterable[LabelledSample],
    blobs: Blobs,
    now: float,
) -> Dataset:
    """A dataset version with the parent's rows and those that devices have seen.

    A prediction that is there already is not added twice. `spec.retrain` says how far back the
    new version reaches; what it leaves behind stays in the parent.

    Raises:
        BlobError: The parent's rows are gone.
        DataError: The parent has other features than the spec.
    """
    old = parquet.decode(blobs.get(parent.key), [f.name for f in spec.features])
    labels = {row.label for row in old if not row.fault}
    known = {(row.device, row.origin) for row in old}
    new: dict[tuple[str, str], Row] = {}
    for labelled in samples:
        row = _row(labelled, labels, spec)
        if (row.device, row.origin) not in known:
            new.setdefault((row.device, row.origin), row)
    rows = _window(in_time_order([*old, *new.values()]), spec.retrain)
    source = _in_words(spec, rows)
    return _keep(rows, spec, blobs, source=source, parent=parent.key, now=now)


def _row(labelled: LabelledSample, labels: set[int | None], spec: ModelSpec) -> Row:
    sample, truth = labelled.sample, labelled.label.label
    label = int(truth) if truth == int(truth) else None
    row = Row(
        at=sample.at,
        label=label,
        values=tuple(float("nan") if v is None else v for v in sample.values),
        device=labelled.device,
        origin=sample.prediction_id,
        fault="" if label in labels else f"{spec.label.column} never seen before",
    )
    return checked(row, spec)


def _window(rows: list[Row], policy: RetrainTable) -> list[Row]:
    """From the oldest row that counts on, with the quarantined rows in between."""
    if policy.window == "all":
        return rows
    usable = [index for index, row in enumerate(rows) if not row.fault]
    return rows[usable[-policy.window_rows] :] if len(usable) > policy.window_rows else rows


def _in_words(spec: ModelSpec, rows: list[Row]) -> str:
    seen = [row for row in rows if row.device and not row.fault]
    devices = len({row.device for row in seen})
    rest = sum(not row.device and not row.fault for row in rows)
    text = f"{len(seen):,} labelled rows from {devices} device{'' if devices == 1 else 's'}"
    return f"{text}, {rest:,} rows of {spec.sources[0].csv}" if rest else text


def _keep(  # noqa: PLR0913  # the last three say where the rows are from
    rows: list[Row], spec: ModelSpec, blobs: Blobs, *, source: str, parent: str | None, now: float
) -> Dataset:
    usable = [row for row in rows if not row.fault]
    faults = Counter(row.fault for row in rows if row.fault)
    if not usable:
        raise DataError(
            f"{source}: no row is left to train on; quarantined: {dict(faults) or 'none'}"
        )
    names = [feature.name for feature in spec.features]
    return Dataset(
        key=blobs.put(parquet.encode(rows, names, spec.model.name)),
        model=spec.model.name,
        source=source,
        rows=len(usable),
        positives=sum(row.label == spec.label.positive for row in usable),
        quarantined=dict(sorted(faults.items())),
        parent=parent,
        created_at=now,
    )
