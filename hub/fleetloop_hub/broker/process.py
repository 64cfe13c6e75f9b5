"""A broker as a child process: started, watched, told to reload, and ended with the hub.

The child dies with the hub also when the hub is killed: on Linux the kernel sees to it; elsewhere
the next start ends the child that the process file names. Linux ties a child to the *thread* that
made it, so a thread of its own makes each child and waits for its end. The folder belongs to one
hub: have the catalog's lock before a broker is started here.
"""

import ctypes
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fleetloop_hub.broker.listening import answers_mqtt, settle_port
from fleetloop_hub.errors import BrokerError
from fleetloop_shared.durable import RealDisk, make_folder, put_aside, replace

_LOG, _PID = "broker.log", "broker.pid"
_READY_S = 20.0
_RELOAD_S = 10.0
_END_S = 5.0
_POLL_S = 0.01
_STEADY_S = 60.0
_LONGEST_WAIT_S = 30.0
_LOG_BYTES = 16 * 1024 * 1024
_PR_SET_PDEATHSIG = 1

_log = logging.getLogger(__name__)
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One broker process, on one port, with its files in one folder.

    Safe to be called from many threads.

    Args:
        folder: Where `broker.log`, `broker.pid` and `broker.port` are kept.
        host: Address on which it listens.
        port: Port of the same; 0 chooses a free one at the first start and keeps to it.
    """

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.host = host
        self._wanted_port = port
        self._port: int | None = None
        self._folder = folder
        self._log_path = folder / _LOG
        self._pid_path = folder / _PID
        self._command: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()
        self._ends = 0
        self._next_start_at = 0.0
        self._started_at = 0.0

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises:
            BrokerError: It was never started.
        """
        if self._port is None:
            raise BrokerError("the broker was not started yet, so it has no port: start it first")
        return self._port

    def start(self, make_command: Callable[[int], list[str]]) -> None:
        """End what an earlier hub left, choose the port, and start; returns when it answers.

        Args:
            make_command: Writes the broker's files for the port given; returns what to run.

        Raises:
            BrokerError: The port is taken, or the broker ended at once; with its last words.
        """
        with self._lock:
            make_folder(self._folder, 0o700)
            self._disk = RealDisk(self._folder)
            self._end_stale()
            kept_in = self._folder / "broker.port"
            self._port = settle_port(self.host, self._wanted_port, kept_in)
            self._command = make_command(self._port)
            if self._log_path.exists():
                put_aside(self._disk, Path(_LOG), Path(f"{_LOG}.old"))
            self._bring_up()

    def reload(self, confirmation: bytes) -> None:
        """Have the child read its files anew; returns when it has said so. Nothing if it is down.

        Args:
            confirmation: What it then writes to its log.

        Raises:
            BrokerError: It has not said so.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                return
            heard = self._log_path.stat().st_size
            self._process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + _RELOAD_S
            while confirmation not in self._said_since(heard):
                if time.monotonic() > deadline:
                    raise BrokerError(
                        "the broker has not taken over its new accounts; its log says: "
                        + self._last_words()
                    )
                time.sleep(_POLL_S)

    def check(self) -> None:
        """Start the child again if it has ended: at once, then after ever longer pauses."""
        with self._lock:
            now = time.monotonic()
            if self._process is None:
                return
            if self._process.poll() is None:
                if now - self._started_at > _STEADY_S:
                    self._ends = 0
                if self._log_path.stat().st_size > _LOG_BYTES:
                    self._disk.write(Path(_LOG), b"")
                return
            if now < self._next_start_at:
                return
            _log.warning("the broker ended with code %s: restarting", self._process.returncode)
            self._ends += 1
            self._next_start_at = now + min(_LONGEST_WAIT_S, 2.0**self._ends)
            try:
                self._bring_up()
            except BrokerError as error:
                _log.warning("the broker did not come back: %s", error)

    def stop(self) -> None:
        """End the child, and wait for it."""
        with self._lock:
            if self._process is not None:
                _end(self._process)
                self._process = None
                self._disk.remove(Path(_PID))

    def _bring_up(self) -> None:
        self._started_at = time.monotonic()
        self._process = self._spawn()
        replace(self._disk, Path(_PID), f"{self._process.pid}\n".encode())
        while not answers_mqtt(self.host, self.port):
            if self._process.poll() is not None:
                raise BrokerError(f"the broker ended while starting; {self._last_words()}")
            if time.monotonic() - self._started_at > _READY_S:
                _end(self._process)
                raise BrokerError(f"the broker does not answer; {self._last_words()}")
            time.sleep(_POLL_S)

    def _spawn(self) -> subprocess.Popen[bytes]:
        made: queue.Queue[subprocess.Popen[bytes] | OSError] = queue.Queue()
        keeper = threading.Thread(target=self._keep, args=(made,), name="broker", daemon=True)
        keeper.start()
        process = made.get()
        if isinstance(process, OSError):
            raise BrokerError(f"the broker cannot be run: {process}") from process
        return process

    def _keep(self, made: queue.Queue[subprocess.Popen[bytes] | OSError]) -> None:
        try:
            with self._log_path.open("ab") as log:
                process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is for the hub, which ends the child itself
                    preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, nothing imported
                )
        except OSError as error:
            made.put(error)
            return
        made.put(process)
        process.wait()

    def _end_stale(self) -> None:
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int(self._pid_path.read_text("ascii"))
            deadline = time.monotonic() + _END_S
            while str(self._folder) in _command_of(pid):
                late = time.monotonic() > deadline
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
                time.sleep(_POLL_S)

    def _said_since(self, offset: int) -> bytes:
        with self._log_path.open("rb") as log:
            log.seek(offset)
            return log.read()

    def _last_words(self) -> str:
        lines = self._log_path.read_text("utf-8", "replace").splitlines()[-5:]
        return " | ".join(lines) + f" (whole log: {self._log_path})"


def _end_with_parent() -> None:
    """Runs in the child before the broker does."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _command_of(pid: int) -> str:
    """The command line of a process that runs, or nothing."""
    entry = Path(f"/proc/{pid}/cmdline")
    if sys.platform == "linux":
        return entry.read_bytes().decode("utf-8", "replace") if entry.exists() else ""
    found = subprocess.run(
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
    )
    return found.stdout.decode("utf-8", "replace")
