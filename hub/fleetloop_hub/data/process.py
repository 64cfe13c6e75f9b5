"""The hub's side of reading data: how far it is, and what came of it."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from fleetloop_hub.child import Child, Failure, Progress
from fleetloop_hub.data import job as files
from fleetloop_hub.data.finish import Built
from fleetloop_hub.data.job import Job, Result
from fleetloop_hub.telemetry_records import LabelledSample

_AGAIN = "nothing was stored; add the data again"


class DataProcess:
    """One job; `wait` for it from a thread that has the time."""

    def __init__(self, folder: Path) -> None:
        """Nothing is started yet.

        Args:
            folder: The job's own; emptied by `start`.
        """
        self._dir = folder
        self._child = Child(folder, "fleetloop_hub.data")

    def start(self, job: Job, samples: Iterable[LabelledSample] = ()) -> None:
        """Begin, with low priority, so that the hub and its broker stay quick.

        Raises:
            DiskFullError: No room for the job; nothing was started.
            OSError: The process cannot be started.
        """
        shutil.rmtree(self._dir, ignore_errors=True)
        self._dir.mkdir(parents=True, exist_ok=True)
        with (self._dir / files.SAMPLES).open("wb") as lines:
            lines.writelines(msgspec.json.encode(sample) + b"\n" for sample in samples)
        self._child.start(job)

    def wait(self) -> Built | Failure | None:
        """What came of it, when it has ended; None if there was nothing new."""
        if self._child.process is None:
            return Failure(text=f"it was never started; {_AGAIN}")
        code = self._child.process.wait()
        self._child.reap()
        return self._ending(code)

    def progress(self) -> Progress:
        """How far it is."""
        return self._child.progress()

    def end(self) -> None:
        """End it now, if it runs; nothing of it is used."""
        self._child.kill()

    def clear(self) -> None:
        """Remove what the job has left."""
        shutil.rmtree(self._dir, ignore_errors=True)

    def _ending(self, code: int) -> Built | Failure | None:
        try:
            result = self._child.left(Result)
        except FileNotFoundError:
            return Failure(
                text=f"the process that reads data ended with code {code}; {_AGAIN}. Its last "
                f"words: {self._child.last_words()}"
            )
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Failure(text=f"what was left in {self._dir} is damaged ({error}); {_AGAIN}")
        if isinstance(result, Failure):
            return result
        if result.dataset is None or result.files is None:
            return None
        lies = result.files
        return Built(
            result.dataset,
            Path(lies.rows),
            None if lies.quarantine is None else Path(lies.quarantine),
            None if lies.late is None else Path(lies.late),
        )
