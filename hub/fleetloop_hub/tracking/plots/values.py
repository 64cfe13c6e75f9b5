"""How near a regression comes: predicted against true values, and what is left over."""

import numpy as np
from matplotlib.figure import Figure

from fleetloop_hub.tracking.plots.style import BLUE, GREY, ORANGE, figure
from fleetloop_hub.validation.metrics import Answers

_MOST_POINTS = 4_000
_BINS = 40


def predicted(answers: Answers, title: str) -> Figure:
    """Predicted against true values.

    Args:
        answers: Truth and outputs of a regression.
        title: What the picture is of.
    """
    drawn = figure(5.6, 5.4)
    axes = drawn.add_subplot(title=f"{title}\nPredicted and true values")
    truth, said = answers.truth, answers.scores
    shown = _some(len(truth))
    ends = [float(min(truth.min(), said.min())), float(max(truth.max(), said.max()))]
    axes.plot(ends, ends, color=GREY, linestyle=(0, (4, 3)), linewidth=1, label="perfect")
    axes.plot(
        truth[shown],
        said[shown],
        "o",
        color=BLUE,
        markersize=3.5,
        alpha=0.5,
        markeredgewidth=0,
        label=f"{len(shown):,} of {len(truth):,} rows",
    )
    axes.set(xlabel="true value", ylabel="predicted value")
    axes.set_aspect("equal")
    axes.legend(loc="upper left")
    return drawn


def residuals(answers: Answers, title: str) -> Figure:
    """What is left over, by predicted value, and how it is spread.

    Args:
        answers: Truth and outputs of a regression.
        title: What the picture is of.
    """
    left = answers.truth - answers.scores
    shown = _some(len(left))
    drawn = figure(7.4, 4.2)
    axes, beside = drawn.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    axes.axhline(0, color=GREY, linewidth=1)
    axes.plot(
        answers.scores[shown],
        left[shown],
        "o",
        color=BLUE,
        markersize=3.5,
        alpha=0.5,
        markeredgewidth=0,
    )
    mean, spread = float(left.mean()), float(left.std())
    axes.set(xlabel="predicted value", ylabel="true less predicted value")
    axes.set_title(f"{title}\nResiduals: mean {mean:.3g}, standard deviation {spread:.3g}")
    beside.hist(left, bins=_BINS, orientation="horizontal", color=BLUE, edgecolor="white")
    beside.axhline(mean, color=ORANGE, linewidth=1.5)
    beside.set(xlabel="rows")
    return drawn


def _some(rows: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Evenly spread places, no more than can be told apart."""
    return np.unique(np.linspace(0, rows - 1, min(rows, _MOST_POINTS)).astype(np.int64))
