"""Plugs an agent into this machine: its disk, clocks, brokers, and who asks on this device."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from fleetloop_agent.agent import Agent
from fleetloop_agent.config import AgentConfig
from fleetloop_agent.device import sensors
from fleetloop_agent.device.application_lock import LockFile
from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.device.host import RealHost
from fleetloop_agent.device.selftest import ChildSelfTest
from fleetloop_agent.device.told import ADDRESS
from fleetloop_agent.outbox import SqliteOutbox
from fleetloop_agent.ports import Board, NoApplicationLock
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.api import LocalApi
from fleetloop_agent.serving.exposition import Exposition
from fleetloop_agent.serving.routes import Routes
from fleetloop_agent.serving.sensor_thread import SensorThread
from fleetloop_agent.serving.shadow_thread import ShadowThread
from fleetloop_shared import durable
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.link import Link
from fleetloop_shared.messages import EnrolAnswer
from fleetloop_shared.paho_link import PahoLink

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PluggedIn:
    """An agent that has started.

    Attributes:
        agent: It serves from the disk already; nobody steps it yet.
        link: To the hub's broker.
    """

    agent: Agent
    link: Link

    def step(self) -> None:
        """Do what there is to do, and wait until there may be more: half a second at most."""
        self.link.wait(self.agent.step())


@contextlib.contextmanager
def plugged_in(settings: AgentConfig, identity: EnrolAnswer, disk: RealDisk) -> Iterator[PluggedIn]:
    """An agent, its local endpoint and its sensors, ended in good order.

    Args:
        settings: The device's; nobody else may use its state folder meanwhile.
        identity: What the device was told when it enrolled.
        disk: The state folder.

    Raises:
        ConfigError: The local endpoint's address cannot be had.
    """
    with contextlib.ExitStack() as cleanup:
        board = _board(settings, identity, disk, cleanup)
        agent = Agent(settings, identity, board)
        exposition = Exposition(agent.reports.totals, lambda: agent.status, board.host.rss_bytes)
        metrics = exposition.text if settings.http.metrics else None
        routes = Routes(agent.predictor, lambda: agent.status, settings.http, metrics)
        api = LocalApi(routes, settings.http)
        api.start()
        cleanup.callback(api.stop)
        durable.replace(disk, ADDRESS, api.address.encode())
        cleanup.callback(durable.discard, disk, ADDRESS)
        agent.start()
        cleanup.callback(agent.stop)
        shadow = ShadowThread(agent.shadowing.beside)
        shadow.start()
        cleanup.callback(shadow.stop)
        if agent.sensors is not None:
            thread = SensorThread(agent.sensors)
            thread.start()
            cleanup.callback(thread.stop)
        _log.info("programs on this device ask %s", api.address)
        yield PluggedIn(agent, board.link)


def _board(
    settings: AgentConfig, identity: EnrolAnswer, disk: RealDisk, cleanup: contextlib.ExitStack
) -> Board:
    outbox = SqliteOutbox(
        settings.state_dir / "outbox.db",
        settings.report.outbox_records,
        settings.report.outbox_bytes,
    )
    cleanup.callback(outbox.close)
    self_test = ChildSelfTest()
    cleanup.callback(self_test.close)
    lock = settings.update.lock_file
    return Board(
        clock=RealClock(),
        disk=disk,
        link=PahoLink(identity.broker, identity.device, identity.username, identity.password),
        outbox=outbox,
        self_test=self_test,
        runtime=OrtRuntime(settings.serving.deadline_s),
        host=RealHost(settings.state_dir),
        application_lock=LockFile(lock) if lock is not None else NoApplicationLock(),
        sensor_link=sensors.link_to(settings.mqtt, settings.device) if settings.mqtt else None,
    )
