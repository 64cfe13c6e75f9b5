"""The hub's side of a training run: how far it is, and whether what it left can be used."""

from pathlib import Path

import msgspec

from fleetloop_hub.child import Child, Failure, Progress
from fleetloop_hub.training import job as files
from fleetloop_hub.training.job import Job, Result
from fleetloop_shared.ids import sha256_hex

_AGAIN = "train again"


class TrainingProcess:
    """One run; `poll` as often as you like, it never waits."""

    def __init__(self, job_dir: Path) -> None:
        """Nothing is started yet.

        Args:
            job_dir: The run's own folder; made by `start`.
        """
        self._dir = job_dir
        self._child = Child(job_dir, "fleetloop_hub.training")
        self._cancelled = False

    def start(self, job: Job) -> None:
        """Begin, with low priority and on one core, so that the hub and its broker stay quick.

        Raises:
            DiskFullError: No room for the job; nothing was started.
            OSError: The process cannot be started.
        """
        self._child.start(job)

    def poll(self) -> Progress | Result | Failure:
        """How far it is, or what came of it; the artifact lies in the folder then, checked."""
        if self._child.process is None:
            return Failure(text=f"this run was never started; {_AGAIN}")
        if self._cancelled:
            return Failure(text=f"this run was cancelled; {_AGAIN}")
        code = self._child.process.poll()
        if code is None:
            return self._child.progress()
        self._child.reap()
        return self._ending(code)

    def cancel(self) -> None:
        """End it now, if it runs; nothing of it is used."""
        self._cancelled = True
        self._child.kill()
        self._child.reap()

    def _ending(self, code: int) -> Result | Failure:
        try:
            result = self._child.left(Result)
            if isinstance(result, Failure):
                return result
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
                f"{Path(error.filename).name}; {_AGAIN}. Its last words: "
                f"{self._child.last_words()}"
            )
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Failure(text=f"what training left in {self._dir} is damaged ({error}); {_AGAIN}")
        return result
