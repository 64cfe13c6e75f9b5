"""Loads, checks and stores a CSV file as a dataset version, beside `pandas.read_csv` alone."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from fleetloop_hub.data import build
from fleetloop_hub.spec.data_tables import (
    FeatureTable,
    LabelTable,
    ModelTable,
    RowsTable,
    SourceTable,
)
from fleetloop_hub.spec.model_spec import ModelSpec

ROWS, FEATURES = 1_000_000, 28


def run() -> list[dict[str, object]]:
    """The figures: seconds and peak memory, ours and pandas' in turn on the same file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "rows.csv")
        ours = [_measured("ours", folder) for _ in range(3)]
        theirs = [_measured("pandas", folder) for _ in range(3)]
    return [
        _row("load+check+store of 1,000,000 x 30", "s", ours, theirs, 0, 60.0),
        _row("peak memory of load+check+store of 1,000,000 x 30", "MB", ours, theirs, 1, 1024.0),
    ]


def _row(  # noqa: PLR0913, PLR0917  # one figure and its peers
    metric: str,
    unit: str,
    ours: list[tuple[float, float]],
    theirs: list[tuple[float, float]],
    which: int,
    target: float,
) -> dict[str, object]:
    value, peer = (sorted(run[which] for run in runs)[1] for runs in (ours, theirs))
    return {
        "metric": metric,
        "value": round(value, 2),
        "unit": unit,
        "op": "<=",
        "target": target,
        "peers": {"pandas.read_csv alone": round(peer, 2)},
    }


def _write(path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"t": np.arange(ROWS, dtype=np.float64), "y": rng.integers(0, 2, ROWS)}
    for k in range(FEATURES):
        columns[f"f{k}"] = np.round(rng.normal(k, 1 + k, ROWS), 4)
    arrow_csv.write_csv(pa.table(columns), path)


def _measured(who: str, folder: Path) -> tuple[float, float]:
    """Seconds, and peak memory in MB, of a process of its own."""
    out = subprocess.run(
        [sys.executable, __file__, who, str(folder)], capture_output=True, check=True, text=True
    ).stdout.split()
    return float(out[0]), float(out[1])


def _spec() -> ModelSpec:
    features = [
        FeatureTable(name=f"f{k}", low=-100.0 - 10 * k, high=100.0 + 10 * k)
        for k in range(FEATURES)
    ]
    return ModelSpec(
        model=ModelTable(name="bench"),
        sources=[SourceTable(csv="rows.csv")],
        rows=RowsTable(time="t"),
        label=LabelTable(column="y", classes=["0", "1"]),
        features=features,
    )


def _main(who: str, folder: Path) -> None:
    start = time.perf_counter()
    if who == "ours":
        with tempfile.TemporaryDirectory(dir=folder) as work:
            built = build.from_sources(_spec(), folder, Path(work), None, lambda share, text: None)
            assert built is not None
            assert built.dataset.rows == ROWS
    else:
        assert len(pd.read_csv(folder / "rows.csv")) == ROWS
    seconds = time.perf_counter() - start
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)  # noqa: T201  # to the parent


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
