"""An updater on a bench: published to, stepped until it rests, cut and started again."""

from pathlib import Path

from fleetloop_agent.config import AgentConfig, FetchConfig, UpdateConfig
from fleetloop_agent.ports import Serving
from fleetloop_agent.update.journal import Journal
from fleetloop_agent.update.states import State
from fleetloop_agent.update.trial import POLL_S
from fleetloop_agent.update.updater import Updater
from fleetloop_shared.link import Connected, Received
from fleetloop_shared.reports import EventKind
from fleetloop_shared.topics import Topic, parse
from fleetloop_shared.trust import manifest_target
from support.agent_board import Bench, MemoryServing
from support.hubside import HARDWARE, Hubside, Shipment
from support.shadowed import MemorySeat

DEVICE = "station-1"
MOST_STEPS = 2_000


class Rig:
    """One device in a test."""

    def __init__(
        self,
        bench: Bench,
        hub: Hubside,
        fetch: FetchConfig | None = None,
        update: UpdateConfig | None = None,
    ) -> None:
        self.bench, self.hub = bench, hub
        self.fetch = fetch or FetchConfig()
        self.update = update or UpdateConfig()
        self._statement = self._listing = b""
        self._listed: dict[str, Shipment] = {}
        self._lists = 0
        self.updater = self.make(self.bench.serving)
        bench.link.connect()

    @property
    def journal(self) -> Journal:
        return self.updater.journal

    @property
    def state(self) -> State:
        return self.updater.journal.state

    @property
    def error(self) -> str | None:
        return self.updater.reported().error

    @property
    def progress(self) -> tuple[int, int]:
        said = self.updater.reported()
        return said.chunks_have, said.chunks_total

    @property
    def events(self) -> list[EventKind]:
        return [event.kind for event in self.bench.outbox.events()]

    def publish(self, shipment: Shipment, sequence: int, **changes: object) -> None:
        """Have the hub publish a version's blobs and a statement that names it."""
        for topic, payload in shipment.blobs.items():
            self.bench.link.keep(topic, payload)
        self.offer(sequence, shipment, **changes)

    def offer(self, sequence: int, shipment: Shipment, **changes: object) -> None:
        """Hand over a signed statement about what the image repository lists."""
        self.list(shipment)
        self._statement = self.hub.direct(self.hub.desire(sequence, shipment.release, **changes))
        self.hand_over(self._statement)

    def list(self, shipment: Shipment) -> None:
        """Hand over an image bundle that lists a version, beside those before it."""
        name = manifest_target(shipment.release.model, shipment.release.version)
        if self._listed.get(name) != shipment:
            self._listed[name] = shipment
            self._lists += 1
            self._listing = self.hub.listing(self._listed.values(), self._lists)
            self.updater.offer(Topic.IMAGE, self._listing, self.bench.clock.at)

    def hand_over(self, payload: bytes) -> None:
        """Hand over any bytes on the cohort's topic."""
        self.updater.offer(Topic.DIRECTOR, payload, self.bench.clock.at)

    def step(self) -> float:
        """Hand the link's events over, and step once."""
        now = self.bench.clock.at
        for event in self.bench.link.events():
            if isinstance(event, Connected):
                self.updater.reconnected()
            elif isinstance(event, Received) and (address := parse(event.topic)):
                assert address.topic is Topic.BLOB
                sha256, index = address.names["sha256"], int(address.names["index"])
                self.updater.receive(sha256, index, event.payload, now)
        return self.updater.step(now)

    def run(self, until: State | None = None) -> None:
        """Step until a state is reached, or until nothing more happens without time passing."""
        for _ in range(MOST_STEPS):
            if self.state is until:
                return
            before = self.journal
            at = self.step()
            moved = self.journal != before or self.bench.link._events
            if 0 < at - self.bench.clock.at <= POLL_S:
                self.bench.clock.at += POLL_S
            elif at > self.bench.clock.at and not moved:
                assert until is None, f"rests in {self.state}, not in {until}"
                return
        raise AssertionError(f"no rest after {MOST_STEPS} steps, in {self.state}")

    def commit(self, shipment: Shipment, sequence: int, **changes: object) -> None:
        """Bring a version all the way in."""
        self.publish(shipment, sequence, **changes)
        self.run(State.TRIAL)
        self.run()
        self.bench.serving.rows = 1_000
        self.run()
        assert self.journal.active is not None
        assert self.journal.active.artifact == shipment.manifest.sha256, self.error

    def restart(self) -> None:
        """What a SIGKILL and a new start leave: the disk, the outbox, the broker."""
        loads, unloadable = self.bench.serving.loads, self.bench.serving.unloadable
        self.bench.serving = MemoryServing()
        self.bench.serving.loads, self.bench.serving.unloadable = loads, unloadable
        self.bench.self_test.started.clear()
        self.bench.link.disconnect()
        self.bench.link.events()
        self.updater = self.make(self.bench.serving)
        self.bench.link.connect()
        self.updater.offer(Topic.IMAGE, self._listing, self.bench.clock.at)
        self.hand_over(self._statement)

    def make(self, serving: Serving) -> Updater:
        """Start an updater over what is on the disk."""
        config = AgentConfig(
            device=DEVICE,
            hardware=HARDWARE,
            state_dir=Path(),
            hub_url="http://hub",
            fetch=self.fetch,
            update=self.update,
        )
        identity = self.hub.identity(DEVICE)
        self.seat = MemorySeat()
        updater = Updater(identity, config, self.bench.board(), serving, self.seat)
        updater.start(self.bench.clock.at)
        return updater
