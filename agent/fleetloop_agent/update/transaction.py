"""What the steps of an update share: the journal they write, and whom they speak to."""

from typing import TypeVar

import msgspec

from fleetloop_agent import sealed
from fleetloop_agent.config import AgentConfig
from fleetloop_agent.ports import Board, Serving
from fleetloop_agent.trust.trust import Trust
from fleetloop_agent.update.events import Events
from fleetloop_agent.update.journal import FOLDER, Journal, Slot
from fleetloop_agent.update.refusals import Refusals
from fleetloop_agent.update.slots import Slots
from fleetloop_agent.update.standby import serve_best
from fleetloop_agent.update.states import Event, follow
from fleetloop_shared import membership
from fleetloop_shared.errors import RefusedError
from fleetloop_shared.messages import DesiredState, EnrolAnswer, Release
from fleetloop_shared.reports import EventKind

T = TypeVar("T")


class Transaction:
    """The update of one device.

    Attributes:
        device: Its name.
        cohort: The cohort it belongs to.
        hardware: Its hardware type.
        board: What it is plugged into.
        serving: Where models answer.
        trust: What it believes of what was signed.
        slots: The models on its disk.
        journal: As it stands on the disk.
        events: The device's voice.
        refusals: What was refused.
        loaded: The committed model that is being served, None during a trial or without one.
    """

    def __init__(
        self, identity: EnrolAnswer, config: AgentConfig, board: Board, serving: Serving
    ) -> None:
        """Read the journal; where it is damaged, make one from the models that are whole.

        Args:
            identity: What this device was told when it enrolled.
            config: Its hardware type and its labels.
            board: What it is plugged into.
            serving: Where models answer.
        """
        self.device, self.cohort = identity.device, identity.cohort
        self.hardware, self._labels = config.hardware, config.labels
        self.board = board
        self.serving = serving
        self.trust = Trust(identity, board.disk, board.clock)
        self.slots = Slots(board.disk)
        self.events = Events(identity.device, board.clock, board.outbox)
        self.loaded: Slot | None = None
        self._unsaid: list[str] = []
        self._said: set[EventKind] = set()
        copies = sealed.load(board.disk, FOLDER, Journal)
        self._unsaid += [f"damaged, {text}" for text in copies.damage + self.trust.damage]
        self.journal = copies.newest or self._rebuild()
        self._alone = copies.older is None or copies.older.lasting != self.journal.lasting
        self.refusals = Refusals(self.journal.refusals, self.events)

    @property
    def desired(self) -> DesiredState:
        """The accepted statement, while an update is under way."""
        return self._there(self.journal.desired)

    @property
    def target(self) -> Release:
        """The release under way."""
        return self._there(self.journal.target)

    @property
    def incoming(self) -> Slot:
        """The same as content, once its manifest has been checked."""
        return self._there(self.journal.incoming)

    @property
    def sequence(self) -> int:
        """The number of the accepted statement, 0 for none."""
        return self.journal.desired.sequence if self.journal.desired is not None else 0

    def wanted(self, desired: DesiredState) -> Release | None:
        """What a statement means for this device; None: keep what is there."""
        return membership.assigned(desired, self.device, self.hardware, self._labels)

    def decline(self, error: RefusedError, now: float) -> None:
        """Give the target up for this statement, as a check has refused it.

        Args:
            error: Why.
            now: Monotonic seconds.

        Raises:
            DiskFullError: No room; nothing has changed.
        """
        sha256 = self.target.manifest_sha256
        self.refusals.note(error, f"{sha256} {self.sequence}", now)
        self.move(
            Event.DECLINED, target=None, incoming=None, declined=sha256, last_error=str(error)
        )

    def move(self, event: Event, **changes: object) -> None:
        """Follow the table; the new state is durable when this returns.

        Args:
            event: What has happened.
            changes: What else changes in the journal.

        Raises:
            DiskFullError: No room; nothing has changed.
        """
        self.note(state=follow(self.journal.state, event), **changes)
        if event is Event.TARGETED:
            self._said.clear()

    def note(self, **changes: object) -> None:
        """Change the journal; durable when this returns.

        Raises:
            DiskFullError: No room; nothing has changed.
        """
        counts = dict(self.refusals.counts)
        changed = msgspec.structs.replace(self.journal, refusals=counts, **changes)
        save = sealed.save
        if self._alone or changed.lasting != self.journal.lasting:
            save = sealed.save_both
        self.journal = save(self.board.disk, FOLDER, changed)
        self._alone = False

    def mend(self) -> None:
        """Have both copies of the journal hold what must not go back, where one lacks it.

        Raises:
            DiskFullError: No room; one of them holds it.
        """
        if self._alone and self.journal.generation:
            self.note()

    def say(self, kind: EventKind, text: str) -> None:
        """Report what has become of the incoming model, before the journal moves on.

        Said once an update, also where the journal then finds no room and the step runs again; a
        power cut between the two has it said twice, never not at all.

        Raises:
            DiskFullError: No room; nothing was said.
        """
        if kind not in self._said:
            slot = self.incoming
            self.events.say(kind, text, version=slot.version, artifact=slot.artifact)
            self._said.add(kind)

    def serve_committed(self) -> None:
        """Have the best committed model that is whole answer; what is wrong is said later."""
        self.loaded, faults = serve_best(self.journal.slots, self.slots, self.serving)
        if faults:
            self._unsaid.append(faults)

    def speak(self) -> None:
        """Report the faults that could not be reported when they were found.

        Raises:
            DiskFullError: No room; they are still to be said.
        """
        while self._unsaid:
            self.events.say(EventKind.FAULT, self._unsaid[0])
            del self._unsaid[0]

    def _there(self, thing: T | None) -> T:
        if thing is None:
            raise ValueError(f"this cannot be asked while the update is {self.journal.state}")
        return thing

    def _rebuild(self) -> Journal:
        found = self.slots.survey()
        slots = [slot for slot, _ in found]
        if slots:
            self._unsaid.append("there is no journal: going on with the newest whole model here")
        return Journal(
            active=slots[0] if slots else None,
            previous=slots[1] if len(slots) > 1 else None,
            factory=slots[-1] if slots else None,
            floor=max((manifest.floor for _, manifest in found), default=0),
        )
