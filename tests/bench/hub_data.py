"""Loads, checks and stores a CSV file as a dataset version, beside `pandas.read_csv` alone."""

import statistics
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
REPEATS = 3


def run() -> list[dict[str, object]]:
    """Time and peak memory over pandas', each a process of its own, taken in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "rows.csv")
        pairs = [(_measured("ours", folder), _measured("pandas", folder)) for _ in range(REPEATS)]
    seconds, megabytes = (
        tuple(statistics.median(pair[who][which] for pair in pairs) for who in (0, 1))
        for which in (0, 1)
    )
    return [
        _figure("time", seconds, "s", 8.0),
        _figure("peak memory", megabytes, "MB", 1.0),
        _figure("seconds", (seconds[0], 1.0), "s", 30.0),
    ]


def _figure(what: str, measured: tuple[float, ...], unit: str, target: float) -> dict[str, object]:
    ours, pandas = measured
    return {
        "metric": f"load, check and store {ROWS:,} rows of {FEATURES + 2} columns, {what}",
        "value": round(ours / pandas, 2),
        "unit": "s" if what == "seconds" else "of pandas.read_csv alone",
        "op": "<=",
        "target": target,
        "peers": {}
        if what == "seconds"
        else {f"ours, {unit}": round(ours, 2), f"pandas, {unit}": round(pandas, 2)},
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
    print(seconds, _peak_mb())  # noqa: T201  # to the parent


def _peak_mb() -> float:
    """Of this program alone; getrusage would count what the parent had before it began."""
    status = Path("/proc/self/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
