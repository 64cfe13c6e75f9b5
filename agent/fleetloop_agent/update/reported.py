"""The reported state: what a device says it runs and does, from its journal and what it serves."""

import msgspec

from fleetloop_agent.update.transaction import Transaction
from fleetloop_agent.update.waiting import Wait
from fleetloop_shared.messages import ReportedState


def compose(
    tx: Transaction, progress: tuple[int, int], error: str | None, wait: Wait | None
) -> ReportedState:
    """What there is to say now.

    Args:
        tx: The update.
        progress: Chunks of the target that are here, and that there are.
        error: What is wrong now, or why the last update ended badly.
        wait: Why the update does not go on now.
    """
    journal, manifest = tx.journal, tx.serving.manifest
    have, total = progress
    image, director = tx.trust.durable
    return ReportedState(
        at=tx.board.clock.now(),
        boot=tx.board.outbox.boot,
        sequence=tx.sequence,
        state=journal.state,
        model=manifest.model if manifest is not None else None,
        version=manifest.version if manifest is not None else None,
        artifact=manifest.sha256 if manifest is not None else None,
        target=journal.target.version if journal.target is not None else None,
        chunks_have=have,
        chunks_total=total,
        attempts_left=journal.attempts_left,
        error=error,
        refusals=dict(tx.refusals.counts),
        resumed_fetches=journal.resumed_fetches,
        quarantined=[slot.artifact for slot in journal.quarantine],
        free_bytes=tx.board.disk.free_bytes(),
        image_version=image.version,
        director_version=director.version,
        trusted_until=tx.trust.trusted_until,
        time_floor=max(image.time_floor, director.time_floor),
        waits_for=wait.reason if wait is not None else None,
        waits_until=wait.until if wait is not None else None,
        slots=list(dict.fromkeys(slot.artifact for slot in journal.slots)),
    )


def same(now: ReportedState, before: ReportedState | None) -> bool:
    """Whether nothing has changed but the time and the free space, which always do."""
    if before is None:
        return False
    return msgspec.structs.replace(now, at=before.at, free_bytes=before.free_bytes) == before
