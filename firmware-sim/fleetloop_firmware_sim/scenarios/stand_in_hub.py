"""As much of a hub as a story needs: it seeds a release, states what to run, hears reports."""

import zlib
from dataclasses import dataclass, field

from msgspec.structs import replace

from fleetloop_firmware_sim.clock import EPOCH_S
from fleetloop_firmware_sim.scenarios.releases import Packed
from fleetloop_firmware_sim.scenarios.repositories import Issue, Repository, payload
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.link import Connected, Event, Link, Received
from fleetloop_shared.messages import Ack, ChunkRequest, DesiredState, ReportedState, Shadow
from fleetloop_shared.reports import EventKind, EventReport, Report
from fleetloop_shared.topics import Address, Topic, parse
from fleetloop_shared.trust import desired_target, manifest_target

EVERYONE = 10_000
"""The phase that holds every device."""


@dataclass(frozen=True)
class Keys:
    """What a hub signs with.

    Attributes:
        image: Says what exists.
        director: Says what to run.
    """

    image: Repository = field(default_factory=lambda: Repository(EPOCH_S))
    director: Repository = field(default_factory=lambda: Repository(EPOCH_S))


class StandInHub:
    """The other end of the wire; it believes nothing that it was not told over it.

    Attributes:
        keys: What it signs with.
        cohort: The one cohort there is.
        reported: What each device said last about itself.
        events: What happened on devices, by (device, boot, seq).
        payloads: Every report as it came, by (device, boot, seq).
        contradictions: Reports that came twice with different words.
        went_back: Whether any device has told of older metadata, an older statement or an earlier
            time floor than before.
        signed: How often it has signed.
    """

    def __init__(self, link: Link, keys: Keys, cohort: str = "default") -> None:
        """Begin to connect.

        Args:
            link: To the broker that the devices use.
            keys: What it signs with.
            cohort: The devices' cohort.
        """
        self.keys = keys
        self.cohort = cohort
        self.reported: dict[str, ReportedState] = {}
        self.events: dict[tuple[str, int, int], EventReport] = {}
        self.payloads: dict[tuple[str, int, int], bytes] = {}
        self.contradictions: list[tuple[str, int, int]] = []
        self.went_back = False
        self._link = link
        self._sequence = self.signed = 0
        self._said: DesiredState | None = None
        self._listed: dict[str, bytes] = {}
        self._retained: dict[str, bytes] = {}
        link.start(None)

    def release(self, packed: Packed, now: float, soak_rows: int = 8) -> DesiredState:
        """Seed a release and tell every device to run it."""
        self._seed(packed)
        self._sequence += 1
        desired = DesiredState(
            cohort=self.cohort,
            sequence=self._sequence,
            rollout=f"rollout-{self._sequence}",
            salt=f"salt-{self._sequence}",
            phase=EVERYONE,
            release=packed.release,
            control=None,
            floor=0,
            issued_at=now,
            soak_rows=soak_rows,
            soak_s=1e6,
        )
        self._said = desired
        self.sign(desired, now)
        return desired

    def challenge(self, packed: Packed, now: float) -> None:
        """Seed a release and tell every device to run it beside what it was told to run last."""
        if self._said is None:
            raise ValueError("nothing was released that it could run beside")
        self._seed(packed)
        self._sequence += 1
        shadow = Shadow(release=packed.release, rows_share=1.0, most_delay_ms=1_000.0)
        self._said = replace(self._said, sequence=self._sequence, shadow=shadow)
        self.sign(self._said, now)

    def _seed(self, packed: Packed) -> None:
        self._keep(packed.release.manifest_sha256, [packed.document])
        self._keep(packed.manifest.transport.sha256, packed.chunks)
        path = manifest_target(packed.release.model, packed.release.version)
        self._listed[path] = packed.document

    def sign(self, desired: DesiredState, now: float) -> None:
        """Publish both bundles, signed now: what exists, and what is to run."""
        self.signed += 1
        how = Issue(self.signed, now)
        image = self.keys.image.issue(how, self._listed, carried=False)
        self.say(Topic.IMAGE.at(), payload(image))
        stated = {desired_target(self.cohort): encode(desired)}
        director = self.keys.director.issue(how, stated)
        self.say(Topic.DIRECTOR.at(cohort=self.cohort), payload(director))

    def restarted(self, link: Link) -> "StandInHub":
        """The same hub, knowing what it knew, at another broker; each goes its own way from here.

        Args:
            link: To the other broker.
        """
        other = StandInHub(link, self.keys, self.cohort)
        other.reported = dict(self.reported)
        other.events = dict(self.events)
        other.payloads = dict(self.payloads)
        other.contradictions = list(self.contradictions)
        other.went_back = self.went_back
        other._sequence, other.signed, other._said = self._sequence, self.signed, self._said
        other._listed = dict(self._listed)
        other._retained = dict(self._retained)
        return other

    def aside(self, link: Link, waiting: list[Event]) -> "StandInHub":
        """The same hub with another link, when it has heard what is on its way to this one.

        Args:
            link: The other link; nothing is sent before it connects.
            waiting: What is on its way.
        """
        other = self.restarted(link)
        other.take([event for event in waiting if isinstance(event, Received)])
        return other

    def step(self) -> None:
        """Hear what has come, and answer."""
        self.take(self._link.events())

    def take(self, events: list[Event]) -> None:
        """Hear events of the link."""
        for event in events:
            if isinstance(event, Connected):
                for topic in Topic:
                    if topic.row.outbox or topic in {Topic.REPORTED, Topic.GET}:
                        self._link.subscribe(topic.every())
                for name, said in self._retained.items():
                    self._link.publish(name, said, retained=True)
            elif isinstance(event, Received) and (address := parse(event.topic)) is not None:
                self._hear(address, event)

    def said(self, topic: str) -> bytes:
        """What it says on a topic."""
        return self._retained[topic]

    def told(self, kind: EventKind, version: int) -> bool:
        """Whether any device has said that this happened to a version."""
        return any(e.kind is kind and e.version == version for e in self.events.values())

    def _hear(self, address: Address, event: Received) -> None:
        if address.topic is Topic.REPORTED:
            device, reported = address.names["device"], decode(event.payload, ReportedState)
            before = self.reported.get(device, reported)
            self.went_back |= _told_less(reported, before)
            self.reported[device] = reported
        elif address.topic is Topic.GET:
            wanted = decode(event.payload, ChunkRequest)
            for index in wanted.missing:
                name = Topic.BLOB.at(sha256=wanted.sha256, index=index)
                if name in self._retained:
                    self.say(name, self._retained[name])
        elif address.topic.row.outbox:
            self._commit(address, event.payload)

    def _commit(self, address: Address, said: bytes) -> None:
        device = address.names["device"]
        if address.topic is Topic.EVENTS:
            report: Report = decode(said, EventReport)
        else:
            row = address.topic.row
            data = zlib.decompress(said) if row.compressed else said
            report = decode(data, Report)
        key = (device, report.boot, report.seq)
        if self.payloads.setdefault(key, said) != said:
            self.contradictions.append(key)
        if isinstance(report, EventReport):
            self.events[key] = report
        ack = Ack(boot=report.boot, seqs=[report.seq])
        self._link.publish(Topic.ACK.at(device=device), encode(ack))

    def _keep(self, sha256: str, chunks: list[bytes]) -> None:
        for index, chunk in enumerate(chunks):
            self.say(Topic.BLOB.at(sha256=sha256, index=index), chunk)

    def say(self, topic: str, said: bytes) -> None:
        """Publish what stays, now and whenever the broker has lost it."""
        self._retained[topic] = said
        self._link.publish(topic, said, retained=True)


def _told_less(reported: ReportedState, before: ReportedState) -> bool:
    return (
        reported.sequence < before.sequence
        or reported.image_version < before.image_version
        or reported.director_version < before.director_version
        or reported.time_floor < before.time_floor
    )
