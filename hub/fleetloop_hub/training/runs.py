"""Training runs under way: started, watched, and handed over when they have ended."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.tracking.environment import code_version
from fleetloop_hub.tracking.opening import opened
from fleetloop_hub.training import job as files
from fleetloop_hub.training.job import Champion, Failure, Job, Progress, Result
from fleetloop_hub.training.process import TrainingProcess

_INTERRUPTED = "the hub was stopped while it ran; train again"


@dataclass(frozen=True)
class Order:
    """What to train, and for what reason.

    Attributes:
        spec_text: The model spec.
        version: The number that the version will have.
        floor: The security floor it will be released at.
        dataset: SHA-256 of the dataset version.
        champion: What it has to beat.
        decision: The decision record it comes from.
        reason: Why, in words.
    """

    spec_text: str
    version: int
    floor: int
    dataset: str
    champion: Champion | None
    decision: str
    reason: str


@dataclass(frozen=True)
class Finished:
    """A run that has made something.

    Attributes:
        result: All that is known about it.
        artifact: The quantized ONNX file.
        encoded: Its bytes as they travel.
        decision: The decision record it came from.
    """

    result: Result
    artifact: bytes
    encoded: bytes
    decision: str


@dataclass(frozen=True)
class Failed:
    """A run that came to nothing.

    Attributes:
        run: Its key.
        text: Why, and what to do.
        decision: The decision record it came from.
    """

    run: str
    text: str
    decision: str


class Runs:
    """At most one run at a time, each in a folder and a process of its own."""

    def __init__(self, catalog: Catalog, blobs: Blobs, folder: Path) -> None:
        """Runs that an earlier hub has left running are marked as failed."""
        self._catalog, self._blobs, self._folder = catalog, blobs, folder
        self._current: tuple[str, str, TrainingProcess] | None = None
        for run in catalog.all(Run):
            if run.state is RunState.RUNNING:
                self._fail(run, _INTERRUPTED)

    def start(self, order: Order, now: float) -> str:
        """Start a run; returns its key.

        Raises:
            TrainingError: One is under way.
        """
        if self._current is not None:
            raise TrainingError(f"run {self._current[0]} is under way: wait until it has ended")
        spec = specs.parse(order.spec_text)
        name = f"{spec.model.name}-{len(self._catalog.all(Run)) + 1:04d}"
        job = Job(
            run=name,
            spec=order.spec_text,
            version=order.version,
            floor=order.floor,
            dataset=order.dataset,
            dataset_path=str(self._blobs.path(order.dataset).absolute()),
            code=code_version(),
            reason=order.reason,
            champion=order.champion,
        )
        process = TrainingProcess(self._folder / name)
        process.start(job)
        self._current = (name, order.decision, process)
        self._catalog.put(opened(job, spec, now))
        return name

    def poll(self) -> list[Finished | Failed]:
        """The run that has ended since the last call, if one has."""
        if self._current is None:
            return []
        name, decision, process = self._current
        state = process.poll()
        if isinstance(state, Progress):
            return []
        self._current = None
        if isinstance(state, Failure):
            run = self._catalog.find(Run, name)
            if run is not None:
                self._fail(run, state.text)
            return [Failed(name, state.text, decision)]
        self._catalog.put(state.run)
        artifact = (self._folder / name / files.ARTIFACT).read_bytes()
        encoded = (self._folder / name / files.ENCODED).read_bytes()
        return [Finished(state, artifact, encoded, decision)]

    def progress(self) -> str | None:
        """What the run that is under way is doing, in words."""
        current = self._current
        if current is None:
            return None
        state = current[2].poll()
        doing = state.text if isinstance(state, Progress) else "ending"
        return f"{current[0]}: {doing}"

    def stop(self) -> None:
        """End the run that is under way; nothing of it is used."""
        if self._current is not None:
            self._current[2].cancel()
            self._current = None

    def _fail(self, run: Run, text: str) -> None:
        self._catalog.put(msgspec.structs.replace(run, state=RunState.FAILED, error=text))
