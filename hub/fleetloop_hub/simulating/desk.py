"""Simulations that people ask the hub for: one at a time, in a process of low priority."""

import contextlib
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fleetloop_hub.child import Child, Failure, Progress
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.simulating.job import Job
from fleetloop_hub.simulating.outcome import Simulation


@dataclass(frozen=True)
class Standing:
    """How far the last simulation of a model is.

    Attributes:
        progress: While it runs.
        result: What it has shown.
        failure: Why it has come to nothing, "" otherwise.
    """

    progress: Progress | None = None
    result: Simulation | None = None
    failure: str = ""


class SimulationDesk:
    """Runs them, and keeps the last result of each model. Safe to be called from many threads."""

    def __init__(self, folder: Path) -> None:
        """Nothing runs yet; `folder` is emptied by each simulation."""
        self._folder = folder
        self._lock = threading.Lock()
        self._running: tuple[str, Child] | None = None
        self._ended: dict[str, Standing] = {}

    def start(self, model: str, job: Job) -> None:
        """Begin one.

        Raises:
            TrainingError: Another one runs.
        """
        with self._lock:
            self._take_in()
            if self._running is not None:
                raise TrainingError(
                    f"a simulation of {self._running[0]} runs: wait until it has ended"
                )
            shutil.rmtree(self._folder, ignore_errors=True)
            child = Child(self._folder, "fleetloop_hub.simulating")
            child.start(job)
            self._running = (model, child)

    def look(self, model: str) -> Standing:
        """How far the last one of a model is."""
        with self._lock:
            self._take_in()
            if self._running is not None and self._running[0] == model:
                return Standing(progress=self._running[1].progress())
            return self._ended.get(model, Standing())

    def _take_in(self) -> None:
        if self._running is None:
            return
        model, child = self._running
        if child.process is None or child.process.poll() is None:
            return
        child.reap()
        self._running = None
        self._ended[model] = _ending(child)


def _ending(child: Child) -> Standing:
    with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError, RecursionError):
        left = child.left(Simulation)
        if isinstance(left, Failure):
            return Standing(failure=left.text)
        return Standing(result=left)
    return Standing(failure=f"the replay ended without a result: {child.last_words()}")
