"""One heavy job in a process of its own, so that the hub stays quick: both sides of it.

They tell each other through the files of a folder:

job.json        hub → process: what to do
progress.jsonl  process → hub: a line whenever it gets further
result.json     process → hub: written last, so that everything it speaks of is there
failure.json    process → hub: instead of a result
log.txt         what libraries print
"""

import contextlib
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from fleetloop_shared.durable import RealDisk, replace
from fleetloop_shared.errors import FleetloopError

R = TypeVar("R")

JOB = Path("job.json")
PROGRESS = Path("progress.jsonl")
RESULT = Path("result.json")
FAILURE = Path("failure.json")
LOG = Path("log.txt")

_POLITE = 10
_LOG_BYTES = 600


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is.

    Attributes:
        share: Of the work that is done, 0 to 1.
        text: What is being done, in words.
        left_s: Seconds that this stretch of it may still take, None while nobody knows.
    """

    share: float
    text: str
    left_s: float | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job has come to nothing.

    Attributes:
        text: What happened and what to do next.
    """

    text: str


class Child:
    """The hub's side of one job."""

    def __init__(self, folder: Path, module: str) -> None:
        """Nothing is started yet.

        Args:
            folder: The job's own; made by `start`.
            module: What the process runs, as `python -m` takes it; it calls `work`.
        """
        self.folder, self._module = folder, module
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, job: msgspec.Struct) -> None:
        """Begin, with low priority, so that the hub and its broker stay quick.

        Raises:
            DiskFullError: No room for the job; nothing was started.
            OSError: The process cannot be started.
        """
        disk = RealDisk(self.folder)
        for old in (PROGRESS, RESULT, FAILURE):
            disk.remove(old)
        replace(disk, JOB, msgspec.json.encode(job))
        with (self.folder / LOG).open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self._module, str(self.folder.absolute())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        os.setpriority(os.PRIO_PROCESS, self.process.pid, _POLITE)

    def reap(self) -> None:
        """Wait for the end of a process that has ended, or is about to."""
        if self.process is not None:
            self.process.wait()
            if self.process.stdin is not None:
                with contextlib.suppress(OSError):
                    self.process.stdin.close()

    def kill(self) -> None:
        """End it now, if it runs."""
        if self.process is not None:
            self.process.kill()

    def progress(self) -> Progress:
        """The last line that can be read; the newest one may be half-written."""
        with contextlib.suppress(OSError):
            for line in reversed((self.folder / PROGRESS).read_bytes().splitlines()):
                with contextlib.suppress(msgspec.MsgspecError, ValueError):
                    return msgspec.json.decode(line, type=Progress)
        return Progress(share=0.0, text="starting")

    def left(self, kind: type[R]) -> R | Failure:
        """What a process that has ended has left.

        Raises:
            FileNotFoundError: Neither a result nor a failure.
            OSError: It cannot be read.
            msgspec.MsgspecError: It is damaged.
            ValueError: The same.
            RecursionError: The same.
        """
        if (self.folder / FAILURE).exists():
            return msgspec.json.decode((self.folder / FAILURE).read_bytes(), type=Failure)
        return msgspec.json.decode((self.folder / RESULT).read_bytes(), type=kind)

    def last_words(self) -> str:
        """The end of what its libraries have printed."""
        with contextlib.suppress(OSError):
            log = (self.folder / LOG).read_bytes()[-_LOG_BYTES:].decode(errors="replace")
            return log.strip() or "none"
        return "none"


def work(folder: Path, do: Callable[[Path, RealDisk], None], failed: str) -> None:
    """The process's side: leave a failure in the folder for whatever goes wrong.

    Args:
        folder: The job's.
        do: Does the job, down to its result.
        failed: The beginning of what is told of an error that nobody foresaw: "training failed".
    """
    threading.Thread(target=_die_with_parent, daemon=True).start()
    disk = RealDisk(folder)
    try:
        do(folder, disk)
    except Exception as error:  # noqa: BLE001  # the edge: the hub is told, whatever it was
        traceback.print_exc()
        text = str(error)
        if not isinstance(error, FleetloopError):
            text = (
                f"{failed} in a way nobody foresaw ({type(error).__name__}: {error}), and nothing "
                f"was stored; {folder / LOG} tells where, please report it"
            )
        replace(disk, FAILURE, msgspec.json.encode(Failure(text=text)))


def _die_with_parent() -> None:
    """The hub holds the other end of standard input: it closes when the hub is gone."""
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 1):
            pass
    os._exit(1)
