"""Makes rows of a dataset version out of a chunk, and says of every other row why it is none."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from fleetloop_hub.data import columns, labels
from fleetloop_hub.data.chunk import Chunk
from fleetloop_hub.data.keys import Keys, hashed
from fleetloop_hub.data.parquet import dataset_schema, group_column
from fleetloop_hub.data.schema import AT, LABEL, failures, feature_column, schema
from fleetloop_hub.data.truths import holds
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.data_tables import FeatureTable
from fleetloop_hub.spec.expressions import names_in
from fleetloop_hub.spec.model_spec import ModelSpec

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

_SHOWN = 3


@dataclass(frozen=True)
class Refused:
    """A row that is kept out.

    Attributes:
        source: The source it stands in, "" for a device.
        device: Who saw it, "" for a source.
        origin: Its line in the source, or its prediction id.
        raw: Its text.
        reasons: Every check that it fails.
    """

    source: str
    device: str
    origin: str
    raw: str
    reasons: list[str]


@dataclass(frozen=True)
class Prepared:
    """A chunk's rows, each in one of the two.

    Attributes:
        rows: As a dataset version holds them.
        refused: Those that are kept out.
    """

    rows: pa.Table
    refused: list[Refused]


@dataclass
class _Checked:
    """Columns of a chunk as numbers, and what was found wrong with its rows."""

    columns: dict[str, Floats] = field(default_factory=dict)
    wrong: list[tuple[str, Truths]] = field(default_factory=list)
    unreadable: dict[str, Truths] = field(default_factory=dict)

    def note(self, reason: str, rows: Truths) -> None:
        """Say what is wrong with some rows."""
        if rows.any():
            self.wrong.append((reason, rows))

    def cannot_read(self, column: str, reason: str, rows: Truths) -> None:
        """The same, of values that are not even numbers; no other check speaks of them."""
        self.note(reason, rows)
        self.unreadable[column] = self.unreadable.get(column, rows) | rows

    def note_all(self, failed: dict[tuple[str, str], Truths]) -> None:
        """What the schema has found."""
        for (column, reason), rows in failed.items():
            unreadable = self.unreadable.get(column)
            self.note(reason, rows if unreadable is None else rows & ~unreadable)


class Preparation:
    """What one spec makes of chunks, one after the other."""

    def __init__(self, spec: ModelSpec, keys: Keys, first: int) -> None:
        """Nothing is prepared yet.

        Args:
            spec: The spec.
            keys: The names of rows that are there already.
            first: The place in time of the next row, where the order of the source is time.
        """
        self._spec, self._keys, self._next = spec, keys, first
        label = spec.label
        self._late = label.late is not None
        self._labelled = label.column is not None and not self._late
        needed = self._labelled and spec.model.task != "anomaly"
        self._schema = schema(spec, label_needed=needed)
        self._form = dataset_schema(spec)

    def prepare(self, chunk: Chunk) -> Prepared:
        """The chunk's rows.

        Raises:
            DataError: A rule that stops does not hold.
        """
        rows = len(chunk.lines)
        found = _Checked()
        at = self._times(chunk, found)
        label = self._labels(chunk, found)
        for feature in self._spec.features:
            found.columns[feature_column(feature.name)] = _feature(chunk, feature, found)
        frame = pd.DataFrame({**found.columns, AT: at, LABEL: label}, copy=False)
        found.note_all(failures(frame, self._schema))
        self._rules(chunk, found)
        key = self._key(chunk, at, found, rows)
        good = _none_of(found.wrong, rows)
        refused = _refused(chunk, found.wrong, good)
        return Prepared(self._table(chunk, found.columns, (at, label, key), good), refused)

    def _times(self, chunk: Chunk, found: _Checked) -> Floats:
        name, rows = self._spec.rows.time, len(chunk.lines)
        if name is None:
            at = self._next + np.arange(rows, dtype=np.float64)
            self._next += rows
            return at
        at, wrong = columns.times(chunk.table.column(name))
        found.cannot_read(AT, f"{name} not a number, date or time", wrong)
        return at

    def _labels(self, chunk: Chunk, found: _Checked) -> Floats:
        if not self._labelled:
            return np.full(len(chunk.lines), np.nan)
        label, wrong = labels.read(chunk.table.column(self._spec.label.column), self._spec)
        for reason, rows in wrong:
            found.cannot_read(LABEL, reason, rows)
        return label

    def _rules(self, chunk: Chunk, found: _Checked) -> None:
        for rule in self._spec.rules:
            rows = len(chunk.lines)
            values = {n: self._value(n, chunk, found) for n in names_in(rule.check)}
            fails = ~holds(rule.check, values, rows)
            if rule.failing == "stop" and fails.any():
                worst = "; ".join(
                    f"line {chunk.lines[k]}: {chunk.raw(int(k))[:200]}"
                    for k in np.flatnonzero(fails)[:_SHOWN]
                )
                raise DataError(
                    f"{chunk.mark.words}: rule {rule.name!r} ({rule.check}) does not hold for "
                    f"{int(fails.sum()):,} rows, and it stops; nothing was stored. {worst}"
                )
            found.note(f"rule {rule.name} does not hold", fails)

    def _value(self, name: str, chunk: Chunk, found: _Checked) -> Floats:
        """A feature in its unit, or another column as it stands."""
        kinds = {f.name: f.kind for f in self._spec.features}
        if kinds.get(name) == "number":
            return found.columns[feature_column(name)]
        return columns.numbers(chunk.table.column(name))[0]

    def _key(self, chunk: Chunk, at: Floats, found: _Checked, rows: int) -> pa.Array:
        """The rows' names; whoever has one that is taken is noted."""
        name = self._spec.rows.key
        if name is None:
            return pa.nulls(rows, pa.string())
        key = columns.texts(chunk.table.column(name))
        missing = ~np.asarray(key.is_valid())
        found.note(f"no {name}", missing)
        good = _none_of(found.wrong, rows)
        marks = hashed(key, at if self._late else None)
        twice = np.zeros(rows, bool)
        twice[good] = self._keys.taken(marks[good])
        found.note(f"{name} stands twice", twice)
        return key

    def _table(
        self,
        chunk: Chunk,
        values: dict[str, Floats],
        own: tuple[Floats, Floats, pa.Array],
        good: Truths,
    ) -> pa.Table:
        at, label, key = own
        count = int(good.sum())
        filled = {
            "at": at[good],
            "label": label[good],
            "label_at": at[good],
            "device": pa.array([""] * count, pa.string()),
            "source": pa.array([chunk.mark.words] * count, pa.string()),
            "origin": pa.array(chunk.lines[good]).cast(pa.string()),
            "key": key.filter(pa.array(good)),
        }
        for name, column in values.items():
            filled[name] = column[good].astype(np.float32)
        for name in self._spec.group_columns:
            text = columns.texts(chunk.table.column(name))
            filled[group_column(name)] = text.filter(pa.array(good)).fill_null("")
        return pa.table({n: filled[n] for n in self._form.names}, schema=self._form)


def _feature(chunk: Chunk, feature: FeatureTable, found: _Checked) -> Floats:
    column = chunk.table.column(feature.name)
    if feature.kind == "category":
        return columns.places(columns.texts(column), feature.categories)
    values, wrong = columns.numbers(column)
    found.cannot_read(feature_column(feature.name), f"{feature.name} not a number", wrong)
    if feature.scale != 1.0 or feature.offset != 0.0:
        values = values * feature.scale + feature.offset
    return bounded(values, feature)


def bounded(values: Floats, feature: FeatureTable) -> Floats:
    """The values within low..high, if the spec says to make them so."""
    low = -np.inf if feature.low is None else feature.low
    high = np.inf if feature.high is None else feature.high
    if feature.outside == "clip":
        return np.clip(values, low, high)
    if feature.outside == "missing":
        with np.errstate(invalid="ignore"):
            return np.where((values < low) | (values > high), np.nan, values)
    return values


def _none_of(wrong: list[tuple[str, Truths]], rows: int) -> Truths:
    good = np.ones(rows, bool)
    for _, mask in wrong:
        good &= ~mask
    return good


def _refused(chunk: Chunk, wrong: list[tuple[str, Truths]], good: Truths) -> list[Refused]:
    words = chunk.mark.words
    broken = [Refused(words, "", str(b.line), b.raw, [b.reason]) for b in chunk.broken]
    return broken + [
        Refused(
            words,
            "",
            str(chunk.lines[row]),
            chunk.raw(int(row)),
            [reason for reason, mask in wrong if mask[row]],
        )
        for row in np.flatnonzero(~good)
    ]
