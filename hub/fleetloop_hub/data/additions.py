"""Dataset versions being built, each in a process of its own, so that the hub stays quick."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from fleetloop_hub.child import Failure
from fleetloop_hub.data import datasets, keeping
from fleetloop_hub.data.addition import Addition
from fleetloop_hub.data.job import Files, Job
from fleetloop_hub.data.process import DataProcess
from fleetloop_hub.data.windows import Choice
from fleetloop_hub.errors import AbsentError, DataError
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Dataset, Model
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_shared.errors import FleetloopError

_AGAIN_S = 60.0
"""Seconds after which a growth that came to nothing is tried again."""

_KEPT = 100
_ALL = Choice()


@dataclass
class _Work:
    """An addition under way, or one that has ended."""

    addition: Addition
    process: DataProcess
    done: threading.Event = field(default_factory=threading.Event)
    told: bool = False
    ended_at: float = 0.0


class Additions:
    """At most one version is being built. Safe to be called from many threads."""

    def __init__(self, catalog: Catalog, blobs: Blobs, folder: Path) -> None:
        """Nothing is built yet.

        Args:
            catalog: Where the records are.
            blobs: Where the rows are.
            folder: Where versions are built.
        """
        self._catalog, self._blobs, self._folder = catalog, blobs, folder
        self._lock = threading.Lock()
        self._works: dict[str, _Work] = {}
        self._growths: dict[str, _Work] = {}
        self._count = 0

    def start(self, spec_text: str, folder: Path, *, to_train: bool = False) -> Addition:
        """Begin to add what a spec's sources hold that is new.

        Args:
            spec_text: The spec, TOML; it becomes the model's spec when its rows can be used.
            folder: What its paths are relative to, on the hub's machine.
            to_train: Whether rows that nothing can be learned from are refused.

        Raises:
            SpecError: The spec does not say what it should.
            DataError: Another addition is under way.
        """
        model = specs.parse(spec_text).model.name

        def job() -> Job:
            return msgspec.structs.replace(self._job(model, spec_text, folder), to_train=to_train)

        work = self._begin(model, job, (), spec_text)
        return work.addition

    def look(self, key: str) -> Addition:
        """How far an addition is.

        Raises:
            AbsentError: There is none of that key.
        """
        work = self._works.get(key)
        if work is None:
            raise AbsentError(
                f"no addition {key[:80]!r} since the hub was started; add the data again"
            )
        if work.addition.ended:
            return work.addition
        progress = work.process.progress()
        return msgspec.structs.replace(work.addition, share=progress.share, text=progress.text)

    def wait(self, key: str) -> Addition:
        """An addition, once it has ended.

        Raises:
            DataError: Nothing came of it.
        """
        self.look(key)
        self._works[key].done.wait()
        ended = self.look(key)
        if ended.dataset is None:
            raise DataError(ended.error or "it was stopped; add the data again")
        return ended

    def grow(
        self,
        model: str,
        spec_text: str,
        samples: Iterable[LabelledSample],
        choice: Choice = _ALL,
    ) -> Dataset | None:
        """A version with what devices have seen, once; None as long as there is none. Never waits.

        Args:
            model: The model.
            spec_text: Its spec.
            samples: Rows that devices have served, with their labels.
            choice: Devices whose rows are left out, and when the world has changed.

        Raises:
            DataError: Nothing came of it, said once; it is tried again after a minute. What was
                gathered and not asked for in that time is gathered anew.
        """
        work = self._growths.get(model)
        if work is None or _is_old(work):
            with contextlib.suppress(DataError):  # another is under way: the next look tries again
                begun = self._begin(
                    model, lambda: self._job(model, spec_text, None, choice), samples, None
                )
                self._growths[model] = begun
            return None
        if not work.addition.ended or work.told:
            return None
        if work.addition.dataset is None:
            work.told = True
            raise DataError(f"{model} cannot be trained on new rows: {work.addition.error}")
        del self._growths[model]
        return work.addition.dataset

    def stop(self) -> None:
        """End what is being built; nothing of it is used."""
        for work in list(self._works.values()):
            if not work.done.is_set():
                work.process.end()
                work.done.wait()

    def _begin(
        self,
        model: str,
        job: Callable[[], Job],
        samples: Iterable[LabelledSample],
        spec_text: str | None,
    ) -> _Work:
        with self._lock:
            busy = next((w for w in self._works.values() if not w.done.is_set()), None)
            if busy is not None:
                raise DataError(
                    f"rows of {busy.addition.model} are being added: wait until that has ended"
                )
            self._count += 1
            key = f"{model}-data-{self._count}"
            work = _Work(Addition(key=key, model=model), DataProcess(self._folder / key))
            self._works[key] = work
            for old in list(self._works)[:-_KEPT]:
                del self._works[old]
        run = threading.Thread(
            target=self._run, args=(work, job, samples, spec_text), name=key, daemon=True
        )
        run.start()
        return work

    def _run(
        self,
        work: _Work,
        job: Callable[[], Job],
        samples: Iterable[LabelledSample],
        spec_text: str | None,
    ) -> None:
        error, dataset, grown = "it ended for no known reason; add the data again", None, False
        try:
            work.process.start(job(), samples)
            outcome = work.process.wait()
            if isinstance(outcome, Failure):
                error = outcome.text
            elif outcome is None:
                dataset = datasets.newest(self._catalog, work.addition.model)
            else:
                dataset, grown = keeping.keep(outcome, self._blobs, time.time()), True
            if dataset is not None:
                self._keep(work.addition.model, dataset if grown else None, spec_text)
        except (FleetloopError, OSError) as problem:
            error, dataset = f"{problem}; no dataset version was made", None
        finally:
            work.process.clear()
            work.ended_at = time.monotonic()
            work.addition = msgspec.structs.replace(
                work.addition,
                share=1.0,
                text="done" if dataset is not None else "failed",
                ended=True,
                grown=grown,
                dataset=dataset,
                error=None if dataset is not None else error,
            )
            work.done.set()

    def _keep(self, model: str, dataset: Dataset | None, spec_text: str | None) -> None:
        """Put the record, and the spec as the model's, into the catalog."""
        if dataset is not None:
            there = self._catalog.find(Dataset, dataset.key)
            self._catalog.put(dataset if there is None else _with_origin(dataset, there))
        if spec_text is not None:
            text, now = self._blobs.put(spec_text.encode()), time.time()

            def renewed(old: Model | None) -> Model:
                if old is None:
                    return Model(key=model, spec=text, floor=0, added_at=now)
                return msgspec.structs.replace(old, spec=text)

            self._catalog.update(Model, model, renewed)

    def _job(
        self,
        model: str,
        spec_text: str,
        folder: Path | None,
        choice: Choice = _ALL,
    ) -> Job:
        found = datasets.versions(self._catalog, model)[-1:]
        if not found:
            return Job(spec=spec_text, folder=_text(folder), before=None, files=None)
        before = keeping.before(found[0], self._blobs)
        files = Files(
            rows=str(before.rows),
            quarantine=None if before.quarantine is None else str(before.quarantine),
            late=None if before.late is None else str(before.late),
        )
        return Job(
            spec=spec_text,
            folder=_text(folder),
            before=found[0],
            files=files,
            excluded=dict(choice.excluded),
            since=choice.since,
        )


def _with_origin(dataset: Dataset, there: Dataset) -> Dataset:
    """A version that has been there before, come back: what it came from stays as it was."""
    return msgspec.structs.replace(
        dataset,
        parent=there.parent,
        added=there.added,
        gone=there.gone,
        read_anew=there.read_anew,
        drift=there.drift,
    )


def _text(folder: Path | None) -> str | None:
    return None if folder is None else str(folder)


def _is_old(work: _Work) -> bool:
    """Whether it has failed, or its rows were left where they are, long enough ago."""
    known = work.told or work.addition.dataset is not None
    return known and time.monotonic() > work.ended_at + _AGAIN_S
