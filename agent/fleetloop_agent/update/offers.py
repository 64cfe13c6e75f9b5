"""Takes in what was signed: checked at once, durable before it is followed, refused by name."""

import contextlib
import logging

from fleetloop_agent.errors import SlotError
from fleetloop_agent.update import verify
from fleetloop_agent.update.transaction import Transaction
from fleetloop_shared.errors import DiskFullError, FreezeError, RefusedError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.messages import DesiredState
from fleetloop_shared.topics import Topic

_log = logging.getLogger(__name__)


class Offers:
    """Bundles on their way to being followed.

    Attributes:
        desired: The newest statement that passed the checks and is not followed yet.
        obstacle: Why what came cannot be checked now; None where all of it is.
    """

    def __init__(self, transaction: Transaction) -> None:
        """Nothing was offered yet.

        Args:
            transaction: The update.
        """
        self.desired: DesiredState | None = None
        self.obstacle: str | None = None
        self._tx = transaction
        self._relisted = False
        self._unchecked: dict[Topic, bytes] = {}
        self._refused: tuple[str, RefusedError] | None = None
        self._frozen: float | None = None

    def take(self, topic: Topic, payload: bytes, now: float) -> None:
        """Check a bundle.

        Args:
            topic: `IMAGE` or `DIRECTOR`.
            payload: The message; empty where the hub has taken it back.
            now: Monotonic seconds.
        """
        if not payload:
            return
        name, refusals = sha256_hex(payload), self._tx.refusals
        where = topic.at(cohort=self._tx.cohort)
        if self._refused is not None and self._refused[0] == name:
            refusals.note(self._refused[1], name, now, where)  # a replay is not checked again
            return
        try:
            self._believe(topic, payload)
        except FreezeError as error:  # it may be good again when the clock is
            refusals.note(error, name, now, where)
        except RefusedError as error:
            self._refused = name, error
            refusals.note(error, name, now, where)
        except DiskFullError as error:
            self._unchecked[topic] = payload
            if self.obstacle is None:
                _log.warning("%s", error)
            self.obstacle = str(error)

    def keep(self, now: float) -> None:
        """Make what is believed durable; what found no room to be checked is checked now.

        Args:
            now: Monotonic seconds.

        Raises:
            DiskFullError: No room; it is tried again.
        """
        waiting, self._unchecked = self._unchecked, {}
        for topic, payload in waiting.items():
            self.take(topic, payload, now)
        if not self._unchecked:
            self.obstacle = None
        self._tx.trust.keep()
        if self._relisted:
            self._look_again()

    def take_up(self) -> None:
        """A statement that was believed, and not followed before the power failed, is followed."""
        stated, journal = self._tx.trust.desired(), self._tx.journal
        if stated is None or stated == journal.desired:
            return
        self.desired = stated  # it was checked before it was believed

    def watch_freshness(self, now: float) -> None:
        """Report once that what is believed has expired, also when nothing is to be installed."""
        trust = self._tx.trust
        if self._frozen == trust.trusted_until:
            return
        try:
            trust.check_fresh()
        except FreezeError as error:
            self._frozen = trust.trusted_until
            self._tx.refusals.note(error, f"{self._frozen}", now)

    def _believe(self, topic: Topic, payload: bytes) -> None:
        trust, journal = self._tx.trust, self._tx.journal
        if topic is Topic.IMAGE:
            self._relisted |= trust.take_image(payload)
            return
        accepted = self.desired or journal.desired
        floor = journal.floor if self.desired is None else self.desired.floor

        def check(said: DesiredState, renewed: bool) -> None:  # noqa: FBT001  # as trust tells it
            if renewed:  # what was said under keys that are out binds nobody any more
                verify.statement(said, self._tx.cohort, None, self._proven_floor())
            else:
                verify.statement(said, self._tx.cohort, accepted, floor)

        desired = trust.take_director(payload, check)
        if desired is not None and desired != accepted:
            self.desired = desired

    def _proven_floor(self) -> int:
        """The highest floor at which a model of this device was released."""
        floors = [0]
        for slot in self._tx.journal.slots:
            with contextlib.suppress(SlotError):
                floors.append(self._tx.slots.load(slot)[0].floor)
        return max(floors)

    def _look_again(self) -> None:
        """The image repository lists other files: what it did not list before, it may list now."""
        journal = self._tx.journal
        barred = {slot.manifest for slot in journal.quarantine}
        if journal.declined is not None and journal.declined not in barred:
            self._tx.note(declined=None)
        self._relisted = False
