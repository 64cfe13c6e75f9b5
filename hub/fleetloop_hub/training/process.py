"""The hub's side of a training run: a process of its own, watched through the files it writes."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec

from fleetloop_hub.training import job as files
from fleetloop_hub.training.job import Failure, Job, Progress, Result
from fleetloop_shared.durable import RealDisk, replace
from fleetloop_shared.ids import sha256_hex

_POLITE = 10
_LOG_BYTES = 600
_AGAIN = "train again"


class TrainingProcess:
    """One run; `poll` as often as you like, it never waits."""

    def __init__(self, job_dir: Path) -> None:
        """Nothing is started yet.

        Args:
            job_dir: The run's own folder; made by `start`.
        """
        self._dir = job_dir
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    def start(self, job: Job) -> None:
        """Begin, with low priority and on one core, so that the hub and its broker stay quick.

        Raises:
            DiskFullError: No room for the job; nothing was started.
            OSError: The process cannot be started.
        """
        disk = RealDisk(self._dir)
        for old in (files.PROGRESS, files.RESULT, files.FAILURE):
            disk.remove(old)
        replace(disk, files.JOB, msgspec.json.encode(job))
        with (self._dir / files.LOG).open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fleetloop_hub.training", str(self._dir.absolute())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        os.setpriority(os.PRIO_PROCESS, self._process.pid, _POLITE)

    def poll(self) -> Progress | Result | Failure:
        """How far it is, or what came of it; the artifact lies in the folder then, checked."""
        if self._process is None:
            return Failure(text=f"this run was never started; {_AGAIN}")
        if self._cancelled:
            return Failure(text=f"this run was cancelled; {_AGAIN}")
        code = self._process.poll()
        if code is None:
            return self._progress()
        self._reap()
        return self._ending(code)

    def cancel(self) -> None:
        """End it now, if it runs; nothing of it is used."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()
            self._reap()

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            if self._process.stdin is not None:
                with contextlib.suppress(OSError):
                    self._process.stdin.close()

    def _progress(self) -> Progress:
        """The last line that can be read; the newest one may be half-written."""
        with contextlib.suppress(OSError):
            for line in reversed((self._dir / files.PROGRESS).read_bytes().splitlines()):
                with contextlib.suppress(msgspec.MsgspecError, ValueError):
                    return msgspec.json.decode(line, type=Progress)
        return Progress(share=0.0, text="starting")

    def _ending(self, code: int) -> Result | Failure:
        try:
            if (self._dir / files.FAILURE).exists():
                return msgspec.json.decode((self._dir / files.FAILURE).read_bytes(), type=Failure)
            data = (self._dir / files.RESULT).read_bytes()
            result = msgspec.json.decode(data, type=Result)
            manifest = result.manifest
            for file, sha256 in (
                (files.ARTIFACT, manifest.sha256),
                (files.ENCODED, manifest.transport.sha256),
            ):
                if sha256_hex((self._dir / file).read_bytes()) != sha256:
                    return Failure(
                        text=f"{self._dir / file} is not what the result names; {_AGAIN}"
                    )
        except FileNotFoundError as error:
            return Failure(
                text=f"the training process ended with code {code} and left no "
                f"{Path(error.filename).name}; {_AGAIN}. Its last words: {self._last_words()}"
            )
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Failure(text=f"what training left in {self._dir} is damaged ({error}); {_AGAIN}")
        return result

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            log = (self._dir / files.LOG).read_bytes()[-_LOG_BYTES:].decode(errors="replace")
            return log.strip() or "none"
        return "none"
