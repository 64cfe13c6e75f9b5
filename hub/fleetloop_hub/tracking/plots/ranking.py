"""How well scores rank: receiver operating characteristic, and precision against recall."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_curve

from fleetloop_hub.tracking.plots.style import COLOURS, GREY, RED, figure, shares
from fleetloop_hub.tracking.plots.words import class_name
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.manifest import NO_CLASS

Floats = npt.NDArray[np.float64]
_MOST_CLASSES = 8


def roc(answers: Answers, title: str) -> Figure:
    """True-positive against false-positive rate at every threshold; ours is marked.

    Args:
        answers: Truth and outputs of a classification.
        title: What the picture is of.
    """

    def curve(truth: npt.NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats, float]:
        false, true, _ = roc_curve(truth, score, drop_intermediate=True)
        return false, true, float(np.trapezoid(true, false))

    drawn = figure(5.6, 5.4)
    axes = drawn.add_subplot(title=f"{title}\nROC: how well classes are told apart")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=(0, (4, 3)), linewidth=1, label="guessing")
    _curves(axes, answers, curve, "area")
    if (said := _rates(answers)) is not None:
        _mark(axes, said[0], said[1], answers)
    shares(axes, "false-positive rate", "true-positive rate (recall)")
    axes.legend(loc="lower right")
    return drawn


def precision_recall(answers: Answers, title: str) -> Figure:
    """Precision against recall at every threshold; ours is marked.

    Args:
        answers: Truth and outputs of a classification.
        title: What the picture is of.
    """

    def curve(truth: npt.NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats, float]:
        precision, recall, _ = precision_recall_curve(truth, score, drop_intermediate=True)
        return recall, precision, float(-np.sum(np.diff(recall) * precision[:-1]))

    drawn = figure(5.6, 5.4)
    axes = drawn.add_subplot(title=f"{title}\nPrecision and recall")
    _curves(axes, answers, curve, "average precision", drawstyle="steps-post")
    positive = answers.signature.positive
    if (said := _rates(answers)) is not None:
        base = float(np.mean(answers.truth == answers.signature.classes[positive]))
        axes.axhline(
            base, color=GREY, linestyle=(0, (4, 3)), linewidth=1, label=f"guessing, {base:.3f}"
        )
        if np.isfinite(said[2]):
            _mark(axes, said[1], said[2], answers)
    shares(axes, "recall (true-positive rate)", "precision")
    axes.legend(loc="lower left")
    return drawn


def _curves(
    axes: Axes,
    answers: Answers,
    curve: Callable[[npt.NDArray[np.bool_], Floats], tuple[Floats, Floats, float]],
    what: str,
    drawstyle: str = "default",
) -> None:
    for place, (index, truth) in zip(range(_MOST_CLASSES), _places(answers), strict=False):
        x, y, area = curve(truth, answers.outputs[:, index].astype(np.float64))
        name = class_name(answers.signature, index)
        colour = COLOURS[place % len(COLOURS)]
        label = f"{name}: {what} {area:.3f}"
        axes.plot(x, y, color=colour, label=label, drawstyle=drawstyle)


def _places(answers: Answers) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    """The judged classes that some rows bear and some do not."""
    for place in answers.judged_classes:
        truth: npt.NDArray[np.bool_] = answers.truth == answers.signature.classes[place]
        if truth.any() and not truth.all():
            yield place, truth


def _rates(answers: Answers) -> tuple[float, float, float] | None:
    """False-positive rate, recall and precision of the answers, where one class is positive."""
    if answers.signature.positive == NO_CLASS:
        return None
    number = answers.signature.classes[answers.signature.positive]
    truth, said = answers.truth == number, answers.labels == number
    with np.errstate(invalid="ignore"):
        precision = np.float64((truth & said).sum()) / said.sum()
    return float(said[~truth].mean()), float(said[truth].mean()), float(precision)


def _mark(axes: Axes, x: float, y: float, answers: Answers) -> None:
    threshold = answers.signature.decision_threshold
    axes.plot(
        [x],
        [y],
        "o",
        color=RED,
        markersize=8,
        markeredgecolor="white",
        zorder=5,
        label=f"threshold {threshold:.3f}",
    )
