"""Late labels: joined to the newest row of their name that is not later than they are.

A label is put on a row that was there when the label became known, never on a later one, and the
row keeps when that was: training that stands at an earlier moment does not see it. Features are
never touched. The join is made anew for every version from all labels that were read, so that it
does not matter in which order rows and labels have come.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from fleetloop_hub.data import columns, labels
from fleetloop_hub.data.chunk import Chunk
from fleetloop_hub.data.prepare import Refused
from fleetloop_hub.spec.model_spec import ModelSpec

Floats = npt.NDArray[np.float64]

FORM = pa.schema(
    [
        ("source", pa.string()),
        ("key", pa.string()),
        ("time", pa.float64()),
        ("label", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Joined:
    """Labels that have found their rows.

    Attributes:
        rows: The place of each row among those given.
        label: Its label.
        known_at: When that became known.
    """

    rows: npt.NDArray[np.int64]
    label: Floats
    known_at: Floats


def prepare(chunk: Chunk, spec: ModelSpec) -> tuple[pa.Table, list[Refused]]:
    """The labels in a chunk of their source, and what is none."""
    late = spec.label.late
    if late is None or spec.label.column is None:
        return FORM.empty_table(), []
    key = columns.texts(chunk.table.column(late.key))
    time, no_time = columns.times(chunk.table.column(late.time))
    label, wrong = labels.read(chunk.table.column(spec.label.column), spec)
    unreadable = np.zeros(len(label), bool)
    for _, rows in wrong:
        unreadable |= rows
    wrong = [
        *wrong,
        (f"no {late.key}", ~np.asarray(key.is_valid())),
        (f"{late.time} not a number, date or time", no_time),
        (f"no {late.time}", ~no_time & ~np.isfinite(time)),
        (f"no {spec.label.column}", np.isnan(label) & ~unreadable),
    ]
    bad = np.logical_or.reduce([rows for _, rows in wrong])
    words = chunk.mark.words
    refused = [Refused(words, "", str(b.line), b.raw, [b.reason]) for b in chunk.broken]
    refused += [
        Refused(
            words,
            "",
            str(chunk.lines[row]),
            chunk.raw(int(row)),
            [reason for reason, rows in wrong if rows[row]],
        )
        for row in np.flatnonzero(bad)
    ]
    source = pa.array([words] * len(label), pa.string())
    table = pa.table([source, key, time, label], schema=FORM)
    return table.filter(pa.array(~bad)), refused


def join(known: pa.Table, keys: pa.ChunkedArray, at: Floats, within_s: float | None) -> Joined:
    """Each label's row: of its name, at or before its time, the newest; of several, the last label.

    Args:
        known: Labels, as `FORM`.
        keys: The rows' names, null for a row that has none.
        at: Their places in time.
        within_s: A label that comes later after its row than this is not joined.
    """
    named = np.flatnonzero(np.asarray(pa.compute.is_valid(keys)))
    texts = pd.Series(
        keys.take(pa.array(named)).to_pylist() + known.column("key").to_pylist(), dtype=object
    )
    codes, _ = pd.factorize(texts)
    rows = pd.DataFrame({"at": at[named], "key": codes[: len(named)], "row": named})
    found = pd.DataFrame(
        {
            "time": known.column("time").to_numpy(),
            "label": known.column("label").to_numpy(),
            "key": codes[len(named) :],
        }
    )
    joined = pd.merge_asof(
        found.sort_values("time", kind="stable"),
        rows.sort_values("at", kind="stable"),
        left_on="time",
        right_on="at",
        by="key",
        direction="backward",
        tolerance=within_s,
    ).dropna(subset="row")
    last = joined.drop_duplicates("row", keep="last")
    return Joined(
        last["row"].to_numpy(np.int64), last["label"].to_numpy(float), last["time"].to_numpy(float)
    )
