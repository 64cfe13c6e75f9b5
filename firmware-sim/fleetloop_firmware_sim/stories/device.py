"""One device of a story: an agent daemon, and the sensor that feeds it."""

import csv
import io
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fleetloop_firmware_sim.errors import FeedError
from fleetloop_firmware_sim.feed_http import HttpFeeder
from fleetloop_firmware_sim.recording import Recording, Truth
from fleetloop_firmware_sim.sensor import Answer, Sensor
from fleetloop_firmware_sim.stories.processes import Process, free_port

_SCORE_TIMEOUT_S = 60.0

_CONFIG = """\
device = "{name}"
hardware = "{hardware}"
state_dir = "state"
hub_url = "{hub_url}"
enrol_token = "{token}"

[http]
port = {port}

[fetch]
stall_s = 1.0
{rate}
[report]
health_interval_s = 4.0
resend_s = 2.0
{more}"""


@dataclass(frozen=True)
class Place:
    """Where a device is set up, and what it is.

    Attributes:
        folder: Config, state and log go below it.
        hub_url: Where it enrols.
        token: With which it enrols.
        max_bytes_per_s: How fast its link is, None for no limit.
        hardware: Its hardware type.
        more: Further lines of its config.
    """

    folder: Path
    hub_url: str
    token: str
    max_bytes_per_s: int | None = None
    hardware: str = "x86-64"
    more: str = ""


class Device:
    """A device of a story.

    Attributes:
        name: Its device id.
        sensor: What feeds it.
        process: Its agent daemon.
    """

    def __init__(
        self, name: str, life: Recording, place: Place, *, label_delay_rows: int = 1
    ) -> None:
        """Write its config; nothing runs yet.

        Args:
            name: Its device id.
            life: What it measures, in order.
            place: Where it is set up.
            label_delay_rows: How many rows later the truth about a row is known.
        """
        self.name = name
        self._config = place.folder / name / "agent.toml"
        self._config.parent.mkdir(parents=True, exist_ok=True)
        port = free_port()
        rate = place.max_bytes_per_s
        self._config.write_text(
            _CONFIG.format(
                name=name,
                hardware=place.hardware,
                hub_url=place.hub_url,
                token=place.token,
                port=port,
                rate="" if rate is None else f"max_bytes_per_s = {rate}\n",
                more=place.more,
            ),
            "utf-8",
        )
        arguments = ["-m", "fleetloop_agent", "run", "--config", str(self._config)]
        self.process = Process(name, arguments, place.folder / name / "agent.log")
        self._url = f"http://127.0.0.1:{port}"
        self._asking = HttpFeeder(self._url)
        self.sensor = Sensor(life, HttpFeeder(self._url), label_delay_rows)

    @property
    def measured(self) -> int:
        """Rows that the device has answered."""
        return len(self.sensor.readings)

    def measure(self, rows: int) -> int:
        """Feed up to `rows` rows; a device that is off answers none, and they stay due."""
        if not self.process.running:
            return 0
        try:
            return self.sensor.measure(rows)
        except FeedError:
            return 0

    def feedback(self, labels: Sequence[tuple[str, Truth]]) -> None:
        """Tell the device the truth about earlier answers, by prediction id.

        Raises:
            FeedError: It does not answer, or refuses them.
        """
        self._asking.feedback(labels)

    def answers(self, rows: Recording, batch_rows: int = 64) -> list[Answer]:
        """What the device answers to these rows over HTTP.

        Raises:
            FeedError: It does not answer them all.
        """
        sensor = Sensor(rows, self._asking)
        while not sensor.done:
            if not sensor.measure(batch_rows):
                raise FeedError(f"{self.name} does not answer at {self._url}")
        return [reading.answer for reading in sensor.readings]

    def serve(self, rows: Recording) -> list[int]:
        """The class that the device answers to each of these rows over HTTP.

        Raises:
            FeedError: It does not answer them all.
        """
        return [int(answer.label) for answer in self.answers(rows)]

    def score_previous(self, rows: Recording) -> list[int]:
        """What the version before the active one answers, run from the device's own disk.

        Raises:
            FeedError: The device has none, or it does not run.
        """
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(rows.columns)
        writer.writerows(rows.rows.tolist())
        path = self._config.with_name("held-out.csv")
        path.write_text(text.getvalue(), "utf-8")
        command = [sys.executable, "-m", "fleetloop_agent", "score", "--slot", "previous"]
        done = subprocess.run(
            [*command, "--config", str(self._config), str(path)],
            capture_output=True,
            timeout=_SCORE_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise FeedError(f"{self.name}: {done.stderr.decode('utf-8', 'replace').strip()}")
        lines = done.stdout.splitlines()
        return [int(msgspec.json.decode(line, type=dict[str, Any])["label"]) for line in lines]

    def statement(self) -> int:
        """The number of the last signed statement that it has accepted; 0 while it is off."""
        reported = self.status().get("reported", {})
        return int(reported.get("sequence", 0))

    def status(self) -> dict[str, Any]:
        """What the device says of itself, empty while it is off."""
        try:
            return self._asking.status()
        except FeedError:
            return {}
