"""Training runs under way: started, watched, and handed over when they have ended."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from fleetloop_hub.child import Failure, Progress
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.tracking.environment import code_version
from fleetloop_hub.tracking.kept import SPEC, cleared, kept
from fleetloop_hub.tracking.opening import opened
from fleetloop_hub.tracking.reproduction import judged
from fleetloop_hub.training import job as files
from fleetloop_hub.training.job import Champion, Job, Result
from fleetloop_hub.training.process import TrainingProcess
from fleetloop_shared.errors import FleetloopError

INTERRUPTED = "the hub was stopped while it ran; train again"
_CANCELLED = "cancelled by {by}; nothing of it is used and every version is as it was: train again"
_UNKNOWN = "the catalog does not know this run; train again"


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
        asked_by: A person's name, or what the hub was led by.
        reproduces: The run that is to be done again, None if this one is to become a version.
        imported: The file to take in instead of training; its bytes lie among the blobs.
        must_beat: Whether what comes of it must be better than the champion on the newest
            labelled rows; otherwise not being worse is enough.
        needs_approval: Whether a person must approve what comes of it, whatever its gates say.
    """

    spec_text: str
    version: int
    floor: int
    dataset: str
    champion: Champion | None
    decision: str
    reason: str
    asked_by: str = ""
    reproduces: str | None = None
    imported: Imported | None = None
    must_beat: bool = False
    needs_approval: bool = False


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


@dataclass(frozen=True)
class Underway:
    """The run that is under way.

    Attributes:
        run: Its key.
        progress: How far it is.
    """

    run: str
    progress: Progress


class Runs:
    """At most one run at a time, each in a folder and a process of its own."""

    def __init__(self, catalog: Catalog, blobs: Blobs, folder: Path) -> None:
        """Runs that an earlier hub has left running are marked as failed, and cleared."""
        self._catalog, self._blobs, self._folder = catalog, blobs, folder
        self._current: tuple[str, str, TrainingProcess] | None = None
        self._cancelled_by = ""
        for run in catalog.all(Run):
            if run.state is RunState.RUNNING:
                self._fail(replace(run, state=RunState.FAILED), INTERRUPTED)
            else:
                cleared(run, folder / run.key)

    def start(self, order: Order, now: float, key: str | None = None) -> str:
        """Start a run; returns its key.

        Args:
            order: What to train.
            now: Unix seconds.
            key: Of a run that has waited; None for a new one.

        Raises:
            TrainingError: One is under way.
        """
        self.check_free()
        spec = specs.parse(order.spec_text)
        name = key or next_name(self._catalog, spec.model.name)
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
            asked_by=order.asked_by,
            decision=order.decision,
            reproduces=order.reproduces,
            imported=order.imported,
            must_beat=order.must_beat,
            needs_approval=order.needs_approval,
            imported_path=self._path(order.imported),
        )
        run = opened(job, spec, now)
        text = self._blobs.put(order.spec_text.encode())
        process = TrainingProcess(self._folder / name)
        process.start(job)
        self._current, self._cancelled_by = (name, order.decision, process), ""
        self._catalog.put(replace(run, artifacts={SPEC: text}))
        return name

    def check_free(self) -> None:
        """Nothing happens if a run could be started.

        Raises:
            TrainingError: One is under way.
        """
        if self._current is not None:
            raise TrainingError(
                f"run {self._current[0]} is under way, and the hub trains one at a time: wait "
                f"until it has ended, or end it with `fleetloop runs cancel {self._current[0]}`"
            )

    def cancel(self, run: str, by: str) -> None:
        """End a run now; `poll` hands it over as failed, its record says that it was cancelled.

        Raises:
            TrainingError: It is not under way.
        """
        if self._current is None or self._current[0] != run:
            found = self._catalog.find(Run, run)
            state = "unknown" if found is None else str(found.state)
            raise TrainingError(
                f"run {run} is not under way, it is {state}: see `fleetloop runs list`"
            )
        self._cancelled_by = by or "a person"
        self._current[2].cancel()

    def poll(self) -> list[Finished | Failed]:
        """The run that has ended, if one has: what has made something, until `settle` is called.

        What comes of doing a run again is noted in its record, and nobody is told.

        Raises:
            DiskFullError: No room for what the run has left; the next call tries again.
        """
        if self._current is None:
            return []
        name, decision, process = self._current
        state = process.poll()
        if isinstance(state, Progress):
            return []
        run = self._catalog.find(Run, name)
        if isinstance(state, Failure) or run is None:
            text = state.text if isinstance(state, Failure) else _UNKNOWN
            ended_as = RunState.FAILED
            if self._cancelled_by:
                text, ended_as = _CANCELLED.format(by=self._cancelled_by), RunState.CANCELLED
            if run is not None:
                took = time.time() - run.started_at
                self._fail(replace(run, state=ended_as, duration_s=took), text)
            self._current = None
            return [] if run and run.reproduces else [Failed(name, text, decision)]
        ended = kept(replace(state.run, artifacts=run.artifacts), self._folder / name, self._blobs)
        if ended.reproduces is not None:
            self._catalog.put(judged(self._catalog, self._blobs, ended))
            cleared(ended, self._folder / name)
            self._current = None
            return []
        artifact = (self._folder / name / files.ARTIFACT).read_bytes()
        encoded = (self._folder / name / files.ENCODED).read_bytes()
        return [Finished(replace(state, run=ended), artifact, encoded, decision)]

    def settle(self, finished: Finished) -> None:
        """The run and what came of it are in the catalog: its folder need hold no copies."""
        run = finished.result.run
        cleared(run, self._folder / run.key)
        self._current = None

    def underway(self) -> Underway | None:
        """The run that is under way, and how far it is."""
        current = self._current
        if current is None:
            return None
        state = current[2].poll()
        ending = Progress(share=1.0, text="ending")
        return Underway(current[0], state if isinstance(state, Progress) else ending)

    def stop(self) -> None:
        """End the run that is under way; nothing of it is used."""
        if self._current is not None:
            self._current[2].cancel()
            self._current = None

    def _path(self, imported: Imported | None) -> str:
        return "" if imported is None else str(self._blobs.path(imported.sha256).absolute())

    def _fail(self, run: Run, text: str) -> None:
        failed = replace(run, error=text)
        with contextlib.suppress(FleetloopError):  # the failure counts, whether its log is kept
            failed = kept(failed, self._folder / run.key, self._blobs)
        self._catalog.put(failed)
        cleared(failed, self._folder / run.key)


def next_name(catalog: Catalog, model: str) -> str:
    """The key of a model's next run."""
    return f"{model}-{len(catalog.all(Run)) + 1:04d}"
