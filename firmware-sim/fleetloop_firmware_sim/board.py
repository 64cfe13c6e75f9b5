"""A simulated board under the real agent: flash and outbox outlive a power cut, all else is new."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fleetloop_agent.agent import Agent
from fleetloop_agent.config import AgentConfig
from fleetloop_agent.outbox import SqliteOutbox
from fleetloop_agent.ports import Board, Clock, Host, Runtime
from fleetloop_firmware_sim.crash import Aftermath, Image
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.hardware import InlineSelfTest
from fleetloop_firmware_sim.power import Moments
from fleetloop_firmware_sim.powered import PoweredLink, PoweredOutbox, PoweredRuntime
from fleetloop_shared.link import Link
from fleetloop_shared.messages import EnrolAnswer


@dataclass(frozen=True)
class Parts:
    """What a board is made of, apart from its flash.

    Attributes:
        config: The agent's settings.
        identity: What the device was told when it enrolled.
        make_link: Makes the link of one boot.
        outbox: The file of the outbox.
        clock: The clocks.
        runtime: What loads models.
        host: The machine.
        make_flash: Makes the flash of one boot.
    """

    config: AgentConfig
    identity: EnrolAnswer
    make_link: Callable[[], Link]
    outbox: Path
    clock: Clock
    runtime: Runtime
    host: Host
    make_flash: Callable[[Moments, Image | None], Flash] = Flash


class SimBoard:
    """One device.

    Attributes:
        agent: The real agent, of this boot.
        flash: Its flash, of this boot.
        link: Its link, of this boot.
        outbox: Its outbox, of this boot.
        reports: The same under power; knows what was put into it.
        runtime: Its runtime, of this boot; knows what was loaded.
    """

    def __init__(
        self, parts: Parts, moments: Moments | None = None, image: Image | None = None
    ) -> None:
        """Power on; `start` starts the agent.

        Args:
            parts: What it is made of.
            moments: The power supply; by default one that does not fail.
            image: What is in the flash; by default nothing.
        """
        moments = moments or Moments()
        self.flash = parts.make_flash(moments, image)
        self.link = parts.make_link()
        self.runtime = PoweredRuntime(parts.runtime, moments)
        self._moments = moments
        self.outbox = SqliteOutbox(parts.outbox)
        self.reports = PoweredOutbox(self.outbox, self.flash)
        board = Board(
            clock=parts.clock,
            disk=self.flash,
            link=PoweredLink(self.link, moments),
            outbox=self.reports,
            self_test=InlineSelfTest(parts.runtime, parts.clock, parts.host),
            runtime=self.runtime,
            host=parts.host,
        )
        self.agent = Agent(parts.config, parts.identity, board)

    def start(self) -> None:
        """Start the agent.

        Raises:
            PowerCut: The power failed.
        """
        self.agent.start()

    def step(self) -> float:
        """Let the agent do what there is to do; returns seconds until there may be more.

        Raises:
            PowerCut: The power failed.
        """
        return self.agent.step()

    @property
    def powered(self) -> bool:
        """Whether there is power."""
        return self._moments.on

    def off(self) -> None:
        """Shut down in good order."""
        self.agent.stop()
        self.outbox.close()

    def cut(self) -> Aftermath:
        """Take the power away.

        Returns:
            What the flash may hold now. Whoever owns the network cuts the link.
        """
        self._moments.cut()
        self.outbox.close()
        return self.flash.aftermath()
