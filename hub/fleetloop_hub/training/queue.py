"""Runs that are to come: they wait for a person's word, or until the hub is free."""

from dataclasses import dataclass

from msgspec.structs import replace

from fleetloop_hub.errors import AbsentError, TrainingError
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.tracking.environment import code_version
from fleetloop_hub.tracking.kept import SPEC
from fleetloop_hub.tracking.opening import opened
from fleetloop_hub.training.job import Job
from fleetloop_hub.training.runs import INTERRUPTED, Order, next_name

_PENDING = frozenset({RunState.QUEUED, RunState.WAITING})
_MOST_BEGUN = 3
"""Runs of one decision at most: a training that ends its hub must not do so for ever."""


@dataclass(frozen=True)
class Turn:
    """A run whose turn it is.

    Attributes:
        run: Its record.
        spec_text: The spec it was ordered with.
    """

    run: Run
    spec_text: str


class Queue:
    """At most one run of each model waits; what waits is in the catalog, and outlives the hub."""

    def __init__(self, catalog: Catalog, blobs: Blobs) -> None:
        """Take up what is in the catalog."""
        self._catalog, self._blobs = catalog, blobs

    def pending(self, model: str) -> Run | None:
        """The run of a model that has not begun."""
        runs = self._catalog.all(Run)
        return next((r for r in runs if r.model == model and r.state in _PENDING), None)

    def check(self, model: str) -> None:
        """Nothing happens if a run of a model may be put in the queue.

        Raises:
            TrainingError: One waits already.
        """
        there = self.pending(model)
        if there is not None:
            raise TrainingError(
                f"run {there.key} of {model} waits already, and one is enough: it will be begun "
                f"with the rows of then; take it out with `fleetloop runs cancel {there.key}`"
            )

    def put(self, order: Order, state: RunState, now: float) -> str:
        """Let a run wait; returns its key.

        Args:
            order: What to train.
            state: QUEUED until the hub is free, WAITING for a person's word.
            now: Unix seconds.

        Raises:
            TrainingError: One of the model waits already.
        """
        spec = specs.parse(order.spec_text)
        self.check(spec.model.name)
        job = Job(
            run=next_name(self._catalog, spec.model.name),
            spec=order.spec_text,
            version=order.version,
            floor=order.floor,
            dataset=order.dataset,
            dataset_path="",
            code=code_version(),
            reason=order.reason,
            asked_by=order.asked_by,
            decision=order.decision,
            imported=order.imported,
        )
        text = self._blobs.put(order.spec_text.encode())
        waiting = replace(opened(job, spec, now), state=state, artifacts={SPEC: text})
        self._catalog.put(waiting)
        return waiting.key

    def put_again(self, run: Run, floor: int) -> str | None:
        """A run that a stopped hub has left, in the queue once more on the same rows.

        Args:
            run: Its record.
            floor: The model's.

        Returns:
            The key of the new run; None where it was not left so, something newer was begun or
            waits, or its decision has had its runs.
        """
        runs = [r for r in self._catalog.all(Run) if r.model == run.model]
        newest = max(runs, key=lambda r: (r.started_at, r.key))
        begun = sum(r.decision == run.decision for r in runs)
        left = run.state is RunState.FAILED and run.error == INTERRUPTED and run.key == newest.key
        if not left or begun >= _MOST_BEGUN or self.pending(run.model) is not None:
            return None
        order = Order(
            spec_text=self._blobs.get(run.artifacts[SPEC]).decode(),
            version=run.number,
            floor=floor,
            dataset=run.dataset,
            champion=None,
            decision=run.decision,
            reason=run.reason,
            asked_by=run.asked_by,
            imported=run.imported,
        )
        return self.put(order, RunState.QUEUED, run.started_at)

    def next(self) -> Turn | None:
        """The run that has been queued for longest."""
        queued = [r for r in self._catalog.all(Run) if r.state is RunState.QUEUED]
        if not queued:
            return None
        run = min(queued, key=lambda r: r.started_at)
        return Turn(run, self._blobs.get(run.artifacts[SPEC]).decode())

    def allow(self, run: str, by: str) -> Run:
        """A person agrees to a run that waits for that.

        Raises:
            AbsentError: There is no such run.
            TrainingError: It does not.
        """
        found = self._waiting(run)
        allowed = replace(found, state=RunState.QUEUED, notes=[*found.notes, f"agreed to by {by}"])
        self._catalog.put(allowed)
        return allowed

    def drop(self, run: Run, text: str, state: RunState = RunState.CANCELLED) -> None:
        """Take a run out that has not begun."""
        self._catalog.put(replace(run, state=state, error=text))

    def _waiting(self, run: str) -> Run:
        found = self._catalog.find(Run, run)
        if found is None:
            raise AbsentError(f"no run {run[:80]!r}: see `fleetloop runs list`")
        if found.state is not RunState.WAITING:
            raise TrainingError(
                f"run {run[:80]} does not wait for a person's word, it is {found.state}: see "
                "`fleetloop runs list`; nothing was changed"
            )
        return found
