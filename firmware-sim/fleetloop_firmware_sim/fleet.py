"""A fleet in one process: each device has a thread, a flash in memory, and the real agent."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from fleetloop_agent.agent import COLLECT_S
from fleetloop_agent.config import AgentConfig, ReportConfig
from fleetloop_agent.ports import Host
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_firmware_sim import enrolment
from fleetloop_firmware_sim.board import Parts, SimBoard
from fleetloop_firmware_sim.feed_predictor import PredictorFeeder
from fleetloop_firmware_sim.hardware import SharedHost, WallClock
from fleetloop_firmware_sim.recording import Recording
from fleetloop_firmware_sim.sensor import Pace, Sensor
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.messages import EnrolAnswer
from fleetloop_shared.paho_link import PahoLink

HEALTH_INTERVAL_S = 5.0
"""So often that somebody who watches sees something."""

_BATCH_ROWS = 32
"""A device that has fallen behind measures so many rows at once, at most."""

_SHORTEST_WAIT_S = 0.01

_ENROLLED = "http://enrolled"
"""The agent's settings name the hub, which only an enrolment would ask."""


@dataclass(frozen=True)
class Replay:
    """What the devices of a fleet measure.

    Attributes:
        recording: The rows; every device measures them all.
        rows_per_s: How fast.
        label_delay_rows: How many rows later the truth is known.
    """

    recording: Recording
    rows_per_s: float
    label_delay_rows: int = 1


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated device, as it is now.

    Attributes:
        device: Its name.
        connected: Whether it is connected to the broker.
        state: The update state; "off" while it is off.
        version: The model version that serves.
        target: The version it is moving to.
        rows: Rows answered.
        accuracy: Share of right answers among those whose truth the recording knows.
        versions: Each version that answered, with the row at which it first did.
        reports: Reports written.
        unacknowledged: Of these, not yet acknowledged by the hub.
        error: What is wrong.
    """

    device: str
    connected: bool = False
    state: str = "off"
    version: int | None = None
    target: int | None = None
    rows: int = 0
    accuracy: float | None = None
    versions: list[tuple[int, int]] = []
    reports: int = 0
    unacknowledged: int = 0
    error: str | None = None


class FleetDevice:
    """One simulated device and its thread.

    What limits a fleet is this process: one thread a device and one for its link, one interpreter
    lock for all of them. Fifty devices are fine on two cores; for more, start a second fleet.
    """

    def __init__(self, identity: EnrolAnswer, replay: Replay, folder: Path, host: Host) -> None:
        """Build it; nothing runs before `start`.

        Args:
            identity: What it was told when it enrolled.
            replay: What it measures.
            folder: For its outbox.
            host: The machine it runs on.
        """
        self._name = identity.device
        self._replay = replay
        self._clock = WallClock()
        self._parts = Parts(
            config=AgentConfig(
                device=identity.device,
                hardware=enrolment.HARDWARE,
                state_dir=folder,
                hub_url=_ENROLLED,
                report=ReportConfig(health_interval_s=HEALTH_INTERVAL_S),
            ),
            identity=identity,
            make_link=lambda: PahoLink(
                identity.broker, identity.device, identity.username, identity.password
            ),
            outbox=folder / f"{identity.device}.sqlite",
            clock=self._clock,
            runtime=OrtRuntime(),
            host=host,
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name=identity.device)
        self._board: SimBoard | None = None
        self._sensor: Sensor | None = None
        self._told_at: float | None = None
        self._fault: str | None = None

    def start(self) -> None:
        """Power on."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to shut down; `join` waits until it has."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until it is off."""
        self._thread.join()

    @property
    def done(self) -> bool:
        """Whether it is off, or has measured all there is and the hub has every report of it."""
        if not self._thread.is_alive():
            return True
        if self._board is None or self._told_at is None:
            return False
        reported_at = self._told_at + HEALTH_INTERVAL_S + 2 * COLLECT_S
        reported = self._clock.monotonic() > reported_at
        return reported and self._board.agent.status.unacknowledged == 0

    def view(self) -> DeviceView:
        """How it is now; may be asked from any thread."""
        board, sensor = self._board, self._sensor
        if board is None or sensor is None:
            return DeviceView(device=self._name, error=self._fault)
        status = board.agent.status
        reported = status.reported
        return DeviceView(
            device=self._name,
            connected=status.connected,
            state=reported.state,
            version=reported.version,
            target=reported.target,
            rows=len(sensor.readings),
            accuracy=sensor.accuracy(),
            versions=sensor.versions(),
            reports=status.reports,
            unacknowledged=status.unacknowledged,
            error=self._fault or reported.error,
        )

    def _live(self) -> None:
        board = SimBoard(self._parts)
        feeder = PredictorFeeder(board.agent.predictor)
        sensor = Sensor(self._replay.recording, feeder, self._replay.label_delay_rows)
        self._board, self._sensor = board, sensor
        try:
            board.start()
            self._run(board, sensor)
        except FleetloopError as error:
            self._fault = str(error)
        finally:
            board.off()

    def _run(self, board: SimBoard, sensor: Sensor) -> None:
        interval_s = 1.0 / self._replay.rows_per_s
        pace = Pace(self._replay.rows_per_s, self._clock.monotonic())
        while not self._stopping.is_set():
            wait_s = board.step()
            sensor.measure(pace.due(self._clock.monotonic(), _BATCH_ROWS))
            if sensor.done and self._told_at is None:
                sensor.tell_the_rest()
                self._told_at = self._clock.monotonic()
            board.link.wait(min(wait_s, max(interval_s, _SHORTEST_WAIT_S)))


class Fleet:
    """Devices that are started and stopped together."""

    def __init__(self, identities: list[EnrolAnswer], replay: Replay, folder: Path) -> None:
        """Build them.

        Args:
            identities: What each was told when it enrolled.
            replay: What each measures.
            folder: For their outboxes.
        """
        host = SharedHost(len(identities))
        self._devices = [FleetDevice(i, replay, folder, host) for i in identities]

    def __enter__(self) -> Self:
        """Power all of them on."""
        for device in self._devices:
            device.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Shut all of them down in good order."""
        for device in self._devices:
            device.stop()
        for device in self._devices:
            device.join()

    @property
    def done(self) -> bool:
        """Whether every device has measured all there is, and the hub has every report."""
        return all(device.done for device in self._devices)

    def views(self) -> list[DeviceView]:
        """How each device is now."""
        return [device.view() for device in self._devices]
