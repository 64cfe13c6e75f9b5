"""A device in a test: a link without a broker, a clock that stands, a self-test that is told."""

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from fleetloop_agent.errors import ModelError
from fleetloop_agent.ports import (
    ApplicationLock,
    Board,
    Clock,
    Finding,
    Health,
    Host,
    Model,
    Outbox,
    Pending,
    Rows,
    Runtime,
    SelfTest,
    Serving,
)
from fleetloop_shared.codec import decode, decode_compressed, encode, encode_compressed
from fleetloop_shared.durable import Disk
from fleetloop_shared.link import Connected, Disconnected, Event, Link, Received, Will
from fleetloop_shared.manifest import Manifest, Signature
from fleetloop_shared.reports import EventReport, Report
from fleetloop_shared.system import SystemHealth
from fleetloop_shared.topics import Topic


class AskingApplication(ApplicationLock):
    """Asks to wait since a moment that a test sets."""

    def __init__(self) -> None:
        self.at: float | None = None

    def touched_at(self) -> float | None:
        return self.at


class StandingClock(Clock):
    """Time passes when a test says so."""

    def __init__(self, at: float = 1000.0) -> None:
        self.at = at
        self.wrong_by_s = self.ahead = 0.0

    def now(self) -> float:
        return 1_700_000_000.0 + self.at + self.wrong_by_s

    def monotonic(self) -> float:
        return self.at

    def ahead_s(self, at: float) -> float:
        return self.ahead


@dataclass
class MemoryLink(Link):
    """A link whose broker is a dictionary of retained messages that the test fills."""

    retained: dict[str, bytes] = field(default_factory=dict)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)
    subscriptions: set[str] = field(default_factory=set)
    will: Will | None = None
    accepts: bool = True
    _connected: bool = False
    _conn: int = 0
    _events: list[Event] = field(default_factory=list)

    def start(self, will: Will | None) -> None:
        self.will = will

    def stop(self) -> None:
        self._connected = False

    def connect(self) -> None:
        self._conn += 1
        self._connected = True
        self._events.append(Connected(self._conn))

    def disconnect(self) -> None:
        self._connected = False
        self.subscriptions.clear()
        self._events.append(Disconnected("the test pulled the plug"))

    def deliver(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """Have the broker send this, to whom it may concern."""
        if self._connected and any(fnmatch.fnmatch(topic, f) for f in self.subscriptions):
            self._events.append(Received(topic, payload, retained))

    def inject(self, event: Event) -> None:
        """An event as an attacker or a broken broker would cause it."""
        self._events.append(event)

    def keep(self, topic: str, payload: bytes) -> None:
        """Publish a retained message as the hub."""
        self.retained[topic] = payload
        self.deliver(topic, payload)

    @property
    def connected(self) -> bool:
        return self._connected

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retained: bool = False) -> bool:
        if self._connected and self.accepts:
            self.published.append((topic, payload))
            return True
        return False

    def subscribe(self, filter_: str, qos: int = 1) -> None:
        if self._connected:
            self.subscriptions.add(filter_)
            self.subscribed.append(filter_)
            if filter_ in self.retained:
                self.deliver(filter_, self.retained[filter_], retained=True)

    def unsubscribe(self, filter_: str) -> None:
        self.subscriptions.discard(filter_)

    def events(self) -> list[Event]:
        drained, self._events = self._events, []
        return drained

    def wait(self, timeout_s: float) -> None:
        """Nothing comes by itself."""

    def sent(self, topic: str) -> list[bytes]:
        """What was published there."""
        return [payload for where, payload in self.published if where == topic]


@dataclass
class MemoryOutbox(Outbox):
    """An outbox in memory; a test can take its room away."""

    records: list[Pending] = field(default_factory=list)
    appended: int = 0
    acknowledged: int = 0
    before_append: Callable[[], None] = lambda: None

    @property
    def boot(self) -> int:
        return 1

    def append(self, topic: Topic, build: Callable[[int, int], Report]) -> None:
        self.before_append()
        report = build(self.boot, self.appended + 1)
        payload = encode_compressed(report) if topic.row.compressed else encode(report)
        self.appended += 1
        self.records.append(Pending(self.boot, self.appended, topic, payload))

    def pending(self, limit: int) -> list[Pending]:
        return self.records[:limit]

    def acknowledge(self, boot: int, seqs: list[int]) -> None:
        kept = [p for p in self.records if p.boot != boot or p.seq not in seqs]
        self.acknowledged += len(self.records) - len(kept)
        self.records = kept

    def counts(self) -> tuple[int, int, int]:
        return self.appended, self.acknowledged, 0

    @property
    def size_bytes(self) -> int:
        return sum(len(record.payload) for record in self.records)

    def events(self) -> list[EventReport]:
        return [decode(p.payload, EventReport) for p in self.records if p.topic is Topic.EVENTS]

    def reports(self, topic: Topic) -> list[Report]:
        read = decode_compressed if topic.row.compressed else decode
        kind = cast(type[Report], topic.row.message)
        return [read(p.payload, kind) for p in self.records if p.topic is topic]


class ToldSelfTest(SelfTest):
    """Finds what it is told to find."""

    def __init__(self) -> None:
        self.finding: Finding | None = Finding(passed=True, text="told to pass")
        self.started: list[str] = []

    def start(self, manifest: Manifest, artifact: bytes) -> None:
        self.started.append(manifest.sha256)

    def poll(self) -> Finding | None:
        return self.finding if self.started else Finding(passed=False, text="never started")


class MemoryServing(Serving):
    """Answers as a test says; refuses to load the versions in `unloadable`."""

    def __init__(self) -> None:
        self.loads: list[int] = []
        self.unloadable: set[int] = set()
        self.rows = 0
        self.errors = 0
        self._manifest: Manifest | None = None

    def load(self, manifest: Manifest, artifact: bytes) -> None:
        if manifest.version in self.unloadable:
            raise ModelError(f"told not to load {manifest.version}")
        self.loads.append(manifest.version)
        self._manifest, self.rows, self.errors = manifest, 0, 0

    def unload(self) -> None:
        self._manifest = None

    @property
    def manifest(self) -> Manifest | None:
        return self._manifest

    @property
    def version(self) -> int | None:
        return None if self._manifest is None else self._manifest.version

    def health(self) -> Health:
        return Health(self.rows, self.errors)


class ConstantModel(Model):
    def outputs(self, rows: Rows) -> Rows:
        return np.tile(np.array([0.25, 0.75], dtype=np.float32), (len(rows), 1))


class ConstantRuntime(Runtime):
    """Every model answers 0.75."""

    def load(self, artifact: bytes, signature: Signature) -> Model:
        return ConstantModel()


class SmallHost(Host):
    def __init__(self) -> None:
        self.rss = 50_000_000

    def rss_bytes(self) -> int:
        return self.rss

    def system(self) -> SystemHealth:
        return SystemHealth(memory_available_bytes=200_000_000, temperature_c=40.0)


@dataclass
class Bench:
    """A board whose parts a test can get at; `restart` keeps disk, outbox and clock."""

    disk: Disk
    clock: StandingClock = field(default_factory=StandingClock)
    link: MemoryLink = field(default_factory=MemoryLink)
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    self_test: ToldSelfTest = field(default_factory=ToldSelfTest)
    serving: MemoryServing = field(default_factory=MemoryServing)
    application: AskingApplication = field(default_factory=AskingApplication)
    host: SmallHost = field(default_factory=SmallHost)

    def board(self) -> Board:
        return Board(
            clock=self.clock,
            disk=self.disk,
            link=self.link,
            outbox=self.outbox,
            self_test=self.self_test,
            runtime=ConstantRuntime(),
            host=self.host,
            application_lock=self.application,
        )
