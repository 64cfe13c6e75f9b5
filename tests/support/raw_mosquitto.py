"""A mosquitto of the test's own: any name may log in, and its log tells what went to whom."""

import re
import socket
import subprocess
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from fleetloop_hub.broker.listening import answers_mqtt
from fleetloop_hub.broker.mosquitto import find_program

_READY_S = 20.0
_SENT = re.compile(r"Sending PUBLISH to (\S+) \(d\d, q\d, r\d, m\d+, '([^']+)', ")


class RawMosquitto:
    """A broker that a test may kill and start again on the same port."""

    def __init__(self, folder: Path) -> None:
        """Nothing runs before `start`.

        Args:
            folder: Where its files are.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.persistent = True
        """Whether it keeps retained messages when it is ended; counts from the next start."""
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._log, self._config = folder / "log", folder / "mosquitto.conf"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._write_config()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [find_program(), "-c", str(self._config)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + _READY_S
        while not answers_mqtt("127.0.0.1", self.port):
            assert time.monotonic() < deadline, self._log.read_text("utf-8")[-500:]
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL: it keeps what it has saved, if it saves."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """SIGTERM: it saves, if it is to."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    close = kill

    def forget(self) -> None:
        """It is off, and has nothing of what it kept."""
        self.kill()
        self._log.with_name("mosquitto.db").unlink(missing_ok=True)

    def mark(self) -> int:
        """Where its log ends now."""
        return self._log.stat().st_size

    def sent(self, client: str, part: str, since: int = 0) -> Counter[str]:
        """How often each topic with `part` in it was sent to a client, since a mark."""
        with self._log.open("rb") as log:
            log.seek(since)
            text = log.read().decode("utf-8", "replace")
        return Counter(t for name, t in _SENT.findall(text) if name == client and part in t)

    def _write_config(self) -> None:
        keeps = str(self.persistent).lower()
        self._config.write_text(
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"persistence {keeps}\npersistence_location {self._config.parent}/\n"
            "autosave_interval 1\nset_tcp_nodelay true\nmax_queued_messages 100000\n"
            "log_type all\nlog_dest stderr\n",
            "ascii",
        )
