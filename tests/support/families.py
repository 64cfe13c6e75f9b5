"""Rows for every task, and the families that can learn them, for tests of fitting and packing."""

import numpy as np
import numpy.typing as npt

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.spec.families import FAMILY_KEYS, fits
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.spec.scalars import Family, Task
from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.families import fit

KINDS: dict[str, tuple[Task, list[int]]] = {
    "two classes": ("classification", [0, 1]),
    "three classes": ("classification", [0, 1, 2]),
    "values": ("regression", []),
    "oddities": ("anomaly", [0, 1]),
}
"""What there is to learn, by a name for it: the task and its classes."""

_QUICK: dict[Family, dict[str, float | list[int]]] = {
    "linear": {},
    "mlp": {"hidden": [8], "learning_rate": 0.02},
    "random-forest": {"trees": 12, "depth": 5},
    "extra-trees": {"trees": 12, "depth": 5},
    "gradient-boosting": {"trees": 25, "leaves": 8},
    "svm": {},
    "knn": {"neighbours": 5},
    "isolation-forest": {"trees": 20},
    "one-class-svm": {},
}

EVERY = [(kind, family) for kind in KINDS for family in FAMILY_KEYS if fits(family, KINDS[kind][0])]
"""Each kind with each family that can learn it."""


def spec_for(kind: str, metric: str = "") -> ModelSpec:
    """A spec with three numbers and a category."""
    task, _ = KINDS[kind]
    metric = metric or {"regression": "r2", "anomaly": "roc_auc"}.get(task, "balanced_accuracy")
    return parse(
        f'[model]\nname = "m"\ntask = "{task}"\nseed = 5\n[[sources]]\ncsv = "m.csv"\n'
        '[label]\ncolumn = "y"\n[[features]]\nname = "a"\n[[features]]\nname = "b"\n'
        '[[features]]\nname = "c"\n[[features]]\nname = "d"\nkind = "category"\n'
        f'categories = ["x", "y", "z"]\n[gates]\nmetric = "{metric}"\n'
    )


def rows_for(kind: str, rows: int = 300, seed: int = 0) -> Frame:
    """Rows whose label depends on the features, with some noise and some missing values."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, [1.0, 10.0, 1e3, 1.0], (rows, 4))
    values[:, 3] = rng.integers(0, 3, rows)
    pull = values[:, 0] + values[:, 1] / 10 + (values[:, 3] == 1)
    label = _label(kind, values, pull + rng.normal(0, 0.3, rows), rng)
    values[rng.random(rows) < 0.1, 2] = np.nan  # a tenth
    return frame(values.astype(np.float32), label)


def _label(
    kind: str,
    values: npt.NDArray[np.float64],
    pull: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    if kind == "values":
        return 1_000 + 50 * pull
    if kind == "oddities":
        odd = rng.random(len(pull)) < 0.05
        values[odd, 0] += 6
        values[odd, 1] -= 60
        return odd.astype(np.float64)
    return np.digitize(pull, [0.3] if kind == "two classes" else [-0.3, 0.8]).astype(np.float64)


def frame(values: npt.NDArray[np.float32], label: npt.NDArray[np.float64]) -> Frame:
    """Rows of a source, one a second."""
    at = np.arange(len(values), dtype=np.float64)
    return Frame(values, label, at, at, np.full(len(values), ""), {})


def quick(family: Family, **more: float | list[int]) -> CandidateTable:
    """A candidate that is fitted in no time."""
    return CandidateTable(name=family, family=family, **(_QUICK[family] | more))  # type: ignore[arg-type]  # a table of mixed keys


def fitted(kind: str, family: Family, **more: float | list[int]) -> tuple[Fitted, Frame]:
    """A fitted candidate, and newer rows that it has not seen."""
    _, classes = KINDS[kind]
    rows = rows_for(kind)
    train, newer = rows.take(slice(0, 220)), rows.take(slice(220, 300))
    return fit(quick(family, **more), spec_for(kind), classes, train, newer), newer
