"""Runs self-tests in a child process: what hangs, crashes or eats memory there harms nobody."""

import subprocess
import sys
import threading

from fleetloop_agent.device.selftest_child import LENGTH_BYTES
from fleetloop_agent.ports import Finding, SelfTest
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.manifest import Manifest

WALL_S = 90.0

_COMMAND = [sys.executable, "-P", "-m", "fleetloop_agent.device.selftest_child"]


class ChildSelfTest(SelfTest):
    """One child a test."""

    def __init__(self, wall_s: float = WALL_S) -> None:
        """Nothing runs yet.

        Args:
            wall_s: The longest a test may take, in seconds.
        """
        self._wall_s = wall_s
        self._run: _Run | None = None

    def start(self, manifest: Manifest, artifact: bytes) -> None:
        self.close()
        self._run = _Run(manifest, artifact, self._wall_s)

    def poll(self) -> Finding | None:
        if self._run is None:
            return Finding(passed=False, text="no self-test was started")
        return self._run.finding

    def close(self) -> None:
        """Give up a test that is running."""
        if self._run is not None:
            self._run.give_up()
        self._run = None


class _Run:
    """One child and the thread that feeds it and waits for it."""

    def __init__(self, manifest: Manifest, artifact: bytes, wall_s: float) -> None:
        self.finding: Finding | None = None
        body = encode(manifest)
        self._input = len(body).to_bytes(LENGTH_BYTES, "big") + body + artifact
        self._wall_s = wall_s
        self._child = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
        )
        self._thread = threading.Thread(target=self._wait, name="self-test", daemon=True)
        self._thread.start()

    def give_up(self) -> None:
        self._child.kill()
        self._thread.join()

    def _wait(self) -> None:
        try:
            out, err = self._child.communicate(self._input, self._wall_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
            self.finding = Finding(passed=False, text=f"no result within {self._wall_s:.0f} s")
            return
        self.finding = _read(out, err, self._child.returncode)


def _read(out: bytes, err: bytes, code: int) -> Finding:
    if code == 0:
        try:
            return decode(out, Finding)
        except UndecodableError as error:
            return Finding(passed=False, text=f"the self-test's result cannot be read: {error}")
    last = err.decode("utf-8", "replace").strip().rpartition("\n")[2]
    how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
    return Finding(passed=False, text=f"the self-test {how}: {last[:300]}")
