"""The tables of the spec that say where rows come from and what they must be like."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleetloop_hub.spec.scalars import Above, Column, Name, Seconds, Table, Task


class ModelTable(Table, frozen=True, kw_only=True):
    """Who this is about.

    Attributes:
        name: The model's name.
        task: "classification" (two classes or more), "regression" (a number), or "anomaly" (what is
            unlike the rows of training; labels, if there are any, are only used to judge).
        seed: Of every random choice.
        hardware: Hardware types it may run on; empty means any.
    """

    name: Name
    task: Task = "classification"
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    hardware: list[Name] = msgspec.field(default_factory=list)


class SourceTable(Table, frozen=True, kw_only=True):
    """One place where rows come from; exactly one of csv, parquet, jsonl, folder and query.

    Attributes:
        csv: A CSV file with a header, plain or gzip, relative to the spec's folder.
        parquet: A Parquet file.
        jsonl: A file with one JSON object a line, plain or gzip.
        folder: A folder that grows: each file in it is read once.
        pattern: The names of the files in `folder`, by whose endings their form is known.
        query: A SQL query; `:since` in it stands for the largest `time` that was read before.
        database: Where `query` is asked, as a SQLAlchemy URL: "sqlite:///shop.db",
            "postgresql+psycopg://user@host/name".
        delimiter: Between the fields of a CSV file.
    """

    csv: Column | None = None
    parquet: Column | None = None
    jsonl: Column | None = None
    folder: Column | None = None
    pattern: Column = "*"
    query: Annotated[str, Meta(min_length=1)] | None = None
    database: Column | None = None
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","


class RowsTable(Table, frozen=True, kw_only=True):
    """What names and orders rows.

    Attributes:
        time: The column whose ascending order is time: numbers, or ISO 8601 dates and times.
            Without one, the order of the source is taken for the order in time.
        key: The column that names a row; the second row of a name is quarantined (with
            `label.late`: of a name and time).
        shuffle: The order of the source means nothing (a file that is sorted by its label, say):
            training draws another one with the model's seed before it splits the rows.
    """

    time: Column | None = None
    key: Column | None = None
    shuffle: bool = False


class LateTable(Table, frozen=True, kw_only=True):
    """Labels that become known after their rows, in a source of their own.

    A label is joined to the row of the same key, or of the same prediction id where the row came
    from a device; of several, to the newest row before it. It is used only for training that begins
    after it was known.

    Attributes:
        source: Where labels come from.
        key: The column that names the row, the same as rows.key.
        time: The column that says when the label became known.
        within_s: A label later than this after its row is not joined. Times that are plain numbers
            are compared as they are.
    """

    source: SourceTable
    key: Column
    time: Column
    within_s: Seconds | None = None


class LabelTable(Table, frozen=True, kw_only=True):
    """What is predicted.

    Attributes:
        column: Its column; an anomaly model needs none.
        classes: The labels there are, as they stand in the column; a row with another one is
            quarantined. Empty for numbers: whole numbers as they come, or any for a regression.
        positive: Of two classes, the one whose probability is the score.
        cost_false_positive: What a false yes costs; with `cost_false_negative` it sets the decision
            threshold.
        cost_false_negative: What a false no costs, in the same unit.
        late: Labels in a source of their own.
    """

    column: Column | None = None
    classes: list[str] = msgspec.field(default_factory=list)
    positive: int | str = 1
    cost_false_positive: Above | None = None
    cost_false_negative: Above | None = None
    late: LateTable | None = None


MOST_FEATURES = 512
"""Devices watch every pair of features: their number is the square of this."""


class FeatureTable(Table, frozen=True, kw_only=True):
    """One input of the model.

    Attributes:
        name: Its column.
        kind: "number", or "category" for one of `categories`.
        unit: What it is measured in, on devices and in the model.
        scale: The source's value is multiplied by this to be in `unit`.
        offset: And then this is added.
        low: The smallest value that can be true.
        high: The largest value that can be true.
        outside: What becomes of a row with a value outside low..high: "quarantine", or "clip" the
            value, or take it for "missing". A device clips where this clips.
        missing: What a missing value becomes, inside the model: the "median" or "mean" of training
            (the commonest category), or a "constant"; "quarantine" keeps the row out of training.
        fill: The constant.
        categories: The values a category can have, as they stand in the column.
        unseen: A category that is not listed: an "other" one, or a reason to "quarantine" the row.
        out_of_range: What a device does with a row whose value is outside low..high, or a category
            that is not listed: "answer" and count it, or "refuse" the row with the reason.
    """

    name: Column
    kind: Literal["number", "category"] = "number"
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    low: float | None = None
    high: float | None = None
    outside: Literal["quarantine", "clip", "missing"] = "quarantine"
    missing: Literal["median", "mean", "constant", "quarantine"] = "median"
    fill: float | None = None
    categories: Annotated[list[str], Meta(max_length=4096)] = msgspec.field(default_factory=list)
    unseen: Literal["other", "quarantine"] = "other"
    out_of_range: Literal["answer", "refuse"] = "answer"


class RuleTable(Table, frozen=True, kw_only=True):
    """A check across the columns of a row.

    Attributes:
        name: What reports call it.
        check: What must hold, as an expression over column names with arithmetic, comparisons,
            `and`, `or` and `not`: "min_temperature_f <= max_temperature_f".
        failing: What becomes of a row for which it does not hold: "quarantine" it, or "stop".
    """

    name: Name
    check: Annotated[str, Meta(min_length=1, max_length=1000)]
    failing: Literal["quarantine", "stop"] = "quarantine"


class SliceTable(Table, frozen=True, kw_only=True):
    """A column whose values part the rows, to be judged one by one; it need not be a feature.

    Attributes:
        column: The column.
        edges: For numbers: where one slice ends and the next begins. Without edges each value is a
            slice.
    """

    column: Column
    edges: list[float] = msgspec.field(default_factory=list)
