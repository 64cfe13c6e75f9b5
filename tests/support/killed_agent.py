"""Kills a real agent at a system call of an update, starts it again, and sees how it ends."""

import contextlib
import shutil
import signal
import time
import urllib.error
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from fleetloop_agent.update.parts import SYNC_CHUNKS
from fleetloop_shared.codec import decode
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.paho_link import PahoLink
from fleetloop_shared.reports import EventReport
from fleetloop_shared.topics import Topic
from support import strace
from support.agent_process import DEVICE, AgentProcess, EnrolServer
from support.brokers import Links, Listener
from support.failing_model import POISON, failing_model
from support.hubside import COHORT, FEATURES, Hubside, Shipment, manifest_of, score
from support.raw_mosquitto import RawMosquitto

WINDOW = 8
LOSS = SYNC_CHUNKS + WINDOW
"""Chunks that a kill may cost: those that wait for their sync, and those on their way."""

PATIENCE_S = 40.0
_ROW = [1.0, -0.5]
_CHUNK_BYTES = 4_096
_PADDING_BYTES = 100_000


@dataclass(frozen=True)
class Story:
    """An update, from what a device has to what it shall have in the end.

    Attributes:
        name: What happens.
        version: The version that is offered.
        from_version: The one that is committed before, 0 for a new device.
        to_version: The one that serves in the end.
        event: What the hub must have been told.
        poisoned: Whether rows come on which the offered model fails.
    """

    name: str
    version: int
    from_version: int
    to_version: int
    event: str
    poisoned: bool = False


FIRST = Story("first install", 1, 0, 1, "committed rain 1")
GOOD = Story("install", 2, 1, 2, "committed rain 2")
UNFIT = Story("failed self-test", 3, 1, 1, "rolled back, rain 1 serves")
FAILING = Story("roll-back", 4, 1, 1, "rolled back, rain 1 serves", poisoned=True)
STORIES = (FIRST, GOOD, UNFIT, FAILING)


@dataclass(frozen=True)
class Outcome:
    """What a kill has led to.

    Attributes:
        killed: Whether the process came to that call at all.
        refetched: Chunks that were sent to the device more than once.
        violations: What must not be, in words.
    """

    killed: bool
    refetched: int
    violations: list[str]


class KillRig:
    """A broker with four versions, and devices that are killed."""

    def __init__(self, folder: Path) -> None:
        """Nothing runs before it is entered."""
        self._folder = folder
        self._hubside = Hubside()
        self._stack = ExitStack()
        self._told = 0
        self._director = 0

    def __enter__(self) -> Self:
        self.broker = self._stack.enter_context(closing(RawMosquitto(self._folder / "broker")))
        self.broker.start()
        links = self._stack.enter_context(closing(Links()))
        self._hub: Listener = links.add(_link(self.broker))
        self._hub.link.subscribe(Topic.EVENTS.every())
        identity = self._hubside.identity(DEVICE, broker=self.broker.address)
        self._enrol = self._stack.enter_context(closing(EnrolServer(identity)))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def shipments(self) -> dict[int, Shipment]:
        """Two good versions, one that is not what it promises, and one that fails on a row."""
        side = self._hubside
        made = {
            v: side.ship(v, padding_bytes=_PADDING_BYTES, chunk_bytes=_CHUNK_BYTES) for v in (1, 2)
        }
        wrong = manifest_of(b"", 3).golden
        made[3] = side.ship(3, bias=7.0, golden=wrong, padding_bytes=_PADDING_BYTES)
        artifact = failing_model(4.0)
        made[4] = side.ship_bytes(manifest_of(artifact, 4, 4.0), artifact)
        return made

    def begin(self, story: Story) -> None:
        """Publish the story's statement, and make the device that it begins with."""
        self._folder.joinpath("devices").mkdir(exist_ok=True)
        if story.from_version and not self._device(1).exists():
            self.begin(FIRST)
            agent = self._agent(self._device(1))
            agent.start()
            self._await(agent, FIRST)
            assert agent.stop() == 0
        self._director += 1
        shipment = self.shipments[story.version]
        desired = self._hubside.desire(self._director, shipment.release, soak_rows=4, soak_s=30.0)
        blobs = {
            Topic.IMAGE.at(): self._hubside.listing(self.shipments.values(), self._director),
            Topic.DIRECTOR.at(cohort=COHORT): self._hubside.direct(desired),
            **shipment.blobs,
        }
        for topic, payload in blobs.items():
            assert self._hub.link.publish(topic, payload, retained=True)

    def calls(self, story: Story) -> dict[str, int]:
        """How many of each call the story takes when nobody kills anything."""
        main, text = self.record(story, ",".join(strace.STEPS))
        made = [call.name for call in strace.recorded(text) if call.thread == main]
        return {name: made.count(name) for name in strace.STEPS}

    def record(self, story: Story, names: str) -> tuple[int, str]:
        """The main thread, and the calls of all, of a story in which nobody kills anything."""
        file = self._folder / "calls"
        told = len(self._texts(story.event))
        agent, _ = self._fresh(story)
        with closing(agent):
            agent.start(strace.recording(file, names))
            main = agent.pid
            self._await(agent, story)
            self._hub.until(lambda: len(self._texts(story.event)) > told, f"event {story.event}")
            agent.stop()
        return main, file.read_text("utf-8", "replace")

    def kill(self, story: Story, name: str, nth: int) -> Outcome:
        """Run the story, kill the agent at a call, and run on from what it has left."""
        agent, folder = self._fresh(story)
        mark = self.broker.mark()
        told = len(self._texts(story.event))
        violations: list[str] = []
        with closing(agent):
            agent.start(strace.killing(name, nth))
            killed = not self._run(agent, story, violations)
            if killed:
                assert agent.kill() == -signal.SIGKILL, agent.log[-3000:]
                agent.start()
                if not self._run(agent, story, violations):
                    violations.append("the agent has ended by itself")
            violations += self._on_disk(folder, story)
            self._hub.until(lambda: len(self._texts(story.event)) > told, f"event {story.event}")
            agent.stop()
        counts = self.broker.sent(DEVICE, "/blob", mark)
        refetched = sum(counts.values()) - len(counts)
        if refetched > LOSS:
            violations.append(f"{refetched} chunks came twice")
        shutil.rmtree(folder)
        return Outcome(killed, refetched, violations)

    def fail(self, names: str, error: str) -> Outcome:
        """Offer a version while the disk fails, and see that the device serves, and recovers."""
        self.begin(FIRST)
        agent, folder = self._fresh(GOOD)
        violations: list[str] = []
        with closing(agent):
            agent.start()
            self._await(agent, FIRST)
            with strace.failing(agent.pid, names, error):
                self.begin(GOOD)
                told = agent.until(lambda said: bool(said["error"]), f"word of {error}")
                if told["version"] != FIRST.version:
                    violations.append(f"it serves {told['version']}")
                violations += self._wrong(agent, GOOD, told, served=True)
            self._await(agent, GOOD)
            violations += self._on_disk(folder, GOOD)
            agent.stop()
        shutil.rmtree(folder)
        return Outcome(killed=True, refetched=0, violations=violations)

    def _texts(self, start: str) -> list[str]:
        self._hub.pump()
        payloads = self._hub.payloads(Topic.EVENTS.at(device=DEVICE))
        texts = [decode(payload, EventReport).text for payload in payloads]
        return [text for text in texts if text.startswith(start)]

    def _fresh(self, story: Story) -> tuple[AgentProcess, Path]:
        folder = self._folder / "devices" / "killed"
        shutil.rmtree(folder, ignore_errors=True)
        if story.from_version:
            shutil.copytree(self._device(story.from_version), folder)
        return self._agent(folder), folder

    def _device(self, version: int) -> Path:
        return self._folder / "devices" / f"with-{version}"

    def _agent(self, folder: Path) -> AgentProcess:
        folder.mkdir(parents=True, exist_ok=True)
        extra = f"[fetch]\nwindow = {WINDOW}\nstall_s = 5.0\n"
        return AgentProcess(folder, self._enrol.url, self._enrol.token, extra)

    def _await(self, agent: AgentProcess, story: Story) -> None:
        violations: list[str] = []
        assert self._run(agent, story, violations), agent.log
        assert violations == []

    def _run(self, agent: AgentProcess, story: Story, violations: list[str]) -> bool:
        """Wait until the story has come to its end; False if the agent has ended before."""
        deadline = time.monotonic() + PATIENCE_S
        served = False
        for said in _said(agent):
            assert time.monotonic() < deadline, f"{story.name}: {said}\n{agent.log[-3000:]}"
            if said:
                served |= said["artifact"] is not None
                violations += self._wrong(agent, story, said, served=served)
                if self._is_over(story, said):
                    return True
        return False

    def _is_over(self, story: Story, said: dict[str, object]) -> bool:
        settled = said["sequence"] == self._director and said["state"] == "serving"
        barred = self.shipments[story.version].manifest.sha256
        bad = story.version != story.to_version
        return (
            settled
            and said["version"] == story.to_version
            and (not bad or said["quarantined"] == [barred])
        )

    def _wrong(
        self, agent: AgentProcess, story: Story, said: dict[str, object], *, served: bool
    ) -> Iterator[str]:
        """What is wrong with what is served just now."""
        known = {s.manifest.sha256: v for v, s in self.shipments.items()}
        version = known.get(str(said["artifact"]))
        if version not in {None, story.from_version, story.version} or (
            said["artifact"] is not None and version is None
        ):
            yield f"it says that it serves {version}"
        if version is None and served and story.from_version:
            yield "it had a model, and serves none"
        try:
            if story.poisoned:  # before the other, so that no trial is passed without it
                with contextlib.suppress(urllib.error.HTTPError):
                    agent.predict([dict.fromkeys(FEATURES, POISON)])
            answers = agent.predict([dict(zip(FEATURES, _ROW, strict=True))])
        except OSError:
            return
        for answer in answers:
            got = known.get(str(answer["artifact"]))
            right = None if got is None else score(_ROW, float(got))
            if right is None or abs(float(str(answer["score"])) - right) > 1e-4:
                yield f"an answer of {got} is wrong: {answer}"

    def _on_disk(self, folder: Path, story: Story) -> Iterator[str]:
        names = list((folder / "state" / "artifacts").glob("*.onnx"))
        for path in names:
            if sha256_hex(path.read_bytes()) != path.stem:
                yield f"{path.name} is not what its name says"
        if self.shipments[story.to_version].manifest.sha256 not in {p.stem for p in names}:
            yield "what serves is not on the disk"


def _said(agent: AgentProcess) -> Iterator[dict[str, object]]:
    """What the agent says of itself, again and again until it ends; {} while it does not."""
    while agent.ended is None:
        try:
            reported = agent.call("/status")["reported"]
        except OSError:
            reported = {}
        assert isinstance(reported, dict)
        yield reported
        time.sleep(0.02)


def _link(broker: RawMosquitto) -> PahoLink:

    return PahoLink(broker.address, "hub", "hub", "x")
