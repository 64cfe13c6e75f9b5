"""Finds the smallest file that still answers as the model itself does, by measuring each recipe.

The model itself is scikit-learn's, in float64: no converter stands between it and the judgement.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from fleetloop_hub.errors import TrainingError, UnsupportedModelError
from fleetloop_hub.packaging.artifact import Artifact, Outputs, Rows
from fleetloop_hub.packaging.conversion import float_graph
from fleetloop_hub.packaging.files import File, files
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.parity import label_flips
from fleetloop_hub.packaging.quantizing import STATIC, quantized_variants
from fleetloop_hub.packaging.trees import TREE_FAMILIES
from fleetloop_hub.packaging.weights import Kept
from fleetloop_shared.chunks import pack as encode
from fleetloop_shared.manifest import Signature

_ABOUT_AS_LARGE = 1.1

CONVERTED = "float32 of skl2onnx"


@dataclass(frozen=True)
class Packed:
    """A candidate as files.

    Attributes:
        recipe: How the artifact keeps its numbers.
        data: The artifact.
        float_data: The same model, nothing quantized.
        score: The metric of the artifact on the rows it was chosen by.
        float_score: The same of the model itself, in float64.
        transport_bytes: What travels to a device.
        note: What is unusual about the files, in words; "" if nothing is.
    """

    recipe: str
    data: bytes
    float_data: bytes
    score: float
    float_score: float
    transport_bytes: int = 0
    note: str = ""


@dataclass(frozen=True)
class Trial:
    """What recipes are tried on.

    Attributes:
        rows: Validation rows.
        measure: The metric of outputs on these rows.
        largest_loss: The most of the metric that may be lost.
        largest_flips: The largest share of rows on which the answer may change.
        learned: Training rows, shape (rows, features): thresholds of trees move only between them,
            and static int8 learns from some how large numbers become.
        calibration_rows: From how many.
    """

    rows: Rows
    measure: Callable[[Outputs], float]
    largest_loss: float
    largest_flips: float
    learned: Rows | None = None
    calibration_rows: int = 512


@dataclass(frozen=True)
class Chosen:
    """The file that was taken.

    Attributes:
        recipe: How it was made.
        data: The file.
        score: Its metric on the trial's rows.
    """

    recipe: str
    data: bytes
    score: float


def pack(fitted: Fitted, head: Head, signature: Signature, trial: Trial) -> Packed:
    """The smallest file that loses less than allowed and flips no more answers than allowed.

    If none is good enough, the largest is taken, and the gates see what it does.

    Args:
        fitted: What is written by each recipe.
        head: What follows it in the graph.
        signature: Inputs and outputs.
        trial: What recipes are tried on.

    Raises:
        TrainingError: There is no way to write this model.
    """
    reference = head.apply(fitted.raw(trial.rows), trial.rows).astype(np.float32)
    written, note = _written(fitted, head, trial)
    exact = max(written, key=lambda file: len(file[1]))
    alike = _ABOUT_AS_LARGE if fitted.family in TREE_FAMILIES else 1.0
    chosen = choose(written, reference, signature, trial, alike=alike)
    if _may_gain(fitted, chosen):
        smaller = _static(exact[1], trial, chosen)
        chosen = choose(smaller, reference, signature, trial) or chosen
    if chosen is None:
        outputs = Artifact(exact[1], signature).outputs(trial.rows)
        chosen = Chosen(exact[0], exact[1], trial.measure(outputs))
        note = "; ".join([*filter(None, [note]), "no form answers as the model itself does"])
    return Packed(
        recipe=chosen.recipe,
        data=chosen.data,
        float_data=exact[1],
        score=chosen.score,
        float_score=trial.measure(reference),
        transport_bytes=encode(chosen.data)[0].length_bytes,
        note=note,
    )


def _may_gain(fitted: Fitted, chosen: Chosen | None) -> bool:
    """Whether int8 between the layers is worth a try: int8 weights alone have lost too much."""
    if fitted.family not in {"linear", "mlp"}:
        return False
    return chosen is None or chosen.recipe != Kept.INT8


def _static(exact: bytes, trial: Trial, chosen: Chosen | None) -> list[File]:
    """The static int8 form, if it is smaller than what was chosen."""
    if trial.learned is None:
        return []
    step = max(1, len(trial.learned) // trial.calibration_rows)
    rows = trial.learned[::step][: trial.calibration_rows]
    limit = len(exact) if chosen is None else len(chosen.data)
    variants = quantized_variants(exact, rows)
    return [(name, data) for name, data in variants if name == STATIC and len(data) < limit]


def _written(fitted: Fitted, head: Head, trial: Trial) -> tuple[list[File], str]:
    """Every form of a model; skl2onnx's where no lean one is known, with the reason."""
    try:
        return list(files(fitted, head, trial.learned)), ""
    except UnsupportedModelError as error:
        converted = float_graph(fitted, head)
        if converted.data is None:
            raise TrainingError(
                f"{fitted.family} cannot be written as ONNX: {error}, and {converted.why}; "
                "take the candidate out of the spec, or change its keys"
            ) from error
        return [(CONVERTED, converted.data)], f"no lean graph: {error}"


def choose(
    written: Iterable[File],
    reference: Outputs,
    signature: Signature,
    trial: Trial,
    *,
    alike: float = _ABOUT_AS_LARGE,
) -> Chosen | None:
    """The smallest file that is good enough, or None; sizes and answers alone decide.

    Times do not: another run of the same job would take another file.

    Args:
        written: Recipes and files; of two about as large the earlier one is preferred.
        reference: What is to be answered on the trial's rows.
        signature: How outputs are read.
        trial: What they are tried on.
        alike: How much larger than another a file may be and still be preferred.
    """
    wanted = trial.measure(reference)
    for recipe, data in by_size(written, alike):
        outputs = Artifact(data, signature).outputs(trial.rows)
        score = trial.measure(outputs)
        flips = label_flips(outputs, reference, signature) / len(outputs)
        if wanted - score < trial.largest_loss and flips <= trial.largest_flips:
            return Chosen(recipe, data, score)
    return None


def by_size(written: Iterable[File], alike: float) -> Iterable[File]:
    """Smaller files first; those up to `alike` times the smallest left in the order given.

    >>> files = [("a", b"x" * 300), ("b", b"x" * 108), ("c", b"x" * 100)]
    >>> [name for name, _ in by_size(files, 1.1)]
    ['b', 'c', 'a']
    """
    left = list(written)
    while left:
        limit = alike * min(len(data) for _, data in left)
        place = next(k for k, (_, data) in enumerate(left) if len(data) <= limit)
        yield left.pop(place)
