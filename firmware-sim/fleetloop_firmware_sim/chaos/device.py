"""A device of a story: the real agent on a board whose power, disk and clocks are the story's."""

import random
from dataclasses import dataclass
from pathlib import Path

from fleetloop_agent.agent import Agent
from fleetloop_agent.config import AgentConfig, FetchConfig, ReportConfig
from fleetloop_agent.errors import ModelError, NoModelError
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_firmware_sim.board import Parts, SimBoard
from fleetloop_firmware_sim.chaos import wares
from fleetloop_firmware_sim.chaos.air import Air
from fleetloop_firmware_sim.chaos.promises import Ledger, Watch
from fleetloop_firmware_sim.chaos.story import Act
from fleetloop_firmware_sim.chaos.trace import Trace
from fleetloop_firmware_sim.clock import SimClock
from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.enrolment import HARDWARE
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.hardware import KeptRuntime, SteadyHost
from fleetloop_firmware_sim.network import SimLink
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.messages import EnrolAnswer
from fleetloop_shared.reports import Report

RESTART_S = 3.0
"""A device whose agent has ended starts it again after this long."""

STATES = 6
"""Of so many states that a cut may leave in the flash, one is taken."""

AT_ONCE = 6
"""Steps that an agent takes in a row, when it says that there is more to do."""

_RUNTIME = KeptRuntime(OrtRuntime())


class FatalMoments(Moments):
    """Power that fails as well when a deadly model has been loaded, as an agent ends."""

    def __init__(self, deadly: set[str]) -> None:
        """Switch the power on.

        Args:
            deadly: SHA-256 of the artifacts that end whoever loads them.
        """
        super().__init__()
        self._deadly = deadly

    def tick(self, what: str) -> None:
        verb, _, name = what.partition(" ")
        if verb == "loaded" and any(sha256.startswith(name) for sha256 in self._deadly):
            self.cut()
        super().tick(what)


@dataclass(frozen=True)
class Surroundings:
    """What all devices of a story share.

    Attributes:
        air: The network.
        ledger: What the hub has signed and heard.
        trace: Is told what happens.
        folder: For outboxes.
    """

    air: Air
    ledger: Ledger
    trace: Trace
    folder: Path


class SimDevice:
    """One device, over all its boots.

    Attributes:
        name: Its name.
        cohort: Its cohort.
        clock: Its clocks.
        board: What runs now, None while it is off.
        watch: Sees that it keeps its promises.
        reports: Every report it ever made, by (boot, seq).
    """

    def __init__(self, identity: EnrolAnswer, around: Surroundings, now_s: float) -> None:
        """Power is off until the first `step`.

        Args:
            identity: What it was told when it enrolled.
            around: What it shares with the others.
            now_s: Unix seconds.
        """
        self.name, self.cohort = identity.device, identity.cohort
        self.clock = SimClock(now_s)
        self.board: SimBoard | None = None
        self.watch = Watch(self.name, self.cohort, around.ledger)
        self.reports: dict[tuple[int, int], Report] = {}
        self._around = around
        self._identity = identity
        self._image = Image({})
        self._back_s = self._readable_s = self._reboot_s = -1.0
        self._unreadable: frozenset[Path] = frozenset()
        self._link: SimLink | None = None
        self._lot = random.Random(0)  # noqa: S311  # of the last power cut
        self._off_s = RESTART_S
        self._due_s = 0.0

    # --- what happens to it -----------------------------------------------------------------------

    def cut_after(self, act: Act, lot: random.Random) -> None:
        """Let its power fail at an act from here on."""
        if self.board is not None:
            self.board.flash.moments.cut_after(act.count, act.place)
            self._lot, self._off_s = lot, act.for_s

    def fill(self, acts: int) -> None:
        """Let so many acts find the disk full."""
        if self.board is not None:
            at = self.board.flash.room_acts
            self.board.flash.full_at = range(at, at + acts)

    def rot(self, lot: random.Random) -> None:
        """Let a bit of a file flip."""
        files = (self.board.flash.image() if self.board else self._image).files
        if not files:
            return
        path, bit = lot.choice(sorted(files)), lot.randrange(2**24)
        self.watch.damaged(path)
        self._around.trace.note(self.name, f"rots: {path}")
        if self.board is not None:
            self.board.flash.rot(path, bit)
        else:
            self._image = self._image.rotten(path, bit)

    def make_read_only(self, until_s: float, lot: random.Random) -> None:
        """Let the disk take no more writes until a reboot, at the time given."""
        if self.board is not None:
            self.board.flash.read_only = True
            self._reboot_s, self._lot = until_s, lot

    def make_unreadable(self, until_s: float, lot: random.Random) -> None:
        """Let one file be unreadable for a while."""
        if self.board is not None:
            files = sorted(self.board.flash.image().files)
            if files:
                path = lot.choice(files)
                self.watch.damaged(path)
                self._unreadable, self._readable_s = frozenset({path}), until_s

    def heal(self, now_s: float, world_s: float) -> None:
        """All trouble ends.

        Args:
            now_s: Seconds since the beginning.
            world_s: Unix seconds.
        """
        self.clock.set(world_s)
        self.clock.drift_ratio = 0.0
        self._readable_s = min(self._readable_s, now_s)
        self._back_s = min(self._back_s, now_s)
        if self.board is not None:
            self.board.flash.moments.cut_after(2**40)
            self.board.flash.full_at = range(0)
            if self.board.flash.read_only:
                self._go_off(now_s, 0.0)

    def close(self) -> None:
        """The story is over."""
        if self.board is not None:
            self.board.cut()
            self.board = None

    # --- what it does -----------------------------------------------------------------------------

    def step(self, now_s: float) -> None:
        """Run for a moment.

        Args:
            now_s: Seconds since the beginning.

        Raises:
            BrokenPromiseError: It has done what it must not.
        """
        if 0.0 <= self._readable_s <= now_s:
            self._unreadable, self._readable_s = frozenset(), -1.0
        try:
            if self.board is None:
                if now_s < self._back_s:
                    return
                if not self._boot(now_s):
                    return
            elif 0.0 <= self._reboot_s <= now_s:
                self._reboot_s = -1.0
                self._go_off(now_s, 0.0)
                return
            self._run(now_s)
        except PowerCut as cut:
            self._around.trace.note(self.name, f"loses its power, {cut}")
            self._go_off(now_s, self._off_s)

    def _boot(self, now_s: float) -> bool:
        """Switch on; returns whether the agent has started, which it cannot without its disk."""
        self.clock.reboot()
        self.watch.booted()
        self._lot = random.Random(f"{self.name} {now_s}")  # noqa: S311  # to be repeatable
        self._off_s, self._due_s = RESTART_S, 0.0
        moments = FatalMoments(self._around.ledger.deadly)
        try:
            self.board = board = SimBoard(self._parts(), moments, self._image)
        except DiskFullError as error:
            self._around.trace.note(self.name, f"cannot start: {error}")
            self._back_s = now_s + RESTART_S
            return False
        board.reports.appended = self.reports
        self._around.trace.note(self.name, f"boots, number {board.outbox.boot}")
        board.start()
        return True

    def _run(self, now_s: float) -> None:
        board = self._there()
        board.flash.unreadable = self._unreadable
        self._measure(board.agent)
        for _ in range(AT_ONCE):
            wait_s = board.step()
            self.watch.check(board)
            if wait_s > 0.0:
                break
        journal = board.agent.updater.journal
        self._around.trace.note(self.name, f"{journal.state} {journal.generation}")

    def _measure(self, agent: Agent) -> None:
        try:
            agent.predictor.predict(wares.rows())
        except (ModelError, NoModelError):
            return

    def _go_off(self, now_s: float, off_s: float) -> None:
        board = self._there()
        aftermath = board.cut()
        self.watch.note_loads(board)
        if self._link is not None:
            self._link.cut()
            self._link.stop()
        self._image = self._lot.choice(aftermath.some(STATES, self._lot.randrange(2**32)))
        self._back_s, self._reboot_s = now_s + off_s, -1.0
        self.board = None

    def _there(self) -> SimBoard:
        if self.board is None:
            raise ValueError(f"{self.name} is off")
        return self.board

    def _parts(self) -> Parts:
        return Parts(
            config=AgentConfig(
                device=self.name,
                hardware=HARDWARE,
                state_dir=Path(),
                hub_url="http://hub",
                fetch=FetchConfig(stall_s=1.0),
                report=ReportConfig(resend_s=2.0, health_interval_s=10.0),
            ),
            identity=self._identity,
            make_link=self._make_link,
            outbox=self._around.folder / f"{self.name}.sqlite",
            clock=self.clock,
            runtime=_RUNTIME,
            host=SteadyHost(),
            make_flash=self._make_flash,
        )

    def _make_link(self) -> SimLink:
        self._link = SimLink(self._around.air, self.name)
        return self._link

    def _make_flash(self, moments: Moments, image: Image | None) -> Flash:
        flash = Flash(moments, image)
        flash.unreadable = self._unreadable
        return flash
