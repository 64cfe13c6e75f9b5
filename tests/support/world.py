"""A broker, a real hub with a version that nobody has yet, and a real device that has enrolled."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec

from fleetloop_hub.fleet_records import Cohort
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.paho_link import PahoLink
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import Bundle
from support.agent_process import DEVICE, AgentProcess
from support.brokers import Links, Listener
from support.hub_process import PATIENCE_S, HubProcess
from support.learnable import toy_csv
from support.raw_mosquitto import RawMosquitto

WINDOW = 2
"""Chunks that the device asks for at the same time."""

_FETCH = f"[fetch]\nwindow = {WINDOW}\nmax_bytes_per_s = 8000\nstall_s = 1.0\n"

SPEC = """
[model]
name = "toy"
seed = 3
[[sources]]
csv = "toy.csv"
[rows]
time = "t"
[label]
column = "y"
[[features]]
name = "a"
[[features]]
name = "b"
[[candidates]]
name = "net"
family = "mlp"
hidden = [96, 96]
[drift]
window_rows = 32
[delivery]
chunk_bytes = 1024
[rollout]
phases = [1.0]
min_devices = 1
soak_rows = 0
soak_s = 1.0
"""


class Said:
    """The bundles that a broker has passed on: no version may ever have two contents."""

    def __init__(self, listener: Listener) -> None:
        """Listen to a link that is connected."""
        self._listener = listener
        for topic in _BUNDLES:
            listener.link.subscribe(topic)

    def contents(self) -> dict[tuple[str, int], set[str]]:
        """The SHA-256 of what was signed, by topic and version."""
        self._listener.pump()
        found: dict[tuple[str, int], set[str]] = {}
        for topic in _BUNDLES:
            for payload in filter(None, self._listener.payloads(topic)):
                timestamp = decode_compressed(payload, Bundle).timestamp
                version = int(msgspec.json.decode(timestamp)["signed"]["version"])
                found.setdefault((topic, version), set()).add(sha256_hex(payload))
        return found

    def repeated(self) -> list[str]:
        """Versions that were given to two contents."""
        return [f"{topic} {v}" for (topic, v), them in self.contents().items() if len(them) > 1]


class World:
    """Made once; `fresh` puts everything back to where it began."""

    def __init__(self, folder: Path) -> None:
        """Train the version, and enrol the device; everything lies in the folder."""
        self._folder, self._stack = folder, ExitStack()
        self.broker = RawMosquitto(folder / "broker")
        self._stack.enter_context(closing(self.broker))
        self.hub = HubProcess(folder / "hub", f"mqtt://hub:x@127.0.0.1:{self.broker.port}")
        self._stack.enter_context(closing(self.hub))
        self.broker.start()
        self.hub.start()
        self._train()
        self.agent = self._enrolled()
        self._stack.enter_context(closing(self.agent))
        self.hub.stop()
        for name in ("hub", "agent"):
            shutil.copytree(folder / name, folder / f"{name}-at-first")

    def close(self) -> None:
        self._stack.close()

    @contextmanager
    def fresh(self, *, persistent: bool = True) -> Iterator[Said]:
        """Broker, hub and device run, and know of no rollout.

        Args:
            persistent: Whether the broker keeps retained messages when it is ended.
        """
        self.broker.forget()
        self.broker.persistent = persistent
        for name in ("hub", "agent"):
            shutil.rmtree(self._folder / name)
            shutil.copytree(self._folder / f"{name}-at-first", self._folder / name)
        self.broker.start()
        link = PahoLink(self.broker.address, "listener", "listener", "x")
        with closing(Links()) as links:
            said = Said(links.add(link))
            self.hub.start()
            self.agent.start()
            try:
                yield said
            finally:
                self.agent.close()
                self.hub.kill()
                self.broker.kill()

    def roll_out(self) -> None:
        """Ask for the rollout, as a person does.

        Raises:
            RemoteError: The hub did not answer.
        """
        self.hub.remote.post("/rollouts", _ROLLOUT, dict[str, str])

    def sequence(self) -> int:
        """The number of the last statement that a hub that is off has kept."""
        with closing(TinyDbCatalog(self.hub.state / "catalog")) as catalog:
            cohort = catalog.find(Cohort, "default")
            return 0 if cohort is None else cohort.sequence

    def fetching(self, chunks: int) -> None:
        """Wait until the device is in the middle of the artifact."""
        self.agent.until(lambda said: int(str(said["chunks_have"])) >= chunks, f"{chunks} chunks")

    def served(self) -> dict[str, object]:
        """Wait until the device serves the version."""
        return self.agent.until(
            lambda said: said["version"] == 1 and said["state"] == "serving", "the version"
        )

    def refetched(self, since: int) -> int:
        """Chunks that were sent to the device more than once."""
        counts = self.broker.sent(DEVICE, "/blobs/", since)
        assert counts
        return sum(counts.values()) - len(counts)

    def _train(self) -> None:
        remote, source = self.hub.remote, self._folder / "source"
        source.mkdir()
        (source / "toy.csv").write_text(toy_csv(), "utf-8")
        remote.post("/models", {"spec": SPEC, "folder": str(source)}, dict[str, str])
        ask = {"model": "toy", "reason": "a test", "by": "ann"}
        run = remote.post("/runs", ask, dict[str, str])["run"]
        _until(lambda: remote.get(f"/runs/{run}", Run).state is not RunState.RUNNING)
        _until(lambda: len(remote.get("/versions", dict[str, list[object]])["versions"]) == 1)

    def _enrolled(self) -> AgentProcess:
        remote, folder = self.hub.remote, self._folder / "agent"
        token = remote.post("/tokens", {"cohort": "default"}, dict[str, str])["token"]
        folder.mkdir()
        agent = AgentProcess(folder, remote.url, token, _FETCH)
        agent.start()
        agent.until(lambda _: True, "its first word")
        assert agent.stop() == 0
        return agent


_BUNDLES = (Topic.IMAGE.at(), Topic.DIRECTOR.at(cohort="default"))
_ROLLOUT = {"model": "toy", "version": 1, "cohort": "default", "replacing": False}


def _until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.1)
