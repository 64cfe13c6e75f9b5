"""A benchmark model as a device has it, its manifest made by the hub's own hands."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fleetloop_hub.packaging.assembly import Origin, World, assemble
from fleetloop_hub.packaging.assembly import signature as signature_of
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.packing import Trial, pack
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.reading import parse
from fleetloop_shared.manifest import Manifest, Signature
from support.benchmark_models import Case, cases, preparation

Rows = np.ndarray

_SPEC = """
[model]
name = "bench"
[[sources]]
csv = "rows.csv"
[label]
column = "y"
classes = [{classes}]
{positive}
[[candidates]]
name = "only"
family = "{family}"
"""


@dataclass(frozen=True)
class Made:
    """A packed classifier of the benchmark.

    Attributes:
        spec: Its spec.
        form: Its inputs and outputs.
        data: The artifact.
        seen: The rows it was fitted and chosen on, the older first.
        chosen_on: The newer of them, on which nothing was fitted.
        fresh: Rows that it has not seen.
    """

    spec: ModelSpec
    form: Signature
    data: bytes
    seen: Rows
    chosen_on: Rows
    fresh: Rows


def packed(name: str) -> tuple[Manifest, bytes, Rows]:
    """A classifier of `benchmark_models.cases` with its manifest, and rows that it has not seen.

    Args:
        name: Of the case.
    """
    made = artifact(name)
    manifest, _ = assemble(
        made.spec,
        made.form,
        made.data,
        World(rows=made.seen, held_out=made.chosen_on),
        Origin(version=1, floor=0, dataset="0" * 64, run="bench-1", created_at=0.0),
    )
    return manifest, made.data, made.fresh


def artifact(name: str) -> Made:
    """The same without a manifest, whose calibration takes a while."""
    case = next(case for case in cases() if case.name == name)
    x, y = case.table
    half, later = len(x) // 2, 3 * len(x) // 4
    prepared = preparation(case.family, x[:half])
    case.estimator.fit(prepared.transform(x[:half]), y[:half])
    fitted = Fitted(case.family, case.task, prepared, case.estimator, {})
    classes = np.unique(y).astype(int).tolist()
    spec = parse(_spec(case, classes, x.shape[1]))
    form = signature_of(spec, classes, 0.5, (0.0, 1.0))

    def judge(outputs: Rows) -> float:
        return float((outputs.argmax(axis=1) == y[half:later]).mean())

    trial = Trial(x[half:later], judge, 0.005, 0.02, learned=x[:half])
    made = pack(fitted, Head(positive=form.positive), form, trial)
    return Made(spec, form, made.data, x[:later], x[half:later], x[later:])


def _spec(case: Case, classes: list[int], width: int) -> str:
    known: dict[str, Any] = {
        "classes": ", ".join(f'"{number}"' for number in classes),
        "positive": 'positive = "1"' if len(classes) == 2 else "",
        "family": case.family,
    }
    return _SPEC.format(**known) + "".join(
        f'[[features]]\nname = "x{k}"\nlow = -1e6\nhigh = 1e6\n' for k in range(width)
    )
