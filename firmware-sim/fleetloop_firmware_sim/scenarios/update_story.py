"""The story of one update on one device, good or bad, and what must be true all along.

A device serves version 1 and is told to run version 2. The good one is committed;
the bad one passes its self-test, fails on the rows of its trial, is rolled back and quarantined.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fleetloop_agent.config import AgentConfig
from fleetloop_agent.errors import ModelError, NoModelError
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.update.states import State
from fleetloop_firmware_sim.board import Parts, SimBoard
from fleetloop_firmware_sim.clock import SimClock
from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.hardware import SharedHost
from fleetloop_firmware_sim.network import SimBroker, SimLink
from fleetloop_firmware_sim.power import Moments
from fleetloop_firmware_sim.scenarios import releases
from fleetloop_firmware_sim.scenarios.stand_in_hub import Keys, StandInHub
from fleetloop_shared.messages import EnrolAnswer
from fleetloop_shared.reports import EventKind

DEVICE, COHORT, HARDWARE = "board-1", "default", "sim"
OLD, NEW = 1, 2

STEPS = 400
"""A device that has not ended where it should after so many steps never will."""

STEP_S = 1.0
"""Time that passes between two steps."""

ROWS = 4
"""Rows that are measured between two steps."""

MakeFlash = Callable[[Moments, Image | None], Flash]


class Update(StrEnum):
    """Which update the story is about."""

    GOOD = "good"
    BAD = "bad"


class BrokenPromiseError(Exception):
    """The device has done what it must never do; the text says what."""


@dataclass
class World:
    """Everything around the device, and what of the device outlives a power cut beside its flash.

    Attributes:
        hub: The hub.
        broker: The broker.
        clock: The time.
        outbox: The file of the device's outbox.
    """

    hub: StandInHub
    broker: SimBroker
    clock: SimClock
    outbox: Path

    def fork(self, outbox: Path) -> "World":
        """The same world, to go its own way; what was on its way to the hub has arrived there.

        The broker has restarted.

        Args:
            outbox: Where the copy of the device's outbox goes.
        """
        self.hub.step()
        broker = SimBroker()
        shutil.copyfile(self.outbox, outbox)
        hub = self.hub.restarted(SimLink(broker, "hub"))
        hub.step()
        return World(hub, broker, SimClock(self.clock.now()), outbox)


class Story:
    """What all runs of the story share.

    Attributes:
        update: Which update it is about.
        folder: Where outboxes are kept.
        beginning: The world at the moment at which the device is told to run version 2.
        image: The device's flash at that moment.
    """

    def __init__(self, update: Update, folder: Path, make_flash: MakeFlash = Flash) -> None:
        """Tell it up to its beginning: version 1 is committed, version 2 is released.

        Args:
            update: Which update.
            folder: For outboxes.
            make_flash: The kind of flash that the device has from then on.
        """
        self.update = update
        self.folder = folder
        self._make_flash: MakeFlash = Flash
        self._runtime = OrtRuntime()
        self._rows = releases.steady_rows(ROWS)
        keys = Keys()
        self._old = releases.make(OLD)
        self._new = releases.make(NEW, brittle=update is Update.BAD)
        self._signed = {self._old.manifest.sha256, self._new.manifest.sha256}
        broker = SimBroker()
        hub = StandInHub(SimLink(broker, "hub"), keys, COHORT)
        self.beginning = World(hub, broker, SimClock(), folder / "beginning.sqlite")
        hub.release(self._old, self.beginning.clock.now())
        board = self.power_on(self.beginning)
        self.run(board, self.beginning, lambda: self._rests_on(self.beginning, board, OLD))
        board.off()
        self.image = board.flash.image()
        hub.release(self._new, self.beginning.clock.now())
        self._make_flash = make_flash
        if update is Update.BAD:
            self._rows = releases.changed_rows(ROWS)

    def power_on(
        self, world: World, moments: Moments | None = None, image: Image | None = None
    ) -> SimBoard:
        """Power the device on; its agent is not started yet.

        Args:
            world: Where.
            moments: The power supply.
            image: What is in its flash.
        """
        parts = Parts(
            config=AgentConfig(
                device=DEVICE, hardware=HARDWARE, state_dir=Path(), hub_url="http://hub"
            ),
            identity=EnrolAnswer(
                device=DEVICE,
                cohort=COHORT,
                broker="mqtt://hub",
                username=DEVICE,
                password="",
                image_root=world.hub.keys.image.roots[0],
                director_root=world.hub.keys.director.roots[0],
            ),
            make_link=lambda: SimLink(world.broker, DEVICE),
            outbox=world.outbox,
            clock=world.clock,
            runtime=self._runtime,
            host=SharedHost(),
            make_flash=self._make_flash,
        )
        return SimBoard(parts, moments, image)

    def artifact_of(self, version: int) -> str:
        """SHA-256 of a version's artifact."""
        return (self._old if version == OLD else self._new).manifest.sha256

    def finish(self, board: SimBoard, world: World) -> None:
        """Run the device to the story's end, checking at each step.

        Raises:
            BrokenPromiseError: It does what it must not, or does not get there.
            PowerCut: The power failed.
        """

        def ended() -> bool:
            self._check(board, world)
            return self._ended(board, world)

        self.run(board, world, ended)
        self._check_the_end(board)

    def run(self, board: SimBoard, world: World, ended: Callable[[], bool]) -> None:
        """Start the agent and step it until the end.

        Raises:
            BrokenPromiseError: The end does not come.
            PowerCut: The power failed.
        """
        board.start()
        for _ in range(STEPS):
            board.step()
            world.hub.step()
            self._measure(board)
            if ended():
                return
            world.clock.step(STEP_S)
        raise BrokenPromiseError(
            f"it never ends: litter {self._litter(board)}, and it says"
            f" {world.hub.reported.get(DEVICE)}"
        )

    def _measure(self, board: SimBoard) -> None:
        try:
            board.agent.predictor.predict(self._rows)
        except (ModelError, NoModelError):
            return

    def _rests_on(self, world: World, board: SimBoard, version: int) -> bool:
        reported = world.hub.reported.get(DEVICE)
        appended, acknowledged, _ = board.outbox.counts()
        return (
            reported is not None
            and (reported.state, reported.version) == (State.SERVING, version)
            and reported.target is None
            and reported.boot == board.outbox.boot
            and appended == acknowledged
        )

    def _ended(self, board: SimBoard, world: World) -> bool:
        if self.update is Update.GOOD:
            there = world.hub.told(EventKind.COMMITTED, NEW) and self._rests_on(world, board, NEW)
        else:
            there = (
                world.hub.told(EventKind.ROLLED_BACK, NEW)
                and self._rests_on(world, board, OLD)
                and self.artifact_of(NEW) in world.hub.reported[DEVICE].quarantined
            )
        return there and not self._litter(board)

    def _check(self, board: SimBoard, world: World) -> None:
        manifest, active = board.agent.predictor.manifest, board.agent.updater.journal.active
        told_committed = world.hub.told(EventKind.COMMITTED, NEW)
        unsigned = set(board.runtime.loaded) - self._signed
        broken = {
            f"it has loaded bytes that nobody signed: {sorted(unsigned)}": bool(unsigned),
            "it serves nothing, though version 1 was committed": manifest is None,
            "it has told the hub that version 2 is committed, and serves another": (
                told_committed and manifest is not None and manifest.version != NEW
            ),
            "it has told the hub that version 2 is committed, and does not know it any more": (
                told_committed and (active is None or active.version != NEW)
            ),
            "it has told the hub that version 2 is committed, though it fails": (
                told_committed and self.update is Update.BAD
            ),
            "it follows an older statement than it has told the hub": world.hub.went_back,
            "it has said two things under one number": bool(world.hub.contradictions),
        }
        for text, true in broken.items():
            if true:
                raise BrokenPromiseError(text)

    def _check_the_end(self, board: SimBoard) -> None:
        names = set(board.flash.names(Path("artifacts")))
        if not self._kept() <= names:
            raise BrokenPromiseError("it has thrown away a model it may have to go back to")

    def _litter(self, board: SimBoard) -> list[str]:
        """What it should have taken away."""
        names = set(board.flash.names(Path("artifacts")))
        return sorted(names - self._kept()) + board.flash.names(Path("parts"))

    def _kept(self) -> set[str]:
        versions = [OLD, NEW] if self.update is Update.GOOD else [OLD]
        return {f"{self.artifact_of(version)}.onnx" for version in versions}
