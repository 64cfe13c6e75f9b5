"""A constrained device as a child process: told its settings, ended in good order."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from fleetloop_firmware_sim.errors import FirmwareError
from fleetloop_shared import endpoint
from fleetloop_shared.errors import AddressError
from fleetloop_shared.messages import EnrolAnswer

_PATIENCE_S = 10.0
_ENDED = "ended "
_HARDWARE = "sim"


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a device says of itself when it ends.

    Attributes:
        answered: Rows answered.
        refused: Messages that were no rows, or rows without an answer.
        profiles: Windows whose profile was reported.
        connections: Connections made, to the sensors' broker and to the hub's.
        oversized: Messages for which there was no room.
        lost: Windows that ended while the hub's broker was not there.
    """

    answered: int
    refused: int
    profiles: int
    connections: int
    oversized: int
    lost: int


@dataclass(frozen=True)
class Sensors:
    """Where rows come from and answers go.

    Attributes:
        broker: `mqtt://host:port` of the sensors.
        input: Topic filter of the rows.
        output: Topic of the answers; `{0}` is what stood for the first `+` of the filter.
        refusals: Topic on which what is no row is told; "" for none.
        username: For the broker; "" for none.
        password: The same.
    """

    broker: str
    input: str
    output: str
    refusals: str = ""
    username: str = ""
    password: str = ""


class ConstrainedDevice:
    """A program that runs from `with` to its end."""

    def __init__(
        self, program: Path, device: str, sensors: Sensors, identity: EnrolAnswer | None = None
    ) -> None:
        """Nothing runs yet.

        Args:
            program: What `building.build` has made.
            device: Its name, the first part of prediction ids.
            sensors: What it answers.
            identity: What the hub has told it; without one it speaks to sensors alone.

        Raises:
            FirmwareError: A broker wants TLS, or a setting has more than one line.
        """
        told = {
            "device": device,
            "boot": "1",
            "hardware": _HARDWARE,
            "sensors": _plain_address(sensors.broker),
            "sensors_user": sensors.username,
            "sensors_password": sensors.password,
            "input": sensors.input,
            "output": sensors.output,
            "refusals": sensors.refusals,
        }
        if identity is not None:
            told |= {"hub": _plain_address(identity.broker), "password": identity.password}
        if any("\n" in text or "\r" in text for text in told.values()):
            raise FirmwareError(
                "a setting of a constrained device is one line; nothing was started"
            )
        self._program = program
        self._told = "".join(f"{name}={text}\n" for name, text in told.items())
        self._running: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            FirmwareError: It does not start.
        """
        try:
            self._running = subprocess.Popen(
                [self._program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        except OSError as error:
            raise FirmwareError(f"{self._program} does not start: {error.strerror}") from error
        if self._running.stdin is not None:
            self._running.stdin.write(self._told)
            self._running.stdin.close()
        return self

    def __exit__(self, *_: object) -> None:
        """End it at once, if it was not ended."""
        running = self._started()
        if running.poll() is None:
            running.kill()
        running.wait()
        if running.stdout is not None:
            running.stdout.close()

    def hear(self) -> str:
        """The next line it says; "" when it has ended."""
        running = self._started()
        return running.stdout.readline() if running.stdout is not None else ""

    def end(self) -> Ended:
        """End it, and hear what it has done.

        Raises:
            FirmwareError: It has ended by itself, or does not end.
        """
        running = self._started()
        running.terminate()
        try:
            code = running.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise FirmwareError(f"the firmware did not end in {_PATIENCE_S:g} s") from error
        while line := self.hear():
            if line.startswith(_ENDED):
                return msgspec.json.decode(line.removeprefix(_ENDED), type=Ended)
        raise FirmwareError(f"the firmware ended by itself, with exit code {code}")

    def _started(self) -> subprocess.Popen[str]:
        if self._running is None:
            raise FirmwareError("the firmware was not started")
        return self._running


def _plain_address(broker: str) -> str:
    try:
        parts = endpoint.parse(broker)
    except AddressError as error:
        raise FirmwareError(str(error)) from error
    if parts.tls:
        raise FirmwareError(
            f"{parts.address} wants TLS, which this firmware has not; nothing was started: name a "
            "broker on the same machine, or one with mqtt://"
        )
    return f"{parts.host}:{parts.port}"
