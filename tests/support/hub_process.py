"""A real hub process at a broker of the test's own."""

import os
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

from fleetloop_hub.errors import RemoteError
from fleetloop_hub.remote import Remote, find_hub

PATIENCE_S = 60.0


class HubProcess:
    """`fleetloop serve` as a stranger runs it."""

    def __init__(self, state: Path, broker: str, *options: str) -> None:
        """Nothing runs before `start`.

        Args:
            state: Its state folder.
            broker: The address of a broker that runs, or the name of one to be started.
            options: More of the command line.
        """
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self._http = f"127.0.0.1:{free.getsockname()[1]}"
        self.state, self._broker, self._options = state, broker, options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def remote(self) -> Remote:
        """Its HTTP API, for a person who may change things."""
        return find_hub(self.state, f"http://{self._http}", change=True)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://{self._http}"

    def cpu_share(self, during_s: float) -> float:
        """How much of a core it uses, watched for some seconds."""
        began_s, began = self._cpu_s(), time.monotonic()
        time.sleep(during_s)
        return (self._cpu_s() - began_s) / (time.monotonic() - began)

    def settle(self, quiet_share: float = 0.3) -> None:
        """Wait until what it does after a start is done."""
        deadline = time.monotonic() + PATIENCE_S
        while self.cpu_share(3.0) > quiet_share and time.monotonic() < deadline:
            pass

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def ended(self) -> int | None:
        """The exit code of one that has ended."""
        return None if self._process is None else self._process.poll()

    @property
    def log(self) -> str:
        return (self.state / "hub.log").read_text("utf-8")

    def start(self) -> None:
        command = [sys.executable, "-m", "fleetloop_hub", "serve", "--state-dir", str(self.state)]
        command += ["--http", self._http, "--broker", self._broker, *self._options]
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "hub.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with suppress(RemoteError):
                self.remote.get("/status", dict[str, object])
                return
            assert time.monotonic() < deadline, self.log
            assert self.ended is None, self.log
            time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            assert self._process.wait(PATIENCE_S) == 0
            self._process = None

    close = kill
