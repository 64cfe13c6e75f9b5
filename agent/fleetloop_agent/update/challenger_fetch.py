"""Fetches a challenger over the same topics and with the same checks as an update.

It has no state but files: the manifest under its hash, the part with its bitmap, the
artifact under its own hash.
"""

from fleetloop_agent.config import FetchConfig
from fleetloop_agent.errors import SlotError
from fleetloop_agent.update import verify
from fleetloop_agent.update.acquire import IMAGE_WAIT_S
from fleetloop_agent.update.assembling import assemble, whole
from fleetloop_agent.update.download import Download
from fleetloop_agent.update.journal import Slot
from fleetloop_agent.update.parts import Part, discard_parts
from fleetloop_agent.update.slots import slot_of
from fleetloop_agent.update.transaction import Transaction
from fleetloop_agent.update.window import Window
from fleetloop_shared.errors import (
    ChunkError,
    DiskFullError,
    EndlessDataError,
    SignatureError,
)
from fleetloop_shared.manifest import Manifest, Transport
from fleetloop_shared.messages import Release
from fleetloop_shared.topics import Topic


class ChallengerFetch:
    """One download at a time; each step returns when to step again, or what has come."""

    def __init__(self, transaction: Transaction, config: FetchConfig) -> None:
        """Nothing is fetched yet.

        Args:
            transaction: The update, whose journal says what this device may have.
            config: How to fetch.
        """
        self._tx = transaction
        self._window = Window(transaction.device, transaction.board.link, config)
        self._download: Download | None = None
        self._vouch_by: float | None = None
        self._obstacle: DiskFullError | None = None

    @property
    def progress(self) -> tuple[int, int]:
        """Chunks of what is fetched that are here, and that there are."""
        if self._download is None:
            return 0, 0
        return self._download.part.count, len(self._download.part.transport.chunks)

    def reconnected(self) -> None:
        """There is a new connection."""
        self._window.reconnected()

    def answered_directly(self, *, direct: bool) -> None:
        """Whether the hub sends this device its chunks, as the broker keeps none for everybody."""
        self._window.answered_directly(direct=direct)

    def receive(self, sha256: str, index: int, payload: bytes, now: float) -> None:
        """Take a chunk in, if it is asked for; bad ones are counted."""
        try:
            self._window.receive(sha256, index, payload, now)
        except (ChunkError, EndlessDataError) as error:
            where = Topic.BLOB.at(sha256=sha256, index=index)
            self._tx.refusals.note(error, sha256, now, where)
        except DiskFullError as error:
            self._obstacle = error

    def close(self) -> None:
        """Ask for no more."""
        if self._download is not None:
            self._window.close(self._download)
        self._download = self._vouch_by = self._obstacle = None

    def find(self, release: Release, now: float) -> Slot | float:
        """Get the manifest, check it, and find room: the slot, once its manifest is durable.

        Raises:
            RefusedError: A check has failed.
            DiskFullError: No room.
        """
        tx = self._tx
        self._vouch_by = self._vouch_by or now + IMAGE_WAIT_S
        try:
            verify.vouched(release, tx.trust)
        except SignatureError:
            if now >= self._vouch_by:
                raise
            return self._vouch_by
        try:
            payload = tx.slots.manifest_bytes(release.manifest_sha256)
        except SlotError:
            download = self._download_of(whole(release))
            if not download.done:
                return self._step(now)
            payload = download.part.read()
        found = verify.manifest(payload, release, tx.hardware, tx.journal)
        verify.room(found, tx.board.disk.free_bytes())
        tx.slots.keep_manifest(payload)
        self.close()
        discard_parts(tx.board.disk, {release.manifest_sha256})
        return slot_of(found, release.manifest_sha256)

    def fetch(self, manifest: Manifest, now: float) -> float | None:
        """Get the artifact; None once it is durable.

        Raises:
            RefusedError: The chunks are the signed ones, and not the signed artifact.
            DiskFullError: No room.
        """
        tx = self._tx
        try:
            tx.slots.artifact(manifest.sha256)
        except SlotError:
            download = self._download_of(manifest.transport)
            at = self._step(now)
            if not download.done:
                return at
            try:
                assemble(download, manifest, tx.slots)
            except ChunkError as error:
                tx.refusals.note(error, manifest.sha256, now)
                self.close()
                return now
        self.close()
        discard_parts(tx.board.disk, {manifest.transport.sha256})
        return None

    def _download_of(self, transport: Transport) -> Download:
        if self._download is None:
            self._download = self._window.open(Part(self._tx.board.disk, transport))
        return self._download

    def _step(self, now: float) -> float:
        obstacle, self._obstacle = self._obstacle, None
        if obstacle is not None:
            raise obstacle
        at = self._window.step(now)
        for complaint in self._window.withheld():
            self._tx.refusals.note(complaint, str(complaint), now)
        return at
