"""Decides whether a foreign model is given missing values as they are, or filled ones."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from onnx import NodeProto

from fleetloop_hub.packaging.foreign_form import Form
from fleetloop_hub.packaging.foreign_graph import Kernel
from fleetloop_hub.packaging.foreign_reading import graphs_of
from fleetloop_hub.packaging.preparation import Preparation
from fleetloop_hub.spec.model_spec import ModelSpec

Rows = npt.NDArray[np.float32]

_KNOW_MISSING = frozenset(
    {"TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor", "Imputer", "IsNaN"}
)
"""Operators that do something with a missing value; to others it is lost in the arithmetic.

Whether an answer is finite says too little: ONNX Runtime's Relu makes 0 of it.
"""

_MOST_ROWS = 128


def holes(rows: Rows) -> Rows:
    """Copies of a row that lack one value each, and one that lacks every second."""
    lacking = np.repeat(rows[:1], min(rows.shape[1], _MOST_ROWS) + 1, axis=0)
    for place in range(len(lacking) - 1):
        lacking[place, place] = np.nan
    lacking[-1, ::2] = np.nan
    return lacking


def preparation_for(
    kernel: Kernel, form: Form, learned: Preparation, answers: Callable[[], Rows], spec: ModelSpec
) -> tuple[Preparation | None, list[str]]:
    """What happens to a row before the model sees it, None if nothing; and that in words.

    Args:
        kernel: The foreign nodes.
        form: How they are asked.
        learned: What training rows say about filling, clipping and blanking.
        answers: Gives the model's to rows with missing values; not asked where it takes whole
            numbers, of which a missing one is none.
        spec: Says which columns are filled with a constant whatever the model can do.
    """
    constant = np.array([feature.missing == "constant" for feature in spec.features])
    able = not form.whole and _knows_missing(kernel.nodes) and bool(np.isfinite(answers()).all())
    if able:
        told = "missing values are given to it as they are: it answers them"
    else:
        told = "it does not know missing values: they are filled from the training rows first"
    fill = np.where(constant | (not able), learned.fill, np.float32(np.nan))
    preparation = replace(learned, fill=fill.astype(np.float32))
    limits = (learned.low, learned.high, learned.blank_low, learned.blank_high)
    if able and not constant.any() and not any(np.isfinite(limit).any() for limit in limits):
        return None, [told]
    return preparation, [told]


def _knows_missing(nodes: Iterable[NodeProto]) -> bool:
    return any(
        node.op_type in _KNOW_MISSING or any(_knows_missing(g.node) for g in graphs_of(node))
        for node in nodes
    )
