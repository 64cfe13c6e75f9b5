"""Rows that have been learned from: from the same rows and spec the same version comes again."""

from dataclasses import dataclass

from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Dataset, Model, Run, RunState, Version


@dataclass(frozen=True)
class _Rows:
    """What a dataset version grows from; another one may come of it once this changes."""

    labels: int
    newest_at: float
    spec: str


class Learned:
    """Keeps the hub from making the same version again and again; for one thread at a time."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry) -> None:
        """Nothing is known yet: after a restart, rows are gathered once to see."""
        self._catalog, self._telemetry = catalog, telemetry
        self._found: dict[str, tuple[_Rows, str]] = {}
        self._counted: dict[str, int] = {}
        self._best: dict[str, tuple[int, int]] = {}

    def check(self, grown: Dataset) -> bool:
        """Whether a run has ended well on this dataset version under the model's present spec."""
        model = self._catalog.find(Model, grown.model)
        runs = [
            run
            for run in self._catalog.all(Run)
            if (run.model, run.dataset, run.state) == (grown.model, grown.key, RunState.FINISHED)
            and run.reproduces is None
            and run.imported is None
            and model is not None
            and run.spec == model.spec
        ]
        if not runs:
            return False
        last = max(runs, key=lambda run: run.number)
        version = self._catalog.find(Version, f"{last.model}/{last.number}")
        state = "" if version is None else f", which is {version.state}"
        text = f"these rows have given version {last.number}{state}; waiting for new labels"
        self._found[grown.model] = (self._rows(grown.model), text)
        return True

    def again(self, model: str) -> str | None:
        """Why training now would give what there is already, None where it might not."""
        rows, text = self._found.get(model, (None, ""))
        if rows is None:
            return None
        if rows != self._rows(model):
            del self._found[model]
            return None
        return text

    def unlearned(self, model: str) -> int:
        """Labelled rows that had not come yet when what was last learned from was gathered."""
        count, _ = self._telemetry.labelled_count(model)
        self._counted[model] = count
        return max(0, count - self._learned(model))

    def _learned(self, model: str) -> int:
        """Labelled rows that had come when what was last learned from was gathered."""
        revision, known = self._catalog.revision(Run, Dataset), self._best.get(model)
        if known is None or known[0] != revision:
            datasets = {d.key: d.labelled for d in self._catalog.all(Dataset) if d.model == model}
            learned = [
                datasets.get(run.dataset, 0)
                for run in self._catalog.all(Run)
                if (run.model, run.state) == (model, RunState.FINISHED)
                and run.reproduces is None
                and run.imported is None
            ]
            known = self._best[model] = revision, max(learned, default=0)
        return known[1]

    def labels(self, model: str) -> int:
        """Labelled rows that have come in all, as of the last call of `unlearned`."""
        return self._counted.get(model, 0)

    def _rows(self, model: str) -> _Rows:
        labels, _ = self._telemetry.labelled_count(model)
        versions = [d.created_at for d in self._catalog.all(Dataset) if d.model == model]
        found = self._catalog.find(Model, model)
        return _Rows(
            labels=labels,
            newest_at=max(versions, default=0.0),
            spec="" if found is None else found.spec,
        )
