"""Gets a release onto the disk: manifest checked, room found, chunks fetched, whole verified."""

import contextlib

from fleetloop_agent.config import FetchConfig
from fleetloop_agent.errors import SlotError
from fleetloop_agent.update import verify
from fleetloop_agent.update.assembling import assemble, whole
from fleetloop_agent.update.download import Download
from fleetloop_agent.update.parts import Part
from fleetloop_agent.update.slots import slot_of
from fleetloop_agent.update.states import Event, State
from fleetloop_agent.update.transaction import Transaction
from fleetloop_agent.update.waiting import Wait
from fleetloop_agent.update.window import Window
from fleetloop_shared.errors import (
    ChunkError,
    DiskFullError,
    EndlessDataError,
    FreezeError,
    RefusedError,
    SignatureError,
)
from fleetloop_shared.manifest import Manifest, Transport
from fleetloop_shared.messages import Release
from fleetloop_shared.reports import EventKind
from fleetloop_shared.topics import Topic

DEFER_S = 60.0
"""Pause before room is looked for again."""

IMAGE_WAIT_S = 30.0
"""How late the image bundle may be: what it does not list then is refused."""


class Acquire:
    """The steps from a release to a staged artifact; each returns when to step again.

    Attributes:
        wait: Why it was deferred here, and until when.
    """

    def __init__(self, transaction: Transaction, config: FetchConfig) -> None:
        """Nothing is fetched yet.

        Args:
            transaction: The update.
            config: How to fetch.
        """
        self._tx = transaction
        board = transaction.board
        self._window = Window(transaction.device, board.link, config)
        self._restarted = transaction.journal.state is not State.SERVING
        self._manifest: Manifest | None = None
        self._download: Download | None = None
        self._obstacle: DiskFullError | None = None
        self.wait: Wait | None = None
        self._retry_at: float | None = None
        self._vouch_by: float | None = None

    @property
    def progress(self) -> tuple[int, int]:
        """Chunks of the artifact that are here, and that there are."""
        if self._manifest is None or self._download is None:
            return 0, 0
        return self._download.part.count, len(self._download.part.transport.chunks)

    def reset(self) -> None:
        """Stop fetching and forget what was checked."""
        if self._download is not None:
            self._window.close(self._download)
        self._download = self._manifest = self._obstacle = self.wait = None
        self._retry_at = self._vouch_by = None

    def recheck(self) -> None:
        """A newer statement wants the same release: what was checked is checked anew."""
        self._manifest = None

    def reconnected(self) -> None:
        """There is a new connection."""
        self._window.reconnected()

    def answered_directly(self, *, direct: bool) -> None:
        """Whether the hub sends this device its chunks, as the broker keeps none for everybody."""
        self._window.answered_directly(direct=direct)

    def receive(self, sha256: str, index: int, payload: bytes, now: float) -> None:
        """Take a chunk in, if it is asked for; bad ones are counted, and said once a blob."""
        try:
            self._window.receive(sha256, index, payload, now)
        except (ChunkError, EndlessDataError) as error:
            where = Topic.BLOB.at(sha256=sha256, index=index)
            self._tx.refusals.note(error, sha256, now, where)
        except DiskFullError as error:
            self._obstacle = error

    def planned(self, now: float) -> float:
        """Get the manifest, check it, and find room."""
        tx, release = self._tx, self._tx.target
        try:
            if not self._vouched(release, now):
                return self._vouch_by or now
            payload = self._manifest_payload(release)
            if payload is None:
                return self._step_window(now)
            found = verify.manifest(payload, release, tx.hardware, tx.journal)
            if not self._on_disk(found):
                verify.room(found, tx.board.disk.free_bytes())
            tx.slots.keep_manifest(payload)
            tx.move(Event.CLEARED, incoming=slot_of(found, release.manifest_sha256))
        except FreezeError as error:
            tx.refusals.note(error, f"{tx.trust.trusted_until}", now)
            return self._defer(error, now)
        except RefusedError as error:
            return self._decline(error, now)
        except DiskFullError as error:
            return self._defer(error, now)
        self.reset()
        return now

    def fetching(self, now: float) -> float:
        """Get the artifact."""
        tx = self._tx
        try:
            found = self._checked()
            if self._download is not None or not self._on_disk(found):
                download = self._download_of(found.transport)
                self._count_resumed(download, found)
                at = self._step_window(now)
                if not download.done:
                    return at
                assemble(download, found, tx.slots)
            text = f"{found.model} {found.version} is here whole: {found.length_bytes:,} bytes"
            tx.say(EventKind.FETCHED, text)
            tx.move(Event.FETCHED)
            self.reset()
        except ChunkError as error:
            tx.refusals.note(error, tx.target.manifest_sha256, now)
            self.reset()
        except FreezeError as error:
            tx.refusals.note(error, f"{tx.trust.trusted_until}", now)
            return self._defer(error, now)
        except RefusedError as error:
            return self._decline(error, now)
        except DiskFullError as error:
            return self._defer(error, now)
        except SlotError:
            tx.move(Event.DAMAGED)
            self.reset()
        return now

    def deferred(self, now: float) -> float:
        """Wait; a restart looks again at once."""
        if self._retry_at is not None and now < self._retry_at:
            return self._retry_at
        self._tx.move(Event.RETRY_DUE, last_error=None)
        self.wait = None
        return now

    def _manifest_payload(self, release: Release) -> bytes | None:
        with contextlib.suppress(SlotError):
            return self._tx.slots.manifest_bytes(release.manifest_sha256)
        download = self._download_of(whole(release))
        return download.part.read() if download.done else None

    def _vouched(self, release: Release, now: float) -> bool:
        """Whether both repositories agree; the image bundle may still be on its way.

        Raises:
            RefusedError: They do not.
        """
        self._vouch_by = self._vouch_by or now + IMAGE_WAIT_S
        try:
            verify.vouched(release, self._tx.trust)
        except SignatureError:
            if now >= self._vouch_by:
                raise
            return False
        return True

    def _checked(self) -> Manifest:
        if self._manifest is None:
            tx = self._tx
            payload = tx.slots.manifest_bytes(tx.target.manifest_sha256)
            verify.vouched(tx.target, tx.trust)
            self._manifest = verify.manifest(payload, tx.target, tx.hardware, tx.journal)
        return self._manifest

    def _on_disk(self, found: Manifest) -> bool:
        try:
            self._tx.slots.artifact(found.sha256)
        except SlotError:
            return False
        return True

    def _download_of(self, transport: Transport) -> Download:
        if self._download is None:
            self._download = self._window.open(Part(self._tx.board.disk, transport))
        return self._download

    def _step_window(self, now: float) -> float:
        obstacle, self._obstacle = self._obstacle, None
        if obstacle is not None:
            raise obstacle
        at = self._window.step(now)
        for complaint in self._window.withheld():
            self._tx.refusals.note(complaint, str(complaint), now)
        return at

    def _count_resumed(self, download: Download, found: Manifest) -> None:
        if not self._restarted:
            return
        have, journal = download.part.count, self._tx.journal
        if have:
            text = f"goes on fetching {found.model} {found.version}: {have} chunks were here"
            self._tx.say(EventKind.RESUMED, text)
            self._tx.note(resumed_fetches=journal.resumed_fetches + 1)
        self._restarted = False

    def _decline(self, error: RefusedError, now: float) -> float:
        self._tx.decline(error, now)
        self.reset()
        return now

    def _defer(self, error: DiskFullError | FreezeError, now: float) -> float:
        self.reset()
        self._retry_at = now + DEFER_S
        self._tx.move(Event.OBSTRUCTED, last_error=str(error))
        self.wait = Wait(str(error), self._tx.trust.now() + DEFER_S)
        return now
