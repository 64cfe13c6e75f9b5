"""Which rows from devices a dataset version has already, so that none is taken twice."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from fleetloop_hub.data import parquet, quarantine, samples
from fleetloop_hub.data.field_shares import FieldShares
from fleetloop_hub.data.keys import Keys, hashed


def known_samples(
    rows: Path | None, kept_out: Path | None, shares: FieldShares
) -> tuple[Keys, set[float]]:
    """The names of rows from devices, and every label there is.

    Args:
        rows: Rows of the version, None if there is none.
        kept_out: Its quarantine, None if there is none.
        shares: Told whose these rows are.
    """
    names = Keys()
    labels: set[float] = set()
    for table in [] if rows is None else parquet.batches(rows):
        labels |= set(pc.unique(table.column("label")).to_pylist())
        seen = table.filter(pc.not_equal(table.column("device"), ""))
        if seen.num_rows:
            device, origin = (seen.column(n).combine_chunks() for n in ("device", "origin"))
            names.taken(hashed(samples.device_names(device, origin)))
            shares.note_there(device, origin)
    for refused in [] if kept_out is None else quarantine.read(kept_out):
        there = [r for r in refused if r.device]
        device = pa.array([r.device for r in there], pa.string())
        origin = pa.array([r.origin for r in there], pa.string())
        names.taken(hashed(samples.device_names(device, origin)))
    return names, labels
