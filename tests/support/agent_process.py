"""A real agent process, and the hub's end of enrolment and broker that it needs."""

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

from fleetloop_shared.codec import encode
from fleetloop_shared.messages import EnrolAnswer, EnrolRequest
from fleetloop_shared.trust import fingerprint
from support.hubside import HARDWARE

PATIENCE_S = 20.0
DEVICE = "station-1"


class EnrolServer:
    """Answers enrolment requests with what it is told to."""

    def __init__(self, answer: EnrolAnswer, status: int = 201) -> None:
        self.body, self.status = encode(answer), status
        self.asked: list[EnrolRequest] = []
        self.token = f"secret.{fingerprint(answer.image_root, answer.director_root)}"
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append(EnrolRequest(**json.loads(body)))
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class AgentProcess:
    """`fleetloop-agent` as a stranger runs it."""

    def __init__(
        self,
        folder: Path,
        hub_url: str,
        token: str,
        extra: str = "",
        python: Path = Path(sys.executable),
    ) -> None:
        self.folder, self._python = folder, python
        self.config = folder / "agent.toml"
        self.config.write_text(
            f'device = "{DEVICE}"\nhardware = "{HARDWARE}"\nstate_dir = "state"\n'
            f'hub_url = "{hub_url}"\nenrol_token = "{token}"\n[http]\nport = 0\n{extra}',
            "utf-8",
        )
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def start(self, under: Sequence[str] = ()) -> None:
        """Run it, `under` a command that becomes it."""
        self._log = (self.folder / "log").open("a", encoding="utf-8")
        command = [*under, *self._command("run")]
        self._process = subprocess.Popen(command, stderr=self._log, text=True)

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """The exit code of one that was started and has ended."""
        return None if self._process is None else self._process.poll()

    def kill(self) -> int:
        return self._end(lambda process: process.kill())

    def stop(self) -> int:
        return self._end(lambda process: process.terminate())

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments), check=False, capture_output=True, text=True, timeout=60
        )

    def call(self, path: str, body: object = None) -> dict[str, object]:
        """Ask the local endpoint."""
        address = (self.folder / "state" / "http-address").read_text("ascii")
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(  # noqa: S310 - the address is http and our own
            address + path, data, timeout=5
        ) as response:
            answer: dict[str, object] = json.load(response)
            return answer

    def predict(self, rows: list[dict[str, float]]) -> list[dict[str, object]]:
        answers = self.call("/predict", {"rows": rows})["answers"]
        assert isinstance(answers, list)
        return answers

    def until(self, condition: Callable[[dict[str, object]], bool], what: str) -> dict[str, object]:
        """Wait for the reported state to be as `condition` has it."""
        deadline = time.monotonic() + PATIENCE_S
        said: dict[str, object] = {}
        while time.monotonic() < deadline:
            try:
                reported = self.call("/status")["reported"]
            except (OSError, urllib.error.URLError):
                reported = {}
            assert isinstance(reported, dict)
            said = reported
            if said and condition(said):
                return said
            assert self._process is not None
            assert self._process.poll() is None, f"it has ended:\n{self.log}"
            time.sleep(0.02)
        raise AssertionError(f"waited for {what}; it says {said}\n{self.log}")

    def _command(self, *arguments: str) -> list[str]:
        command, *rest = arguments
        agent = [str(self._python), "-m", "fleetloop_agent"]
        return [*agent, command, "--config", str(self.config), *rest]

    def _end(self, how: Callable[[subprocess.Popen[str]], None]) -> int:
        assert self._process is not None
        assert self._log is not None
        how(self._process)
        code = self._process.wait(PATIENCE_S)
        self._log.close()
        self._process = self._log = None
        return code

    def close(self) -> None:
        if self._process is not None:
            self.kill()
