"""Between the folder in which a dataset version is built and the blobs in which it is kept."""

from pathlib import Path

import msgspec

from fleetloop_hub.data.build import Before
from fleetloop_hub.data.finish import Built
from fleetloop_hub.ports import Blobs
from fleetloop_hub.records import Dataset


def keep(built: Built, blobs: Blobs, now: float) -> Dataset:
    """Put a version's files among the blobs; the record is the caller's to keep.

    Raises:
        BlobError: A file is not what was built.
        DiskFullError: No room; no record speaks of what was kept so far.
    """
    dataset = built.dataset
    return msgspec.structs.replace(
        dataset,
        key=blobs.put_file(built.rows),
        quarantine=_put(built.quarantine, blobs),
        late_labels=_put(built.late, blobs),
        created_at=now,
    )


def before(dataset: Dataset, blobs: Blobs) -> Before:
    """A version as one to grow from.

    Raises:
        BlobError: Its rows are gone.
    """
    return Before(
        dataset=dataset,
        rows=blobs.path(dataset.key),
        quarantine=None if dataset.quarantine is None else blobs.path(dataset.quarantine),
        late=None if dataset.late_labels is None else blobs.path(dataset.late_labels),
    )


def _put(path: Path | None, blobs: Blobs) -> str | None:
    return None if path is None else blobs.put_file(path)
