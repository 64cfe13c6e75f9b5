"""The version before a champion, asked about the same labelled rows that the champion answered."""

import numpy as np

from fleetloop_hub.errors import BlobError, GateError, TrainingError
from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.records import NO_VERSION, Alias, Version, VersionState
from fleetloop_hub.retraining.evidence import Predecessor
from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_hub.tracking.registry import PREVIOUS, Registry
from fleetloop_hub.validation.bootstrap import paired_interval
from fleetloop_hub.validation.metrics import Answers, measure
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.manifest import Manifest

_MOST_ROWS = 1_000
_FEWEST_ROWS = 50
_MORE = 1.25


class Predecessors:
    """Compares again only when there are a quarter more labels."""

    def __init__(self, registry: Registry, seed: int = 1) -> None:
        """Nothing was compared yet."""
        self._registry, self._seed = registry, seed
        self._found: dict[str, tuple[str, int, Predecessor | None]] = {}

    def look(
        self, champion: Version, metric: Metric, labels: int, newest: list[LabelledSample]
    ) -> Predecessor | None:
        """How the version before does; None where there is none, or too few rows.

        Args:
            champion: The version in the field.
            metric: The gate's.
            labels: How many of its answers have labels, in all.
            newest: The newest of them.
        """
        before = self._before(champion)
        rows = newest[-_MOST_ROWS:]
        if before is None or len(rows) < _FEWEST_ROWS:
            return None
        about = f"{champion.key} {before.key}"
        there = self._found.get(champion.model)
        if there is None or there[0] != about or labels >= there[1] * _MORE:
            there = about, labels, self._compare(champion, before, metric, rows)
            self._found[champion.model] = there
        return there[2]

    def _before(self, champion: Version) -> Version | None:
        catalog = self._registry.catalog
        alias = catalog.find(Alias, f"{champion.model}/{PREVIOUS}")
        if alias is None or alias.version in {NO_VERSION, champion.number}:
            return None
        found = catalog.find(Version, f"{champion.model}/{alias.version}")
        return found if found is not None and found.state is VersionState.RELEASED else None

    def _compare(
        self, champion: Version, before: Version, metric: Metric, rows: list[LabelledSample]
    ) -> Predecessor | None:
        try:
            here, there = self._registry.manifest(champion), self._registry.manifest(before)
            names = [feature.name for feature in here.signature.features]
            wanted = [feature.name for feature in there.signature.features]
            if not set(wanted) <= set(names):
                return None
            values = np.array([one.sample.values for one in rows], np.float32)
            truth = np.array([one.label.label for one in rows], np.float64)
            places = [names.index(name) for name in wanted]
            ours = self._answers(champion, here, values, truth)
            theirs = self._answers(before, there, values[:, places], truth)
        except (BlobError, GateError, TrainingError, UndecodableError, ValueError):
            return None  # a version that cannot be asked is not gone back to
        value, champion_value = measure(metric, theirs), measure(metric, ours)
        if not np.isfinite(value - champion_value):
            return None
        low, _ = paired_interval(metric, theirs, ours, self._seed)
        return Predecessor(before.number, len(rows), value, champion_value, low, metric)

    def _answers(
        self, version: Version, manifest: Manifest, values: np.ndarray, truth: np.ndarray
    ) -> Answers:
        data = self._registry.blobs.get(version.artifact)
        outputs = Artifact(data, manifest.signature).outputs(values)
        return Answers(truth, outputs, manifest.signature)
