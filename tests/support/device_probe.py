"""Run by a device's own Python: an agent installs what lies in a folder, and says what it cost.

Prints one JSON object. `serve` only loads the model, as an agent without update and trust would.
"""

import json
import resource
import sys
import time
from pathlib import Path

from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.device.host import RealHost
from fleetloop_agent.device.selftest import ChildSelfTest
from fleetloop_agent.outbox import SqliteOutbox
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.reports import Reports
from fleetloop_shared import paho_link  # noqa: F401 - what it costs is not to be measured
from fleetloop_shared.codec import decode
from fleetloop_shared.link import Connected, Event, Link, Received, Will
from fleetloop_shared.manifest import Manifest

LONGEST_S = 60.0


class FolderLink(Link):
    """A broker whose retained messages are known: what is subscribed to comes at once."""

    def __init__(self, retained: dict[str, Path]) -> None:
        self._retained = retained
        self._events: list[Event] = []

    def start(self, will: Will | None) -> None:
        self._events.append(Connected(1))

    def stop(self) -> None:
        """There is nothing to end."""

    @property
    def connected(self) -> bool:
        return True

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retained: bool = False) -> bool:
        return True

    def subscribe(self, filter_: str, qos: int = 1) -> None:
        if filter_ in self._retained:
            self.deliver(filter_)

    def deliver(self, topic: str) -> None:
        self._events.append(Received(topic, self._retained[topic].read_bytes(), retained=True))

    def unsubscribe(self, filter_: str) -> None:
        """What was subscribed to has come."""

    def events(self) -> list[Event]:
        drained, self._events = self._events, []
        return drained

    def wait(self, timeout_s: float) -> None:
        """Nothing comes by itself."""


def serve(folder: Path) -> dict[str, float]:
    """Load the model and answer with it: all that an agent is, but for update and trust."""
    outbox = SqliteOutbox(folder / "serve.db", 100_000, 64 * 1024 * 1024)
    outbox.counts()
    manifest = decode((folder / "manifest.json").read_bytes(), Manifest)
    predictor = Predictor("station-1", outbox.boot, OrtRuntime(), RealClock())
    Reports("station-1", RealClock(), RealHost())
    predictor.load(manifest, (folder / "artifact.onnx").read_bytes())
    predictor.predict([dict.fromkeys(_features(manifest), 0.0)])
    return {"rss_bytes": RealHost().rss_bytes()}


def install(folder: Path) -> dict[str, float]:
    """Let an agent get the model in, and then hear the same statements again."""
    from fleetloop_agent.agent import Agent  # noqa: PLC0415 - what it costs is to be measured
    from fleetloop_agent.config import AgentConfig  # noqa: PLC0415
    from fleetloop_agent.ports import Board  # noqa: PLC0415
    from fleetloop_shared.durable import RealDisk  # noqa: PLC0415
    from fleetloop_shared.messages import EnrolAnswer  # noqa: PLC0415

    written = 0

    class CountingDisk(RealDisk):
        """Counts the bytes that are written."""

        def write(self, path: Path, data: bytes, offset: int | None = None) -> None:
            nonlocal written
            written += len(data)
            super().write(path, data, offset)

    topics: dict[str, str] = json.loads((folder / "topics.json").read_bytes())
    link = FolderLink({topic: folder / name for topic, name in topics.items()})
    state = folder / "state"
    disk, self_test = CountingDisk(state), ChildSelfTest()
    board = Board(
        clock=RealClock(),
        disk=disk,
        link=link,
        outbox=SqliteOutbox(state / "outbox.db", 100_000, 64 * 1024 * 1024),
        self_test=self_test,
        runtime=OrtRuntime(),
        host=RealHost(),
    )
    identity = decode((folder / "identity.json").read_bytes(), EnrolAnswer)
    config = AgentConfig(
        device=identity.device, hardware="board-a", state_dir=state, hub_url="http://hub"
    )
    agent = Agent(config, identity, board)
    began, deadline = _cpu(), time.monotonic() + LONGEST_S
    agent.start()
    while agent.predictor.manifest is None and time.monotonic() < deadline:
        time.sleep(min(0.02, agent.step()))
    took = _cpu() - began
    agent.predictor.predict([dict.fromkeys(_features(agent.predictor.manifest), 0.0)])
    rss_bytes = RealHost().rss_bytes()
    self_test.close()
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    agent.step()
    before, refreshes = written, []
    for _ in range(20):
        for topic in [name for name in topics if "blobs" not in name]:
            link.deliver(topic)
        since = time.perf_counter()
        for event in link.events():
            agent._handle(event, time.monotonic())
        refreshes.append(time.perf_counter() - since)
    return {
        "cpu_s": took,
        "child_cpu_s": child.ru_utime + child.ru_stime,
        "rss_bytes": rss_bytes,
        "refresh_ms": 1_000 * sorted(refreshes)[len(refreshes) // 2],
        "refresh_written_bytes": written - before,
        "bundles": sum("blobs" not in name for name in topics),
    }


def _features(manifest: Manifest | None) -> list[str]:
    if manifest is None:
        raise TimeoutError("the model did not get in")
    return [feature.name for feature in manifest.signature.features]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    said = {"serve": serve, "install": install}[sys.argv[1]](Path(sys.argv[2]))
    sys.stdout.write(json.dumps(said))
