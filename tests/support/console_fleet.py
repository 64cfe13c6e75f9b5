"""A hub, a broker and agents as processes, for the console to be used on."""

import csv
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import fleetloop_firmware_sim
from fleetloop_hub.errors import RemoteError
from support.hub_process import HubProcess

_DATA = Path(str(fleetloop_firmware_sim.__file__)).parent / "data"
MODEL = "rain"
ODD = "odd-1"
"""The device whose sensors are wired the wrong way round."""
_PATIENCE_S = 90.0
_ROWS = 2_400
_SWAPPED = ("temperature_f", "sea_level_pressure_hpa")


class ConsoleFleet:
    """All of them, ended together."""

    def __init__(self, folder: Path) -> None:
        """Nothing runs yet.

        Args:
            folder: Where all that is written goes.
        """
        self.folder = folder
        self.hub = HubProcess(folder / "hub", "nats", "--broker-port", "0")
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """Where the console is."""
        return self.hub.remote.url

    @property
    def password(self) -> str:
        """The one-time password that the hub has printed."""
        found = re.search(r"one-time password (\S+)", self.hub.log)
        assert found is not None, self.hub.log
        return found[1]

    def start(self) -> None:
        """The hub, with a model spec whose versions want an approval."""
        self._stack.callback(self.hub.close)
        self.hub.start()
        _recordings(self.folder)
        ask = {"spec": _spec(), "folder": str(self.folder)}
        self.hub.remote.post("/models", ask, dict[str, str])

    def change_the_spec(self) -> None:
        """Regularise less, so that the next version is another one."""
        spec = _spec().replace("alpha = 1.0 ", "alpha = 0.01 ")
        self.hub.remote.post("/models", {"spec": spec, "folder": str(self.folder)}, dict[str, str])

    def run(self, *arguments: str) -> None:
        """A command of the simulator, until the end."""
        command = [sys.executable, "-m", "fleetloop_firmware_sim", *arguments]
        log = self._stack.enter_context((self.folder / "devices.log").open("ab"))
        process = subprocess.Popen(command, stdout=log, stderr=log)
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)

    def devices(self, count: int) -> None:
        """More devices, let in with the admin token, and one that is wired wrongly."""
        token = str(self.hub.state / "admin.token")
        common = ("--hub", self.url, "--label", MODEL, "--label-delay", "999999", "--speed", "60")
        data = str(self.folder / "served.csv")
        more = ("--devices", str(count), "--name", "roof", "--token-file", token, "--data", data)
        self.run("fleet", *common, *more)
        odd = self.hub.remote.post("/tokens", {"cohort": "default"}, dict[str, str])["token"]
        swapped = str(self.folder / "swapped.csv")
        self.run("device", *common, "--token", odd, "--name", ODD, "--data", swapped)

    def device(self, name: str, token: str) -> None:
        """One device with the token that the console has shown."""
        data = str(self.folder / "served.csv")
        common = ("--hub", self.url, "--label", MODEL, "--label-delay", "999999", "--speed", "60")
        self.run("device", *common, "--token", token, "--name", name, "--data", data)

    def until(self, path: str, fits: Callable[[Any], bool]) -> None:
        """Wait until what the API says there fits."""
        deadline = time.monotonic() + _PATIENCE_S
        told: object = None
        while time.monotonic() < deadline:
            try:
                told = self.hub.remote.get(path, dict[str, Any])
                if fits(told):
                    return
            except RemoteError as error:
                told = error
            time.sleep(0.2)
        raise AssertionError(f"{path} says {str(told)[:2_000]}\n{self.hub.log[-2_000:]}")

    def close(self) -> None:
        """End everything."""
        self._stack.close()


def _spec() -> str:
    text = (_DATA / "rain.toml").read_text("utf-8")
    start = text.index('[[candidates]]\nname = "mlp')
    text = text[:start] + text[text.index("[budget]") :]
    changes = {
        "winters.csv": "learned.csv",
        "floor = 0.6 ": "approval = true\nfloor = 0.5 ",
        "phases = [0.25, 1.0]": 'phases = ["1 devices", 1.0]',
        "soak_rows = 20 ": "soak_rows = 5 ",
        "phase_soak_s = 0.0 ": "phase_soak_s = 3.0 ",
        "by_drift = true": "by_drift = false",
        "window_rows = 32 ": "window_rows = 64 ",
    }
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def _recordings(folder: Path) -> None:
    """What is learned from; what is served, over and over; the same with two sensors swapped."""
    with (_DATA / "noaa_weather.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    a, b = (header.index(name) for name in _SWAPPED)
    served = [row for _ in range(8) for row in rows[: _ROWS // 2]]
    for number, row in enumerate(served):
        served[number] = [str(number), *row[1:]]
    swapped = [list(row) for row in served]
    for row in swapped:
        row[a], row[b] = row[b], row[a]
    written = {"learned.csv": rows[:_ROWS], "served.csv": served, "swapped.csv": swapped}
    for name, lines in written.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *lines])
