"""A real hub with its broker, real agents on real disks, and somebody with all rights between."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fleetloop_agent.agent import Agent
from fleetloop_agent.config import AgentConfig, FetchConfig, ReportConfig
from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.device.host import RealHost
from fleetloop_agent.device.selftest import ChildSelfTest
from fleetloop_agent.outbox import SqliteOutbox
from fleetloop_agent.ports import Board
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.update.states import State
from fleetloop_hub.bootstrap import Running, bootstrap
from fleetloop_hub.config import HubConfig
from fleetloop_hub.monitoring.overview import AttemptView
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.records import Model, Verdict, Version, VersionState
from fleetloop_hub.relearning import PERSON
from fleetloop_hub.retraining.advice import Advice, Finding
from fleetloop_hub.retraining.decisions import Decisions
from fleetloop_hub.version_parts import Parity
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.messages import EnrolAnswer, EnrolRequest
from fleetloop_shared.paho_link import PahoLink
from fleetloop_shared.topics import Topic
from support.hubside import COHORT, HARDWARE, MODEL, Shipment, score
from support.learnable import SPEC

PATIENCE_S = 60.0
_ROLLOUT = "\n[rollout]\nphases = [1.0]\nsoak_rows = 1\nsoak_s = 0.2\n"


class Station:
    """One device with everything real but the wall between it and the test."""

    def __init__(self, identity: EnrolAnswer, folder: Path) -> None:
        self.name, self.identity, self.folder = identity.device, identity, folder
        self.link = PahoLink(identity.broker, self.name, identity.username, identity.password)
        self.outbox = SqliteOutbox(folder / "outbox.db", 10_000, 10_000_000)
        self.self_test = ChildSelfTest()
        config = AgentConfig(
            device=self.name,
            hardware=HARDWARE,
            state_dir=folder,
            hub_url="http://hub",
            fetch=FetchConfig(stall_s=0.5),
            report=ReportConfig(resend_s=1.0),
        )
        board = Board(
            clock=RealClock(),
            disk=RealDisk(folder),
            link=self.link,
            outbox=self.outbox,
            self_test=self.self_test,
            runtime=OrtRuntime(),
            host=RealHost(),
        )
        self.agent = Agent(config, identity, board)
        self.agent.start()

    def serves(self) -> int | None:
        """The version that answers, after it has answered as it must; None without one."""
        manifest = self.agent.predictor.manifest
        if manifest is None:
            return None
        (answer,) = self.agent.predictor.predict([{"temperature": 0.5, "pressure": -0.25}])
        assert abs(answer.score - score([0.5, -0.25], float(manifest.version))) < 1e-5
        return manifest.version

    def rests(self) -> bool:
        """Whether nothing is under way, and everything that is not needed is gone."""
        settled = self.agent.updater.journal.state is State.SERVING
        return settled and not any((self.folder / "parts").glob("*"))

    def models(self) -> dict[str, bytes]:
        """What lies on its disk but for the journal, its beliefs and the outbox."""
        left_out = {"journal", "trust"}
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
            and path.relative_to(self.folder).parts[0] not in left_out
            and not path.name.startswith("outbox.db")
        }

    def close(self) -> None:
        self.agent.stop()
        self.self_test.close()
        self.outbox.close()


class AttackedFleet:
    """The hub, its stations, and the attacker's own link."""

    def __init__(self, running: Running, stations: list[Station], attacker: PahoLink) -> None:
        self.running, self.stations, self.attacker = running, stations, attacker
        self._overviews = OverviewReader(running.catalog, running.telemetry, keep_s=0.0)

    def pump(self) -> None:
        """Everybody steps once."""
        self.running.actions.step()
        for station in self.stations:
            station.agent.step()
        self.attacker.wait(0.02)

    def until(self, met: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not met():
            assert time.monotonic() < deadline, f"waited for {what}; {self.attempts()}"
            self.pump()

    def release(self, shipment: Shipment) -> None:
        """A version that has passed its gates, rolled out to all and committed."""
        self.offer(shipment)
        number = shipment.release.version
        self.until(lambda: self.all_serve(number), f"version {number}")
        self.until(lambda: all(station.rests() for station in self.stations), "the commit")

    def offer(self, shipment: Shipment) -> None:
        """A version that has passed its gates, and the beginning of its rollout."""
        blobs, number = self.running.blobs, shipment.release.version
        manifest = blobs.put(shipment.document)
        self.running.catalog.put(
            Version(
                key=f"{MODEL}/{number}",
                model=MODEL,
                number=number,
                state=VersionState.READY,
                run=f"{MODEL}-{number}",
                dataset="ab" * 32,
                artifact=blobs.put(shipment.artifact),
                manifest=manifest,
                manifest_bytes=len(shipment.document),
                transport=blobs.put(shipment.encoded()[1]),
                gates=[],
                parity=Parity(
                    rows=1,
                    label_flips=0,
                    largest_gap=0.0,
                    float_bytes=1,
                    artifact_bytes=1,
                    float_ms=1.0,
                    artifact_ms=1.0,
                ),
                metrics={},
                decision=f"{MODEL}-0001",
                created_at=float(number),
            )
        )
        self.running.actions.roll_out(MODEL, number, COHORT)

    def all_serve(self, number: int) -> bool:
        return all(station.serves() == number for station in self.stations)

    def say(self, topic: str, payload: bytes, *, retained: bool = True) -> None:
        """As the attacker."""
        assert self.attacker.publish(topic, payload, retained=retained), topic

    def attempts(self) -> dict[tuple[str, str], AttemptView]:
        """What the console names: (whom, what)."""
        return {(a.device, a.name): a for a in self._overviews.read().attempts}


@contextmanager
def attacked_fleet(folder: Path, names: list[str]) -> Iterator[AttackedFleet]:
    """A hub, a station a name, and an attacker who has the hub's own account at the broker."""
    with ExitStack() as stack:
        running = bootstrap(HubConfig(folder / "hub", broker="nats", broker_port=0))
        stack.callback(running.close)
        text = running.blobs.put((SPEC.replace('"toy"', f'"{MODEL}"') + _ROLLOUT).encode())
        advice = Advice(Finding.CHANGED, Verdict.RETRAIN, PERSON, ["the first version"], [], {})
        Decisions(running.catalog).record(MODEL, advice, now=0.0)
        running.catalog.put(Model(key=MODEL, spec=text, floor=0, added_at=0.0))
        stations = []
        for name in names:
            token = running.actions.new_token(COHORT, 60.0).partition(".")[0]
            request = EnrolRequest(token=token, device=name, hardware=HARDWARE, agent="0.1.0")
            station = Station(running.actions.enrol(request), folder / name)
            stack.callback(station.close)
            stations.append(station)
        password = (folder / "hub" / "keys" / "broker.password").read_text()
        attacker = PahoLink(running.broker.address, "attacker", "hub", password)
        attacker.start(None)
        stack.callback(attacker.stop)
        fleet = AttackedFleet(running, stations, attacker)
        fleet.until(lambda: attacker.events() or attacker.connected, "the attacker's connection")
        yield fleet


def director_topic(cohort: str = COHORT) -> str:
    """Where a cohort is told what to run."""
    return Topic.DIRECTOR.at(cohort=cohort)
