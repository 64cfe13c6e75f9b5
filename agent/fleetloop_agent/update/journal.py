"""The one durable record of the update: what stands here is what is resumed after a power cut."""

from pathlib import Path
from typing import ClassVar

import msgspec

from fleetloop_agent.sealed import Record
from fleetloop_agent.update.states import State
from fleetloop_shared.messages import DesiredState, Release

FOLDER = Path("journal")
"""Where its two sealed copies are."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A model on this disk, by content.

    Attributes:
        model: Its name.
        version: Its version.
        artifact: SHA-256 of the artifact.
        manifest: SHA-256 of the manifest.
    """

    model: str
    version: int
    artifact: str
    manifest: str

    def __str__(self) -> str:
        """Name and version, as people call it."""
        return f"{self.model} {self.version}"


class Journal(Record, frozen=True, kw_only=True):
    """Where the update stands.

    Attributes:
        state: The state in the table.
        desired: The last accepted statement, whole.
        floor: The highest security floor ever accepted.
        target: The release the device is moving to.
        incoming: The same as content, once its manifest has been checked.
        lapsed: Manifest of a release that its deadline has stopped; what is here of it is kept.
        declined: Manifest of a release that ended badly; not tried again for this statement.
        active: The committed model.
        previous: The one committed before it.
        factory: The first ever committed.
        attempts_left: Starts that an armed trial has left.
        quarantine: Models that have failed on this device.
        refusals: How often each kind of refusal has happened.
        resumed_fetches: Fetches taken up again after a restart.
        last_error: Why the last update ended badly.
        challenger: What runs, or is to run, beside the active model; its manifest is checked.
        challenger_passed: Whether its self-test has passed.
        challenger_starts: How often it was loaded without having run for a while since.
    """

    FORMAT: ClassVar[int] = 1

    state: State = State.SERVING
    desired: DesiredState | None = None
    floor: int = 0
    target: Release | None = None
    incoming: Slot | None = None
    lapsed: str | None = None
    declined: str | None = None
    active: Slot | None = None
    previous: Slot | None = None
    factory: Slot | None = None
    attempts_left: int = 0
    quarantine: tuple[Slot, ...] = ()
    refusals: dict[str, int] = msgspec.field(default_factory=dict)
    resumed_fetches: int = 0
    last_error: str | None = None
    challenger: Slot | None = None
    challenger_passed: bool = False
    challenger_starts: int = 0

    @property
    def lasting(self) -> tuple[object, ...]:
        """What must not go back, whichever copy is damaged."""
        return self.desired, self.floor, self.active, self.quarantine

    @property
    def slots(self) -> list[Slot]:
        """What may be served, best first."""
        return [slot for slot in (self.active, self.previous, self.factory) if slot is not None]

    @property
    def kept(self) -> list[Slot]:
        """What stays on the disk: what may be served, and the challenger."""
        return [*self.slots, self.challenger] if self.challenger is not None else self.slots
