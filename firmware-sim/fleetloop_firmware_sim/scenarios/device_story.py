"""What every story of one device shares: the board, the world around it, and how it goes on."""

import dataclasses
import shutil
import tempfile
import weakref
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path

from fleetloop_agent.config import AgentConfig
from fleetloop_agent.errors import ModelError, NoModelError
from fleetloop_agent.ports import Model, Runtime
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.update.states import State
from fleetloop_firmware_sim.board import Parts, SimBoard
from fleetloop_firmware_sim.clock import EPOCH_S, SimClock
from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.hardware import SharedHost
from fleetloop_firmware_sim.network import SimBroker, SimLink
from fleetloop_firmware_sim.power import Moments
from fleetloop_firmware_sim.scenarios import releases
from fleetloop_firmware_sim.scenarios.power_cut import (
    BrokenPromiseError,
    Left,
    Story,
    Watched,
)
from fleetloop_firmware_sim.scenarios.situation import DEVICE, Situation
from fleetloop_firmware_sim.scenarios.stand_in_hub import Keys, StandInHub
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Signature
from fleetloop_shared.messages import EnrolAnswer

COHORT, HARDWARE = "default", "sim"

STEPS = 400
"""A device that has not ended where it should after so many steps never will."""

STEP_S = 1.0
"""Time that passes between two steps."""

ROWS = 4
"""Rows that are measured between two steps."""

_RAM = Path("/dev/shm")  # noqa: S108  # a folder with a name of its own; nothing waits for a disk
_DATABASE = "outbox.sqlite"

MakeFlash = Callable[[Moments, Image | None], Flash]


class Life:
    """One boot of the device, and the world around it while it runs.

    Attributes:
        board: The device.
        hub: The hub.
        hub_link: Its link, to a broker that has just started.
        clock: The time.
        power: The power supply.
    """

    def __init__(
        self, board: SimBoard, hub: StandInHub, hub_link: SimLink, clock: SimClock
    ) -> None:
        """Put the device into its world."""
        self.board, self.hub, self.hub_link, self.clock = board, hub, hub_link, clock
        self.power: Moments = board.flash.moments


class KeptRuntime(Runtime):
    """The real runtime; a model that was loaded once is not read again."""

    def __init__(self) -> None:
        """Nothing is loaded yet."""
        self._real = OrtRuntime()
        self._models: dict[str, Model] = {}

    def load(self, artifact: bytes, signature: Signature) -> Model:
        name = sha256_hex(artifact)
        if name not in self._models:
            self._models[name] = self._real.load(artifact, signature)
        return self._models[name]


class DeviceStory(Story[Situation]):
    """One device that has been through some releases, and what comes then.

    Attributes:
        keys: What the hub signs with.
        make_flash: The kind of flash that the device has.
        full_at: Acts that find no room, by number.
        room_acts: How many acts of the last boot have asked for room.
    """

    def __init__(self, make_flash: MakeFlash = Flash) -> None:
        """Set the stage; nothing has happened yet.

        Args:
            make_flash: The kind of flash that the device has.
        """
        self.keys = Keys()
        self.make_flash = make_flash
        self.full_at = range(0)
        self.room_acts = 0
        scratch = tempfile.mkdtemp(prefix="fleetloop-sim-", dir=_RAM if _RAM.is_dir() else None)
        weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)
        self._database = Path(scratch) / _DATABASE
        self._runtime = KeptRuntime()
        self._rows = releases.steady_rows(ROWS)
        self._beginning = self._nothing()

    @property
    def beginning(self) -> Situation:
        return self._beginning

    def before(self, life: Life) -> None:  # most stories have nothing to do here
        """What happens before the agent starts."""

    @abstractmethod
    def finish(self, life: Life) -> None:
        """Run a started device to the story's end, checking at each step.

        Raises:
            BrokenPromiseError: A promise was broken, or the end does not come.
            PowerCut: The power failed.
        """

    def live(self, beginning: Situation, moments: Moments) -> None:
        """Power on, and live to the end."""
        life = self.power_on(beginning, moments)
        try:
            self.before(life)
            life.board.start()
            self.finish(life)
        finally:
            self.room_acts = life.board.flash.room_acts
            life.board.cut()

    def power_on(self, beginning: Situation, moments: Moments) -> Life:
        """Power the device on; its agent is not started yet."""
        self._put_outbox(beginning.outbox)
        broker, clock = SimBroker(), SimClock(beginning.now)
        link = SimLink(broker, "hub")
        hub = beginning.hub.restarted(link)
        hub.step()
        board = SimBoard(self._parts(broker, clock), moments, beginning.image)
        life = Life(board, hub, link, clock)
        if isinstance(moments, Watched):
            moments.left = lambda: self.left(life)
            moments.flash = board.flash
        return life

    def left(self, life: Life) -> Left[Situation]:
        """What a cut now would leave; what is on its way to the hub arrives there."""
        waiting = life.hub_link.waiting()
        hub = life.hub.aside(no_link(), waiting)
        outbox = self._take_outbox()
        unsent = life.board.outbox.pending(1_000)
        now = life.clock.now()
        return Left(
            life.board.flash.aftermath(),
            lambda image: Situation(image, outbox, unsent, hub, now),
        )

    def go_on(self, life: Life, ended: Callable[[], bool]) -> None:
        """Step a started device until the end.

        Raises:
            BrokenPromiseError: The end does not come, or it goes on without power.
            PowerCut: The power failed.
        """
        for _ in range(STEPS):
            life.board.step()
            if not life.board.powered:
                raise BrokenPromiseError("it has gone on without power")
            life.hub.step()
            self._measure(life.board)
            if ended():
                return
            life.clock.step(STEP_S)
            if isinstance(life.power, Watched):
                life.power.rest()
        raise BrokenPromiseError(f"it never ends, and says {life.hub.reported.get(DEVICE)}")

    def tell(self, happen: Callable[[StandInHub, float], None], rest: int) -> None:
        """Let something happen before the story begins, until the device serves a version.

        Args:
            happen: What the hub does.
            rest: The version.
        """
        before = self._beginning
        hub = before.hub.restarted(no_link())
        happen(hub, before.now)
        life = self.power_on(dataclasses.replace(before, hub=hub), Moments())
        life.board.start()
        self.go_on(life, lambda: self.rests_on(life, rest))
        life.clock.step(STEP_S)
        left = self.left(life)
        life.board.off()
        self._beginning = left.begin(life.board.flash.image())

    def rests_on(self, life: Life, version: int) -> bool:
        """Whether it serves a version, has said so, and has nothing more to say or to do."""
        reported = life.hub.reported.get(DEVICE)
        appended, acknowledged, _ = life.board.outbox.counts()
        return (
            reported is not None
            and (reported.state, reported.version) == (State.SERVING, version)
            and reported.target is None
            and reported.boot == life.board.outbox.boot
            and appended == acknowledged
        )

    def _measure(self, board: SimBoard) -> None:
        try:
            board.agent.predictor.predict(self._rows)
        except (ModelError, NoModelError):
            return

    def _parts(self, broker: SimBroker, clock: SimClock) -> Parts:
        return Parts(
            config=AgentConfig(
                device=DEVICE, hardware=HARDWARE, state_dir=Path(), hub_url="http://hub"
            ),
            identity=EnrolAnswer(
                device=DEVICE,
                cohort=COHORT,
                broker="mqtt://hub",
                username=DEVICE,
                password="",
                image_root=self.keys.image.roots[0],
                director_root=self.keys.director.roots[0],
            ),
            make_link=lambda: SimLink(broker, DEVICE),
            outbox=self._database,
            clock=clock,
            runtime=self._runtime,
            host=SharedHost(),
            make_flash=self._flash,
        )

    def _flash(self, moments: Moments, image: Image | None) -> Flash:
        flash = self.make_flash(moments, image)
        flash.full_at = self.full_at
        return flash

    def _nothing(self) -> Situation:
        hub = StandInHub(no_link(), self.keys, COHORT)
        return Situation(Image({}), {}, [], hub, EPOCH_S)

    def _take_outbox(self) -> dict[str, bytes]:
        """The files of the outbox between two of its changes: it keeps its own promises."""
        ends = ("", "-wal")
        paths = {end: Path(f"{self._database}{end}") for end in ends}
        return {end: path.read_bytes() for end, path in paths.items() if path.exists()}

    def _put_outbox(self, files: dict[str, bytes]) -> None:
        for end in ("", "-wal", "-shm"):
            Path(f"{self._database}{end}").unlink(missing_ok=True)
        for end, data in files.items():
            Path(f"{self._database}{end}").write_bytes(data)


def no_link() -> SimLink:
    """A hub's link that never connects."""
    broker = SimBroker()
    broker.stop()
    return SimLink(broker, "hub")
