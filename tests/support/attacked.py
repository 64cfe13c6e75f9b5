"""A device under attack: the real agent core with a model that serves, and what must hold after."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

from fleetloop_agent.update.journal import Journal
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.scenarios.repositories import Issue, Repository, payload, signed
from fleetloop_shared.codec import decode_compressed, encode
from fleetloop_shared.messages import DesiredState
from fleetloop_shared.reports import EventKind, EventReport
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import Bundle, desired_target
from support.agent_board import Bench
from support.agent_rig import AgentRig
from support.hubside import COHORT, Hubside, Shipment, score

OWN, IMAGE = Topic.DIRECTOR.at(cohort=COHORT), Topic.IMAGE.at()
DAY_S = 86_400.0
SOAK: dict[str, object] = {"soak_rows": 1, "soak_s": 0.0}
FIRST = 5
"""The sequence of the statement that the device follows before the attack."""

_COUNTS = {"generation": 0, "refusals": {}}


class Attacked:
    """One device that serves version 1; a good version 2 is still to come."""

    def __init__(self) -> None:
        self.hub = Hubside()
        self.flash = Flash()
        self.one, self.two = self.hub.ship(1), self.hub.ship(2)
        self.rig = AgentRig(self.hub, Bench(self.flash))
        self.link = self.rig.bench.link
        self.link.connect()
        self.send(self.one, FIRST)
        self.rig.run(4)
        assert self.serves() == 1
        self.remember()

    def remember(self) -> None:
        """What the attack must leave as it is."""
        self.before, self.journal = self.files(), self.rig.agent.updater.journal
        self.serving = self.serves()

    def files(self) -> dict[Path, bytes]:
        """Everything on the device's disk."""
        return dict(self.flash.image().files)

    def send(self, shipment: Shipment, sequence: int, **changes: object) -> None:
        """As the hub, with everything in order."""
        self.rig.direct(shipment, sequence, **{**SOAK, **changes})

    def statement(self, sequence: int, shipment: Shipment, **changes: object) -> DesiredState:
        """What the director would say."""
        return self.hub.desire(sequence, shipment.release, **{**SOAK, **changes})

    def attack(self, message: bytes, topic: str = OWN, *, seconds: float = 2.0) -> None:
        """As somebody with all rights at the broker; then some time passes."""
        self.link.keep(topic, message)
        self.rig.run(seconds)

    def bring(self, shipment: Shipment) -> None:
        """Put a version's manifest and chunks where devices fetch them."""
        for topic, data in shipment.blobs.items():
            self.link.keep(topic, data)

    def serves(self) -> int:
        """The version that answers, after it has answered as that version must."""
        manifest = self.rig.agent.predictor.manifest
        assert manifest is not None
        (answer,) = self.rig.agent.predictor.predict([{"temperature": 0.5, "pressure": -0.25}])
        assert abs(answer.score - score([0.5, -0.25], float(manifest.version))) < 1e-5
        return manifest.version

    def refused(self) -> list[EventReport]:
        """What the device has told the hub that it has refused."""
        return self.rig.events(EventKind.REFUSED)

    def unharmed(
        self, reason: str, topic: str | None = OWN, *, wrote: Iterable[str] = (), **journal: object
    ) -> None:
        """The disk, what serves, and what was reported: nothing but the refusal has happened.

        Args:
            reason: The attack class.
            topic: Where it came in.
            wrote: Folders whose files may have changed besides the journal's counts.
            journal: What else may be said in the journal now.
        """
        self.rig.run(61)  # after so long counts are in the journal
        after = self.files()
        changed = {p for p in {*after, *self.before} if after.get(p) != self.before.get(p)}
        assert {path.parts[0] for path in changed} <= {"journal", "monitor", *wrote}, changed
        assert _without_counts(self.rig.agent.updater.journal) == _without_counts(
            msgspec.structs.replace(self.journal, **journal)
        )
        assert self.serves() == self.serving
        assert set(self.rig.reported.refusals) == {reason}
        assert self.rig.agent.updater.journal.refusals == self.rig.reported.refusals
        assert {event.reason for event in self.refused()} == {reason}
        assert self.refused()[-1].topic == topic

    def follows_its_own_director(self, sequence: int = 1_000) -> None:
        """The attack has not poisoned what the device believes: the next true statement is done."""
        self.send(self.two, sequence)
        self.rig.run(4)
        assert self.serves() == 2


def _without_counts(journal: Journal) -> Journal:
    return msgspec.structs.replace(journal, **_COUNTS)


def bent(message: bytes, **changes: object) -> bytes:
    """A bundle of which somebody has changed parts that he could not sign."""
    return payload(msgspec.structs.replace(decode_compressed(message, Bundle), **changes))


def resigned(by: Repository, how: Issue, targets: str, targets_version: int) -> Bundle:
    """Targets that somebody else has signed, under a new snapshot and timestamp of a thief."""
    whole = by.issue(how, {})
    until = Metadata[Snapshot].from_bytes(whole.snapshot.encode()).signed.expires
    meta = MetaFile.from_data(targets_version, targets.encode(), ["sha256"])
    snapshot = signed(
        Snapshot(version=how.version, expires=until, meta={"targets.json": meta}),
        by.keys["snapshot"],
    )
    meta = MetaFile.from_data(how.version, snapshot.encode(), ["sha256"])
    timestamp = Timestamp(version=how.version, expires=until, snapshot_meta=meta)
    return msgspec.structs.replace(
        whole,
        targets=targets,
        snapshot=snapshot,
        timestamp=signed(timestamp, by.keys["timestamp"]),
    )


def restamped(by: Repository, how: Issue, true: Bundle) -> Bundle:
    """A true bundle under a new timestamp of somebody who has that key alone."""
    until = Metadata[Timestamp].from_bytes(by.issue(how, {}).timestamp.encode()).signed.expires
    version = Metadata[Snapshot].from_bytes(true.snapshot.encode()).signed.version
    meta = MetaFile.from_data(version, true.snapshot.encode(), ["sha256"])
    timestamp = Timestamp(version=how.version, expires=until, snapshot_meta=meta)
    return msgspec.structs.replace(true, timestamp=signed(timestamp, by.keys["timestamp"]))


def files_of(desired: DesiredState) -> dict[str, bytes]:
    """What a director lists for a statement."""
    return {desired_target(desired.cohort): encode(desired)}
