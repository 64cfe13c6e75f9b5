"""A benchmark model as a device has it, its manifest made by the hub's own hands."""

from typing import Any

import numpy as np

from fleetloop_hub.packaging.assembly import Origin, World, assemble
from fleetloop_hub.packaging.assembly import signature as signature_of
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.packing import Trial, pack
from fleetloop_hub.spec.reading import parse
from fleetloop_shared.manifest import Manifest
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


def packed(name: str) -> tuple[Manifest, bytes, Rows]:
    """A classifier of `benchmark_models.cases` with its manifest, and rows that it has not seen.

    Args:
        name: Of the case.
    """
    case = next(case for case in cases() if case.name == name)
    x, y = case.table
    half, later = len(x) // 2, 3 * len(x) // 4
    prepared = preparation(case.family, x[:half])
    case.estimator.fit(prepared.transform(x[:half]), y[:half])
    fitted = Fitted(case.family, case.task, prepared, case.estimator, {})
    classes = np.unique(y).astype(int).tolist()
    form = signature_of(parse(_spec(case, classes, x.shape[1])), classes, 0.5, (0.0, 1.0))

    def judge(outputs: Rows) -> float:
        return float((outputs.argmax(axis=1) == y[half:later]).mean())

    trial = Trial(x[half:later], judge, 0.005, 0.02, learned=x[:half])
    made = pack(fitted, Head(positive=form.positive), form, trial)
    manifest, _ = assemble(
        parse(_spec(case, classes, x.shape[1])),
        form,
        made.data,
        World(rows=x[:later], held_out=x[half:later]),
        Origin(version=1, floor=0, dataset="0" * 64, run="bench-1", created_at=0.0),
    )
    return manifest, made.data, x[later:]


def _spec(case: Case, classes: list[int], width: int) -> str:
    known: dict[str, Any] = {
        "classes": ", ".join(f'"{number}"' for number in classes),
        "positive": 'positive = "1"' if len(classes) == 2 else "",
        "family": case.family,
    }
    return _SPEC.format(**known) + "".join(
        f'[[features]]\nname = "x{k}"\nlow = -1e6\nhigh = 1e6\n' for k in range(width)
    )
