"""Brings a challenger beside the champion: fetched, checked and tested as an update is.

It has a durable slot of its own, and works only while no update is under way: whatever the champion
needs comes first, and the challenger's bytes are taken away before room for the champion is sought.
What goes wrong here is reported, and touches nothing that is served.
"""

import contextlib

from fleetloop_agent.config import FetchConfig
from fleetloop_agent.errors import InputError, ModelError, SlotError
from fleetloop_agent.ports import ChallengerSeat
from fleetloop_agent.update import verify
from fleetloop_agent.update.acquire import DEFER_S
from fleetloop_agent.update.challenger_fetch import ChallengerFetch
from fleetloop_agent.update.journal import Slot
from fleetloop_agent.update.parts import discard_parts
from fleetloop_agent.update.transaction import Transaction
from fleetloop_agent.update.trial import ATTEMPTS, GROWTH_BYTES, POLL_S
from fleetloop_shared.errors import DiskFullError, FreezeError, RefusedError, SelfTestError
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.messages import Release, Shadow
from fleetloop_shared.reports import EventKind

LOOK_S = 1.0
"""How often a challenger that runs is looked at."""

PROVEN_S = 30.0
"""A challenger that has run for so long does not end the agent by being loaded."""

_NOBODY = {"challenger": None, "challenger_passed": False, "challenger_starts": 0}


class Challenge:
    """The challenger of one device; `step` while nothing else is under way.

    Attributes:
        text: How far it is, or why it does not run, in words; None without one.
        fetching: Its way onto the disk.
    """

    def __init__(
        self, transaction: Transaction, config: FetchConfig, beside: ChallengerSeat
    ) -> None:
        """Nothing is loaded; the journal says what is on the disk.

        Args:
            transaction: The update, whose journal this writes.
            config: How to fetch.
            beside: Where a challenger runs.
        """
        self.text: str | None = None
        self._tx, self._beside = transaction, beside
        self.fetching = ChallengerFetch(transaction, config)
        self._manifest: Manifest | None = None
        self._terms: Shadow | None = None
        self._here = self._testing = False
        self._declined: tuple[object, ...] | None = None
        self._retry_at = self._seated_at = 0.0
        self._most_bytes = 0

    @property
    def wanted(self) -> Shadow | None:
        """What the statement wants beside the champion, as far as this device can have it."""
        journal = self._tx.journal
        shadow = journal.desired.shadow if journal.desired is not None else None
        if shadow is None or journal.active is None:
            return None
        return None if shadow.release.manifest_sha256 == journal.active.manifest else shadow

    @property
    def version(self) -> int | None:
        """Of the challenger that is wanted."""
        wanted = self.wanted
        return wanted.release.version if wanted is not None else None

    @property
    def parts(self) -> set[str]:
        """Blobs of which something may be here that is still to come."""
        wanted = self.wanted
        if wanted is None:
            return set()
        names = {wanted.release.manifest_sha256}
        with contextlib.suppress(SlotError, RefusedError):
            names.add(self._checked(wanted).transport.sha256)
        return names

    def give_way(self, goal: Release) -> None:
        """An update begins: nothing of the challenger is in its way, unless it is the challenger.

        Raises:
            DiskFullError: No room to write that down; nothing has begun.
        """
        tx, parts = self._tx, self.parts
        slot = tx.journal.challenger
        self._stop()
        if slot is not None:
            tx.note(**_NOBODY)
        wanted = self.wanted
        if wanted is None or wanted.release == goal:
            return
        if slot is not None:
            tx.slots.discard(slot, tx.journal.kept)
        discard_parts(tx.board.disk, parts)

    def step(self, now: float) -> float:  # noqa: PLR0911  # one a way to go wrong
        """Do what there is to do, once; returns when to step again.

        Args:
            now: Monotonic seconds.
        """
        tx, wanted = self._tx, self.wanted
        slot = tx.journal.challenger
        try:
            if wanted is None or (slot and slot.manifest != wanted.release.manifest_sha256):
                return self._clear(now)
            if wanted != self._terms:
                self._stop()
                self._terms = wanted
            if self._is_barred(wanted) or now < self._retry_at:
                return max(now + LOOK_S, self._retry_at)
            return self._advance(wanted, now)
        except FreezeError as error:
            tx.refusals.note(error, f"{tx.trust.trusted_until}", now)
            return self._defer(str(error), now)
        except SlotError:
            self._stop()
            tx.note(**_NOBODY)
            return now
        except (RefusedError, ModelError) as error:
            return self._decline(error, now)
        except DiskFullError as error:
            return self._defer(str(error), now)

    def _advance(self, wanted: Shadow, now: float) -> float:
        tx = self._tx
        if tx.journal.challenger is None:
            self.text = "waits for its manifest"
            found = self.fetching.find(wanted.release, now)
            if not isinstance(found, Slot):
                return found
            tx.note(**_NOBODY | {"challenger": found})
        manifest = self._checked(wanted)
        if not self._here:
            at = self.fetching.fetch(manifest, now)
            if at is not None:
                have, total = self.fetching.progress
                self.text = f"is fetched: {have} of {total} chunks are here"
                return at
            self._here = True
        if not self._tx.journal.challenger_passed:
            return self._test(manifest, now)
        return self._seat(manifest, wanted, now) if not self._runs else self._watch(now)

    def _test(self, manifest: Manifest, now: float) -> float:
        """Have it prove itself away from serving."""
        tx = self._tx
        self.text = "is in its self-test"
        if not self._testing:
            tx.board.self_test.start(manifest, tx.slots.artifact(manifest.sha256))
            self._testing = True
            return now + POLL_S
        finding = tx.board.self_test.poll()
        if finding is None:
            return now + POLL_S
        self._testing = False
        if not finding.passed:
            return self._bar(f"its self-test has failed: {finding.text}", now)
        tx.note(challenger_passed=True)
        return now

    def _seat(self, manifest: Manifest, wanted: Shadow, now: float) -> float:
        """Load it, counted before it is loaded: what ends the agent does so a few times at most."""
        tx = self._tx
        if tx.journal.challenger_starts >= ATTEMPTS:
            return self._bar(f"the agent has ended {ATTEMPTS} times while it was loaded", now)
        verify.vouched(wanted.release, tx.trust)
        artifact = tx.slots.artifact(manifest.sha256)
        tx.note(challenger_starts=tx.journal.challenger_starts + 1)
        before_bytes = tx.board.host.rss_bytes()
        try:
            self._beside.seat(manifest, artifact, wanted)
        except InputError as error:
            return self._rest(str(error), now)
        except ModelError as error:
            return self._bar(str(error), now)
        grown_bytes = tx.board.host.rss_bytes() - before_bytes
        if grown_bytes > wanted.memory_bytes:
            limit = f"(may: {wanted.memory_bytes:,})"
            return self._rest(f"it needs {grown_bytes:,} bytes of memory {limit}", now)
        self._most_bytes = before_bytes + wanted.memory_bytes + GROWTH_BYTES
        self._seated_at, self.text = now, "runs beside the champion"
        self._say(f"{manifest.model} {manifest.version} runs beside the champion")
        return now + LOOK_S

    def _watch(self, now: float) -> float:
        tx, beside = self._tx, self._beside
        if beside.fault is not None:
            return self._bar(beside.fault, now)
        if beside.too_slow is not None:
            return self._rest(beside.too_slow, now)
        rss_bytes = tx.board.host.rss_bytes()
        if rss_bytes > self._most_bytes:
            return self._rest(f"the agent grew to {rss_bytes:,} bytes of memory beside it", now)
        if tx.journal.challenger_starts and now - self._seated_at >= PROVEN_S:
            tx.note(challenger_starts=0)
        return now + LOOK_S

    @property
    def _runs(self) -> bool:
        return self._beside.manifest is not None

    def _is_barred(self, wanted: Shadow) -> bool:
        tx, journal = self._tx, self._tx.journal
        if self._declined == self._basis(wanted):
            return True
        never = journal.desired.quarantined.get(tx.hardware, []) if journal.desired else []
        failed = [*never, *(slot.manifest for slot in journal.quarantine)]
        barred = wanted.release.manifest_sha256 in failed
        if barred:
            self._stop()
            self._empty_slot()
            self.text = "has failed on this device or its like, and is not tried again"
        return barred

    def _basis(self, wanted: Shadow) -> tuple[object, ...]:
        """What a refusal rests on: it is thought over when the hub says something else."""
        tx = self._tx
        active = tx.journal.active
        return wanted, tx.journal.floor, tx.trust.image.targets, active and active.manifest

    def _checked(self, wanted: Shadow) -> Manifest:
        if self._manifest is None:
            tx, release = self._tx, wanted.release
            payload = tx.slots.manifest_bytes(release.manifest_sha256)
            self._manifest = verify.manifest(payload, release, tx.hardware, tx.journal)
        return self._manifest

    def _clear(self, now: float) -> float:
        """Nothing is wanted, or something else: the slot is free again."""
        self._stop()
        self._terms = self._declined = self.text = None
        self._empty_slot()
        return now if self.wanted is not None else now + DEFER_S

    def _empty_slot(self) -> None:
        slot = self._tx.journal.challenger
        if slot is not None:
            self._tx.note(**_NOBODY)
            self._tx.slots.discard(slot, self._tx.journal.kept)

    def _decline(self, error: RefusedError | ModelError, now: float) -> float:
        """A check has refused it: said by name, and not tried again until something changes."""
        if isinstance(error, RefusedError):
            self._tx.refusals.note(error, f"challenger {self._tx.sequence}", now)
        return self._rest(str(error), now)

    def _rest(self, text: str, now: float) -> float:
        """It cannot run here as things are; the champion serves on."""
        self._stop()
        self.text = text
        self._say(f"no challenger runs beside the champion: {text}")
        if self._terms is not None:
            self._declined = self._basis(self._terms)
        self._empty_slot()
        return now + DEFER_S

    def _bar(self, text: str, now: float) -> float:
        """It has failed: said, and never tried again on this device."""
        tx = self._tx
        slot = tx.journal.challenger
        self._stop()
        self.text = text
        if slot is None:
            return now + DEFER_S
        error = SelfTestError(f"{slot.model} {slot.version} beside the champion: {text}")
        tx.refusals.note(error, slot.manifest, now)
        self._say(f"quarantined, and the champion serves on: {error}")
        tx.note(**_NOBODY | {"quarantine": (*tx.journal.quarantine, slot)})
        tx.slots.discard(slot, tx.journal.kept)
        return now + DEFER_S

    def _defer(self, text: str, now: float) -> float:
        self.fetching.close()
        self.text, self._retry_at = text, now + DEFER_S
        return self._retry_at

    def _stop(self) -> None:
        """Nothing runs or is fetched any more, and what was checked is checked anew."""
        self._beside.leave()
        self.fetching.close()
        self._manifest = None
        self._here = self._testing = False
        self._retry_at = 0.0

    def _say(self, text: str) -> None:
        slot = self._tx.journal.challenger
        version, artifact = (slot.version, slot.artifact) if slot is not None else (None, None)
        self._tx.events.say(EventKind.CHALLENGER, text, version=version, artifact=artifact)
