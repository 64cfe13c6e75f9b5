"""Draws all plots of a run in a folder: from `run.json` and the held-out rows beside it."""

import sys
from pathlib import Path

import msgspec

from fleetloop_hub.records import Run
from fleetloop_hub.tracking.plots.pictures import pictures
from fleetloop_hub.training import evaluation
from fleetloop_shared.durable import RealDisk, replace

EVALUATION = "evaluation.parquet"


def main(folder: Path) -> None:
    """Write each plot as NAME.svg beside what it was drawn from."""
    run = msgspec.json.decode((folder / "run.json").read_bytes(), type=Run)
    rows = folder / EVALUATION
    left = evaluation.decode(rows.read_bytes()) if rows.exists() else None
    disk = RealDisk(folder)
    for name, data in pictures(run, left, "svg"):
        replace(disk, Path(f"{name}.svg"), data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
