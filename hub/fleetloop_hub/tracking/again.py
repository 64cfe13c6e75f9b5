"""From a run's record to the order that does it again."""

from fleetloop_hub.errors import AbsentError, BlobError, TrainingError
from fleetloop_hub.records import Run, RunState, Version
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.training import job as files
from fleetloop_hub.training.job import Champion
from fleetloop_hub.training.runs import Order


def order_again(registry: Registry, key: str, asked_by: str) -> Order:
    """What has to be trained so that the run is done again: same rows, spec, seed and number.

    Args:
        registry: Has the run, what it was made of, and the champion of then.
        key: The run's key.
        asked_by: Who wants to know.

    Raises:
        AbsentError: No such run.
        TrainingError: It has left nothing to compare with, or what it was made of is
            gone; the text says which.
    """
    catalog, blobs = registry.catalog, registry.blobs
    run = catalog.find(Run, key)
    if run is None:
        raise AbsentError(f"no run {key[:80]!r}: see `fleetloop runs list`")
    if run.reproduces is not None:
        raise TrainingError(f"{key} did {run.reproduces} again itself: reproduce that one")
    if run.state is not RunState.FINISHED or str(files.ARTIFACT) not in run.artifacts:
        raise TrainingError(
            f"{key} is {run.state} and has left no artifact, so there is nothing to compare with; "
            "see `fleetloop runs list --state finished`"
        )
    needed = [("dataset version", run.dataset), ("spec", run.spec)]
    if run.imported is not None:
        needed.append(("imported file", run.imported.sha256))
    for what, sha256 in needed:
        if not blobs.has(sha256):
            raise TrainingError(
                f"{key} cannot be done again: its {what} {sha256[:12]} is no longer kept; put the "
                "file back into the hub's blobs. Nothing was changed"
            )
    return Order(
        spec_text=blobs.get(run.spec).decode(),
        version=run.number,
        floor=run.floor,
        dataset=run.dataset,
        champion=_champion(registry, run),
        decision="",
        reason=f"to see whether {key} can be reproduced",
        asked_by=asked_by,
        reproduces=key,
        imported=run.imported,
    )


def _champion(registry: Registry, run: Run) -> Champion | None:
    """The champion of then, if it is still kept; it bears on metrics, not on the artifact."""
    for version in registry.catalog.all(Version):
        if version.artifact == run.champion and version.manifest is not None:
            try:
                return registry.to_beat(version)
            except BlobError:
                return None
    return None
