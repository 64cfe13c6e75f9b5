"""A hub and many devices in processes of their own, moving one artifact in one of two ways.

"ours" is the real thing: `Seeder` at the hub, `Window` and `Part` on each device, `PahoLink` on
both sides. "theirs" is a request/response transfer per device, written after the documents of AWS
IoT's MQTT-based file delivery (GetStream: the device asks for the next n blocks and gets each on a
topic of its own) and of ThingsBoard's `v2/fw/request/…/chunk/…` (n = 1); devices check and keep the
chunks with the same `Part`, so that only the way of the bytes differs.
"""

import contextlib
import selectors
import socket
import struct
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from fleetloop_agent.config import FetchConfig
from fleetloop_agent.update.parts import Part
from fleetloop_agent.update.window import Window
from fleetloop_hub.delivery.seeding import Seeder, Uplink
from fleetloop_hub.records import Version
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.link import Connected, Link, Received
from fleetloop_shared.manifest import Transport
from fleetloop_shared.messages import ChunkRequest
from fleetloop_shared.paho_link import PahoLink
from fleetloop_shared.topics import Topic, parse
from support.cutting import cut
from support.hubparts import make_version, parts
from support.light_link import LightLink

WINDOW = 8
"""Chunks that a device waits for at a time; of theirs, blocks of one request."""

PATIENCE_S = 120.0

_FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - no real disk decides here
_BYTES_ACKED_AT = 120  # in struct tcp_info, linux/tcp.h


class Stream(msgspec.Struct, frozen=True):
    """Their request: the index of the first block, and how many."""

    o: int
    n: int


@dataclass(frozen=True)
class Account:
    """How to connect."""

    address: str
    username: str
    password: str

    def link(self) -> PahoLink:
        return PahoLink(self.address, self.username, self.username, self.password)

    def light_link(self) -> LightLink:
        return LightLink(self.address, self.username, self.password)


@dataclass
class Tally:
    """What one process has seen.

    Attributes:
        done: Devices that have the whole artifact.
        twice: Chunks that came to a device that had them already.
        sent_bytes: What TCP has carried away from the hub.
        cpu_s: Processor seconds.
    """

    done: int = 0
    twice: int = 0
    sent_bytes: int = 0
    cpu_s: float = 0.0


@dataclass(frozen=True)
class Kind:
    """What the devices are like.

    Attributes:
        drains: They neither check nor keep what comes. A hundred devices bring a hundred
            processors; here they share two with what is to be measured.
        cuts: So many of them lose the network half-way, and all have the real link. Otherwise links
            are light.
    """

    drains: bool = False
    cuts: int = 0


# --- hub -----------------------------------------------------------------------------------------


def hub(ours: bool, account: Account, encoded: bytes, chunk_bytes: int, pipe: Connection) -> None:  # noqa: FBT001 - through a process's border
    """Publish until told to end."""
    link = account.link()
    link.start(None)
    _until_connected([link])
    with tempfile.TemporaryDirectory(dir=_FAST) as folder, parts(Path(folder)) as kept:
        server: OurHub | TheirHub
        if ours:
            version = msgspec.structs.replace(
                make_version(kept, 1), transport=kept.blobs.put(encoded)
            )
            seeder = Seeder(
                kept.catalog,
                kept.blobs,
                Uplink(
                    lambda topic, payload, retained: link.publish(
                        topic, payload, retained=retained
                    ),
                    lambda: link.backlog_bytes,
                ),
            )
            server = OurHub(link, seeder, version, chunk_bytes)
        else:
            server = TheirHub(link, encoded, chunk_bytes)
        pipe.send("ready")
        pipe.recv()
        before = _acked_bytes(link)
        server.begin()
        pipe.send("begun")
        began = time.process_time()
        while not pipe.poll():
            server.step()
            link.wait(0.002)
        pipe.send(Tally(sent_bytes=_acked_bytes(link) - before, cpu_s=time.process_time() - began))
        link.stop()


class OurHub:
    """The seeder on its link."""

    def __init__(self, link: PahoLink, seeder: Seeder, version: Version, chunk_bytes: int) -> None:
        self._link, self._seeder = link, seeder
        self._version, self._chunk_bytes = version, chunk_bytes
        link.subscribe(Topic.GET.every())

    def begin(self) -> None:
        """Have every chunk on the broker, as before a statement that names it is followed."""
        self._seeder.want([(self._version, self._chunk_bytes)])
        self.step()
        while self._seeder._queue or self._link.backlog_bytes:
            self.step()
            time.sleep(0.001)

    def step(self) -> None:
        for event in self._link.events():
            if isinstance(event, Received) and (address := parse(event.topic)):
                request = decode(event.payload, ChunkRequest)
                self._seeder.answer(address.names["device"], request, time.monotonic())
        self._seeder.pump(time.monotonic())


class TheirHub:
    """Answers each device's requests with blocks on that device's topic."""

    def __init__(self, link: PahoLink, encoded: bytes, chunk_bytes: int) -> None:
        self._link, self._encoded, self._chunk_bytes = link, encoded, chunk_bytes
        self._queue: deque[tuple[str, int]] = deque()
        self._blocks = -(-len(encoded) // chunk_bytes)
        link.subscribe("fleetloop/v1/devices/+/up/stream", qos=0)

    def begin(self) -> None:
        """Nothing is sent before it is asked for."""

    def step(self) -> None:
        for event in self._link.events():
            if isinstance(event, Received):
                device = event.topic.split("/")[3]
                asked = decode(event.payload, Stream)
                last = min(self._blocks, asked.o + asked.n)
                self._queue.extend((device, index) for index in range(asked.o, last))
        size = self._chunk_bytes
        while self._queue:
            device, index = self._queue[0]
            topic = f"fleetloop/v1/devices/{device}/down/stream/{index}"
            block = self._encoded[index * size : (index + 1) * size]
            if not self._link.publish(topic, block, qos=0):
                return
            self._queue.popleft()


# --- devices -------------------------------------------------------------------------------------


class Ours:
    """The real window over whatever link."""

    def __init__(self, name: str, link: Link, part: Part) -> None:
        self.link, self.part, self.twice = link, part, 0
        self.window = Window(name, link, FetchConfig(window=WINDOW))
        self.window.open(part)

    def step(self) -> None:
        now = time.monotonic()
        for event in self.link.events():
            if isinstance(event, Connected):
                self.window.reconnected()
            elif isinstance(event, Received) and (address := parse(event.topic)):
                index = int(address.names["index"])
                self.twice += self.part.has(index) and bool(event.payload)
                self.window.receive(address.names["sha256"], index, event.payload, now)
        self.window.step(now)


class Theirs:
    """Asks for the next blocks when the last ones are here."""

    def __init__(self, name: str, link: Link, part: Part, blocks: int) -> None:
        self.link, self.part, self.twice = link, part, 0
        self._name, self._blocks, self._first, self._last = name, blocks, 0, 0
        link.subscribe(f"fleetloop/v1/devices/{name}/down/#", qos=0)

    def step(self) -> None:
        for event in self.link.events():
            if isinstance(event, Received):
                index = int(event.topic.rpartition("/")[2])
                self.twice += self.part.has(index)
                self.part.put(index, event.payload)
        if all(self.part.has(index) for index in range(self._first, self._last)):
            self._first = self._last
            self._last = min(self._first + self._blocks, len(self.part.transport.chunks))
            if self._first < self._last:
                topic = f"fleetloop/v1/devices/{self._name}/up/stream"
                self.link.publish(topic, encode(Stream(self._first, self._blocks)), qos=0)


def _device(way: str, name: str, link: Link, part: Part) -> Ours | Theirs:
    if way == "ours":
        return Ours(name, link, part)
    return Theirs(name, link, part, 1 if way == "thingsboard" else WINDOW)


class Drain(Part):
    """Keeps no chunk and checks none: a device whose own work costs nothing."""

    def put(self, index: int, chunk: bytes) -> None:
        self._count += not self._have[index]
        self._have[index] = 1

    def sync(self) -> None:
        """There is nothing to be made durable."""


def devices(
    way: str, accounts: list[Account], transport: Transport, kind: Kind, pipe: Connection
) -> None:
    """Have each fetch the artifact when told to; see `Kind`."""
    cuts = kind.cuts
    links = [account.link() if cuts else account.light_link() for account in accounts]
    with tempfile.TemporaryDirectory(dir=_FAST) as folder:
        for link in links:
            link.start(None)
        _until_connected(links)
        make = Drain if kind.drains else Part
        parts_ = [
            make(RealDisk(Path(folder) / account.username), transport) for account in accounts
        ]
        pipe.send("ready")
        pipe.recv()
        began = time.process_time()
        fleet = [
            _device(way, account.username, link, part)
            for account, link, part in zip(accounts, links, parts_, strict=True)
        ]
        if cuts:
            _run_and_cut(fleet, cuts)
        else:
            _run(fleet)
        done = sum(device.part.whole for device in fleet)
        twice = sum(device.twice for device in fleet)
        pipe.send(Tally(done=done, twice=twice, cpu_s=time.process_time() - began))
        pipe.recv()
        for link in links:
            link.stop()


def _run(fleet: Sequence[Ours | Theirs]) -> None:
    """Step each device when something has come for it."""
    deadline = time.monotonic() + PATIENCE_S
    with selectors.DefaultSelector() as selector:
        for device in fleet:
            link = _light(device)
            selector.register(link.sock, selectors.EVENT_READ, device)
            device.step()
            link.flush()
        left, looked_at = len(fleet), time.monotonic()
        while left and time.monotonic() < deadline:
            ready = [key.data for key, _ in selector.select(0.1)]
            if time.monotonic() - looked_at > 0.5:
                ready, looked_at = list(fleet), time.monotonic()
            for device in ready:
                link, before = _light(device), device.part.whole
                link.read()
                device.step()
                link.flush()
                left -= device.part.whole and not before


def _light(device: Ours | Theirs) -> LightLink:
    if not isinstance(device.link, LightLink):
        raise TypeError("a light link was expected")
    return device.link


def _run_and_cut(fleet: Sequence[Ours | Theirs], cuts: int) -> None:
    half = len(fleet[0].part.transport.chunks) // 2
    deadline = time.monotonic() + PATIENCE_S
    uncut = fleet[:cuts]
    while not all(device.part.whole for device in fleet):
        if time.monotonic() > deadline:
            return
        for device in fleet:
            device.step()
        for device in uncut:
            if device.part.count >= half and isinstance(device.link, PahoLink):
                cut(device.link)
        uncut = [device for device in uncut if device.part.count < half]
        time.sleep(0.001)


def _until_connected(links: Sequence[Link]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not all(link.connected for link in links):
        if time.monotonic() > deadline:
            raise TimeoutError("not every link is connected")
        time.sleep(0.01)
        for link in links:
            link.events()  # a link is connected once it has said so


def _acked_bytes(link: PahoLink) -> int:
    connection = link._connection
    sock = None if connection is None else connection._client.socket()
    if not isinstance(sock, socket.socket):
        raise OSError("the hub has lost its connection, and the count of its bytes")
    with contextlib.suppress(AttributeError):
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        return int(struct.unpack_from("=Q", info, _BYTES_ACKED_AT)[0])
    raise OSError("this system does not tell what TCP has carried")
