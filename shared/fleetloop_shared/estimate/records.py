"""What is known about a model's accuracy before it is released, and what is made of it later."""

from typing import Final

import msgspec

from fleetloop_shared.profile import SCORE_BINS

ACCURACY: Final = "accuracy"
BALANCED: Final = "balanced_accuracy"
MAE: Final = "mae"

GATE: Final = "gate"
HELD_OUT: Final = "held-out rows"


class AccuracyReference(msgspec.Struct, frozen=True, kw_only=True):
    """How a model's answers compared with the truth, on labelled rows that nothing was fitted on.

    Of a classification or an anomaly model a row counts by whether its answer was right, of a
    regression by the distance of its answer from the truth.

    Attributes:
        metric: "accuracy", or "mae" of a regression: the mean absolute error in the label's unit.
        value: What was measured.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        rows: How many labelled rows.
        counts: These rows by score, in the `SCORE_BINS` bins of the score histogram.
        expected: What a row of each bin is worth on average.
        spread: Standard deviation of what a single row of each bin is worth.
        loss_bound: The largest mean loss at which the model is still as good as demanded: the loss
            of a row is 1 for a wrong answer, and the squared distance for a regression.
        loss_cap: A row's loss counts as this where it is larger.
        bound_from: Where the bound comes from: "gate", if the gate's metric is accuracy, balanced
            accuracy or R²; else "held-out rows": two points below the lower end of the accuracy's
            interval.
        balanced: The classes that count alike in the loss, of a gate on balanced accuracy; empty
            where every row counts alike.
    """

    metric: str
    value: float
    low: float
    high: float
    rows: int
    counts: list[int]
    expected: list[float]
    spread: list[float]
    loss_bound: float
    loss_cap: float
    bound_from: str
    balanced: list[int] = []


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of rows whose truth nobody knows.

    It rests on the inputs alone: if the same inputs have come to mean something else, it is wrong
    and cannot know it.

    Attributes:
        metric: What is estimated.
        rows: Of how many rows.
        value: The estimate, None where it was refused.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        refused: Why there is none, in words; "" where there is one.
    """

    metric: str
    rows: int = 0
    value: float | None = None
    low: float | None = None
    high: float | None = None
    refused: str = ""


class LabelEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What labels say against "the model is as good as its gate demands".

    Attributes:
        labels: How many labels came.
        metric: "accuracy"; "balanced_accuracy" where the gate lets classes count alike; or "mae".
        value: The metric over all of them; None until each class that counts has come.
        demanded: The least of it; of a regression, the largest root mean squared error.
        demanded_by: "gate" or "held-out rows", see `AccuracyReference.bound_from`.
        e_value: The evidence now: what a fair bet on the demand being kept has turned 1 into.
        largest: The largest it ever was; 100 or more is an alarm at a risk of 1 %.
        alarm: Whether it was ever that large.
        since_label: With an alarm: the label, from 1, at which it came.
    """

    labels: int
    metric: str
    value: float | None
    demanded: float
    demanded_by: str
    e_value: float
    largest: float
    alarm: bool
    since_label: int | None = None


def contradictions(accuracy: AccuracyReference | None, classes: list[int]) -> dict[str, bool]:
    """What may be wrong with an accuracy in a manifest, and whether it is.

    Args:
        accuracy: As it came.
        classes: Of the model; none for a regression.
    """
    if accuracy is None:
        return {}
    by_bin = accuracy.counts, accuracy.expected, accuracy.spread
    return {
        "an accuracy of another kind of model": (accuracy.metric != (ACCURACY if classes else MAE)),
        "the accuracy by score has another number of bins": any(
            len(values) != SCORE_BINS for values in by_bin
        ),
        "an accuracy that rests on no rows": (
            accuracy.rows < 1
            or accuracy.rows != sum(accuracy.counts)
            or any(value < 0 for values in by_bin for value in values)
        ),
        "a loss without a bound": not (accuracy.loss_bound > 0 and accuracy.loss_cap > 0),
        "classes count alike that the model does not have": not (
            set(accuracy.balanced) <= set(classes)
        ),
    }
