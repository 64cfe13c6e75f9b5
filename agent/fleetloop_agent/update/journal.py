"""The one durable record of the update: what stands here is what is resumed after a power cut."""

from pathlib import Path

import msgspec

from fleetloop_agent.update.states import State
from fleetloop_shared import durable
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.messages import DesiredState, Release

FORMAT = 1
COPIES = (Path("journal/0.json"), Path("journal/1.json"))
"""Written in turn: damage to the newer copy costs one step, never the floor or the sequence."""

_SEAL_BYTES = 64


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A model on this disk, by content.

    Attributes:
        model: Its name.
        version: Its version.
        artifact: SHA-256 of the artifact.
        manifest: SHA-256 of the signed manifest.
    """

    model: str
    version: int
    artifact: str
    manifest: str


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """Where the update stands.

    Attributes:
        format: The version of this form.
        generation: How often a journal has been written.
        state: The state in the table.
        desired: The last accepted statement, whole.
        floor: The highest security floor ever accepted.
        target: The release the device is moving to.
        incoming: The same as content, once its manifest has been checked.
        declined: Manifest of a release that ended badly; not tried again for this statement.
        active: The committed model.
        previous: The one committed before it.
        factory: The first ever committed.
        attempts_left: Starts that an armed trial has left.
        quarantine: Models that have failed on this device.
        refusals: How often each kind of refusal has happened.
        resumed_fetches: Fetches taken up again after a restart.
        last_error: Why the last update ended badly.
    """

    format: int = FORMAT
    generation: int = 0
    state: State = State.SERVING
    desired: DesiredState | None = None
    floor: int = 0
    target: Release | None = None
    incoming: Slot | None = None
    declined: str | None = None
    active: Slot | None = None
    previous: Slot | None = None
    factory: Slot | None = None
    attempts_left: int = 0
    quarantine: tuple[Slot, ...] = ()
    refusals: dict[str, int] = {}
    resumed_fetches: int = 0
    last_error: str | None = None

    @property
    def slots(self) -> list[Slot]:
        """What may be served, best first."""
        return [slot for slot in (self.active, self.previous, self.factory) if slot is not None]


def save(disk: Disk, journal: Journal) -> Journal:
    """Make `journal` the one that is resumed; returns it as it was written.

    Raises:
        DiskFullError: No room; the journal before it stands.
    """
    written = msgspec.structs.replace(journal, generation=journal.generation + 1)
    body = encode(written)
    path = COPIES[written.generation % len(COPIES)]
    durable.replace(disk, path, sha256_hex(body).encode() + b"\n" + body)
    return written


def load(disk: Disk) -> tuple[Journal | None, list[str]]:
    """The newest whole journal, None if there is none, and what was wrong with the others."""
    found: list[Journal] = []
    damage: list[str] = []
    for path in COPIES:
        try:
            found.append(_read(disk.read(path)))
        except FileNotFoundError:
            continue
        except UndecodableError as error:
            damage.append(f"{path}: {error}")
    return max(found, key=lambda j: j.generation, default=None), damage


def _read(data: bytes) -> Journal:
    seal, body = data[:_SEAL_BYTES], data[_SEAL_BYTES + 1 :]
    if sha256_hex(body).encode() != seal:
        raise UndecodableError("torn or changed: its seal does not match")
    journal = decode(body, Journal)
    if journal.format != FORMAT:
        raise UndecodableError(f"format {journal.format} is not {FORMAT}: update the agent")
    return journal
