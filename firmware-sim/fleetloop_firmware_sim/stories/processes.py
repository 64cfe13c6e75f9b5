"""A story's processes: a hub and one agent daemon a device, each with a log file of its own."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

_PATIENCE_S = 8.0


class Process:
    """A child process that can be killed like a power cut and started again."""

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        """Nothing runs before `start`.

        Args:
            name: For messages.
            arguments: Behind the Python interpreter: `-m module …`.
            log: Where its output goes.
        """
        self.name, self.log = name, log
        self._arguments = [sys.executable, *arguments]
        self._child: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start it; output is added to the log."""
        self._close()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._output = self.log.open("ab")
        self._child = subprocess.Popen(
            self._arguments,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does (SIGKILL)."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._close()

    def ask_to_stop(self) -> None:
        """Ask it to end in good order; `stop` waits for that."""
        if self._child is not None and self.running:
            self._child.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it in good order; whoever does not listen is killed."""
        if self._child is not None and self.running:
            self.ask_to_stop()
            try:
                self._child.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._close()

    def last_words(self, lines: int = 12) -> str:
        """The end of its log, for an error message."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def _close(self) -> None:
        if self._output is not None:
            self._output.close()
            self._output = None


def free_port() -> int:
    """A port on loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
