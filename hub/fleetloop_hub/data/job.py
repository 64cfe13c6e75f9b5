"""What hub and the process that reads data tell each other, besides the files of `child.py`.

samples.jsonl    hub → process: rows that devices have served, one with its label a line
rows.parquet, quarantine.parquet, late.parquet
                 process → hub: the dataset version
"""

from pathlib import Path

import msgspec

from fleetloop_hub.records import Dataset

SAMPLES = Path("samples.jsonl")


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Where a dataset version lies.

    Attributes:
        rows: Its rows.
        quarantine: The rows that were kept out, if there are any.
        late: The late labels, if there are any.
    """

    rows: str
    quarantine: str | None = None
    late: str | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset version to be built.

    Attributes:
        spec: The model spec's text.
        folder: What the paths in it are relative to; None if rows come from devices.
        before: The version to grow from, if there is one.
        files: Where that lies.
        memory_bytes: What the process may take; 0 is half of what the machine has.
        to_train: Whether rows that nothing can be learned from are refused.
        since: When the world is thought to have changed, Unix seconds; None if it has not.
        excluded: Devices of which no new row is taken, and why.
    """

    spec: str
    folder: str | None
    before: Dataset | None
    files: Files | None
    memory_bytes: int = 0
    to_train: bool = False
    since: float | None = None
    excluded: dict[str, str] = {}


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was built.

    Attributes:
        dataset: Its record, None if there was nothing new.
        files: Where it lies.
    """

    dataset: Dataset | None
    files: Files | None
