"""An agent on a bench, with a real runtime, and the hub's end of its topics."""

from pathlib import Path

from fleetloop_agent.agent import Agent
from fleetloop_agent.config import AgentConfig, ReportConfig
from fleetloop_agent.ports import Board
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_shared.codec import decode
from fleetloop_shared.messages import DeviceState, ReportedState
from fleetloop_shared.reports import EventKind, EventReport
from fleetloop_shared.topics import Topic
from support.agent_board import Bench, SmallHost
from support.hubside import COHORT, HARDWARE, Hubside, Shipment

DEVICE = "station-1"
CONFIG = AgentConfig(
    device=DEVICE,
    hardware=HARDWARE,
    state_dir=Path("state"),
    hub_url="http://hub",
    report=ReportConfig(health_interval_s=60.0, resend_s=5.0),
)


class AgentRig:
    """One device in a test."""

    def __init__(self, hub: Hubside, bench: Bench) -> None:
        self.hub, self.bench = hub, bench
        self._listed: dict[int, Shipment] = {}
        self.agent = self.make()
        self.agent.start()

    def make(self) -> Agent:
        bench = self.bench
        board = Board(
            clock=bench.clock,
            disk=bench.disk,
            link=bench.link,
            outbox=bench.outbox,
            self_test=bench.self_test,
            runtime=OrtRuntime(),
            host=SmallHost(),
        )
        return Agent(CONFIG, self.hub.identity(DEVICE), board)

    def direct(self, shipment: Shipment, sequence: int, **changes: object) -> None:
        for topic, payload in shipment.blobs.items():
            self.bench.link.keep(topic, payload)
        self._listed[shipment.release.version] = shipment
        listing = self.hub.listing(self._listed.values(), sequence)
        self.bench.link.keep(Topic.IMAGE.at(), listing)
        statement = self.hub.direct(self.hub.desire(sequence, shipment.release, **changes))
        self.bench.link.keep(Topic.DIRECTOR.at(cohort=COHORT), statement)

    def run(self, seconds: float = 5.0) -> None:
        until = self.bench.clock.at + seconds
        while self.bench.clock.at < until:
            self.agent.step()
            self.bench.clock.at += 0.1

    def last(self, topic: Topic) -> bytes:
        return self.bench.link.sent(topic.at(device=DEVICE))[-1]

    @property
    def reported(self) -> ReportedState:
        return decode(self.last(Topic.REPORTED), ReportedState)

    @property
    def birth(self) -> DeviceState:
        return decode(self.last(Topic.STATE), DeviceState)

    def events(self, kind: EventKind) -> list[EventReport]:
        return [event for event in self.bench.outbox.events() if event.kind is kind]
