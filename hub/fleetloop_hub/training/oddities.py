"""Rows to choose an anomaly model by, also where nobody has labelled any.

Telling odd rows from ordinary ones is telling the data from a reference measure (Steinwart, Hush
and Scovel, 2005, "A classification framework for anomaly detection"): without labels, as many rows
are made up as there are, each value drawn evenly from the range of its column in training.
"""

import numpy as np

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.spec.labels import positive_number
from fleetloop_hub.spec.model_spec import ModelSpec

MADE_UP = (
    "no odd and ordinary rows are labelled among the validation rows, so candidates were chosen by "
    "how well they tell these from as many rows with made-up values, drawn evenly from each "
    "column's range"
)
"""What is noted of a run in which that was done."""

_BOTH = 2


def marked(frame: Frame, spec: ModelSpec) -> Frame:
    """The same rows; the label is 1 where it says that a row is odd, 0 where not, else NaN.

    Labels only judge here, so that none is too late: rows are kept that a split would drop.
    """
    if spec.label.column is None:
        return _labelled(frame, np.full(len(frame), np.nan))
    odd = (frame.label == positive_number(spec)).astype(np.float64)
    return _labelled(frame, np.where(np.isfinite(frame.label), odd, np.nan))


def judged(part: Frame, train: Frame, seed: int) -> tuple[Frame, bool]:
    """The rows of a part that an anomaly model is scored on, and whether odd ones were made up.

    Args:
        part: Its rows, `marked`.
        train: The training rows, whose ranges made-up values have.
        seed: Of the made-up values.
    """
    known = np.isfinite(part.label)
    if len(np.unique(part.label[known])) == _BOTH:
        return part.take(known), False
    real = part.take(part.label != 1)
    real = _labelled(real, np.zeros(len(real)))
    made = _made_up(real, train, np.random.default_rng(seed))
    return _joined(real, made), True


def _made_up(real: Frame, train: Frame, rng: np.random.Generator) -> Frame:
    made = real.values.copy()
    for column in range(made.shape[1]):
        there = train.values[np.isfinite(train.values[:, column]), column]
        if len(there):
            drawn = rng.uniform(float(there.min()), float(there.max()), len(made))
            whole = np.array_equal(there, np.rint(there))
            made[:, column] = np.rint(drawn) if whole else drawn
    return Frame(
        values=made,
        label=np.ones(len(made)),
        at=real.at,
        label_at=real.label_at,
        device=real.device,
        groups=real.groups,
    )


def _labelled(frame: Frame, label: np.ndarray) -> Frame:
    return Frame(
        values=frame.values,
        label=label,
        at=frame.at,
        label_at=frame.at,
        device=frame.device,
        groups=frame.groups,
    )


def _joined(one: Frame, other: Frame) -> Frame:
    return Frame(
        values=np.concatenate([one.values, other.values]),
        label=np.concatenate([one.label, other.label]),
        at=np.concatenate([one.at, other.at]),
        label_at=np.concatenate([one.label_at, other.label_at]),
        device=np.concatenate([one.device, other.device]),
        groups={k: np.concatenate([v, other.groups[k]]) for k, v in one.groups.items()},
    )
