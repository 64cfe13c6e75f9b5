"""Runs self-tests in a child process: what hangs, crashes or eats memory there harms nobody."""

import contextlib
import os
import subprocess
import sys
import threading

from fleetloop_agent.device.told import LENGTH_BYTES
from fleetloop_agent.ports import Finding, SelfTest
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.errors import DiskFullError, UndecodableError
from fleetloop_shared.manifest import Manifest

WALL_S = 90.0

MOST_BYTES = 65_536
"""A child that says more than this is ended: it must not fill the agent's memory."""

_TOLD = ("PYTHON", "LD_", "LANG", "LC_")
"""Variables that the child is told, by the beginning of their names: no secret is among them."""

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
        try:
            self._run = _Run(manifest, artifact, self._wall_s)
        except OSError as error:  # not the model's fault: it must not be barred for it
            raise DiskFullError(
                f"no process for a self-test ({error.strerror}): free some memory; it is tried"
                " again, and serving goes on"
            ) from error

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
        self._late = False
        self._child = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env={name: value for name, value in os.environ.items() if name.startswith(_TOLD)},
        )
        self._thread = threading.Thread(target=self._wait, name="self-test", daemon=True)
        self._thread.start()

    def give_up(self) -> None:
        self._child.kill()
        self._thread.join()

    def _wait(self) -> None:
        timer = threading.Timer(self._wall_s, self._end)
        timer.start()
        try:
            out, err = _talk(self._child, self._input)
        finally:
            timer.cancel()
        if self._late:
            self.finding = Finding(passed=False, text=f"no result within {self._wall_s:.0f} s")
        elif len(out) > MOST_BYTES or len(err) > MOST_BYTES:
            self.finding = Finding(passed=False, text="the self-test says more than a result")
        else:
            self.finding = _read(out, err, self._child.returncode)

    def _end(self) -> None:
        self._late = True
        self._child.kill()


def _talk(child: "subprocess.Popen[bytes]", told: bytes) -> tuple[bytes, bytes]:
    """Feed a child, and hear it out until it has ended; it is ended once it says too much."""
    said: dict[str, bytes] = {}

    def hear(name: str) -> None:
        stream = getattr(child, name)
        said[name] = stream.read(MOST_BYTES + 1)
        if len(said[name]) > MOST_BYTES:
            child.kill()

    ears = [threading.Thread(target=hear, args=(name,)) for name in ("stdout", "stderr")]
    for ear in ears:
        ear.start()
    with child:
        with contextlib.suppress(BrokenPipeError):  # it has ended without hearing everything
            if child.stdin is not None:
                child.stdin.write(told)
                child.stdin.close()
        for ear in ears:
            ear.join()
    return said["stdout"], said["stderr"]


def _read(out: bytes, err: bytes, code: int) -> Finding:
    if code == 0:
        try:
            return decode(out, Finding)
        except UndecodableError as error:
            return Finding(passed=False, text=f"the self-test's result cannot be read: {error}")
    last = err.decode("utf-8", "replace").strip().rpartition("\n")[2]
    how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
    return Finding(passed=False, text=f"the self-test {how}: {last[:300]}")
