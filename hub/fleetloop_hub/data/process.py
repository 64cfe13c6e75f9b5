"""The hub's side of reading data: a process of its own, watched through the files it writes."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from fleetloop_hub.data import job as files
from fleetloop_hub.data.finish import Built
from fleetloop_hub.data.job import Failure, Job, Progress, Result
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_shared.durable import RealDisk, replace

_POLITE = 10
_LOG_BYTES = 600
_AGAIN = "nothing was stored; add the data again"


class DataProcess:
    """One job; `wait` for it from a thread that has the time."""

    def __init__(self, folder: Path) -> None:
        """Nothing is started yet.

        Args:
            folder: The job's own; emptied by `start`.
        """
        self._dir = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, job: Job, samples: Iterable[LabelledSample] = ()) -> None:
        """Begin, with low priority, so that the hub and its broker stay quick.

        Raises:
            DiskFullError: No room for the job; nothing was started.
            OSError: The process cannot be started.
        """
        shutil.rmtree(self._dir, ignore_errors=True)
        disk = RealDisk(self._dir)
        replace(disk, files.JOB, msgspec.json.encode(job))
        with (self._dir / files.SAMPLES).open("wb") as lines:
            lines.writelines(msgspec.json.encode(sample) + b"\n" for sample in samples)
        with (self._dir / files.LOG).open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fleetloop_hub.data", str(self._dir.absolute())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        os.setpriority(os.PRIO_PROCESS, self._process.pid, _POLITE)

    def wait(self) -> Built | Failure | None:
        """What came of it, when it has ended; None if there was nothing new."""
        if self._process is None:
            return Failure(text=f"it was never started; {_AGAIN}")
        code = self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        return self._ending(code)

    def progress(self) -> Progress:
        """The last line that can be read; the newest one may be half-written."""
        with contextlib.suppress(OSError):
            for line in reversed((self._dir / files.PROGRESS).read_bytes().splitlines()):
                with contextlib.suppress(msgspec.MsgspecError, ValueError):
                    return msgspec.json.decode(line, type=Progress)
        return Progress(share=0.0, text="starting")

    def end(self) -> None:
        """End it now, if it runs; nothing of it is used."""
        if self._process is not None:
            self._process.kill()

    def clear(self) -> None:
        """Remove what the job has left."""
        shutil.rmtree(self._dir, ignore_errors=True)

    def _ending(self, code: int) -> Built | Failure | None:
        try:
            if (self._dir / files.FAILURE).exists():
                return msgspec.json.decode((self._dir / files.FAILURE).read_bytes(), type=Failure)
            result = msgspec.json.decode((self._dir / files.RESULT).read_bytes(), type=Result)
        except FileNotFoundError:
            return Failure(
                text=f"the process that reads data ended with code {code}; {_AGAIN}. Its last "
                f"words: {self._last_words()}"
            )
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Failure(text=f"what was left in {self._dir} is damaged ({error}); {_AGAIN}")
        if result.dataset is None or result.files is None:
            return None
        lies = result.files
        return Built(
            result.dataset,
            Path(lies.rows),
            None if lies.quarantine is None else Path(lies.quarantine),
            None if lies.late is None else Path(lies.late),
        )

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            log = (self._dir / files.LOG).read_bytes()[-_LOG_BYTES:].decode(errors="replace")
            return log.strip() or "none"
        return "none"
