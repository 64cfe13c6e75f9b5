"""Whether scores can be read as probabilities: the reliability diagram and where scores lie."""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from fleetloop_hub.tracking.plots.style import BLUE, GREY, ORANGE, figure
from fleetloop_hub.tracking.plots.words import class_name
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.manifest import NO_CLASS

Floats = npt.NDArray[np.float64]

_BINS = 10
_Z95 = 1.959964


def calibration(answers: Answers, title: str) -> Figure:
    """Share of rows that bear the class, by score; below it, how many rows have which score.

    Of a model without a positive class the score is that of its answer, and the share is of right
    ones. Bars are Wilson's 95 % intervals (Wilson, 1927).

    Args:
        answers: Truth and outputs of a classification.
        title: What the picture is of.
    """
    score, truth, what = _told(answers)
    drawn = figure(5.6, 6.2)
    above, below = drawn.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    mean, share, low, high, error = _reliability(score, truth)
    above.plot([0, 1], [0, 1], color=GREY, linestyle=(0, (4, 3)), linewidth=1, label="perfect")
    above.errorbar(
        mean,
        share,
        yerr=(share - low, high - share),
        color=BLUE,
        marker="o",
        markersize=5,
        capsize=3,
        elinewidth=1,
        label=f"measured, error {error:.3f}",
    )
    above.set(ylabel=f"share that {what}", ylim=(-0.02, 1.02), xlim=(-0.02, 1.02))
    above.set_title(f"{title}\nCalibration")
    above.legend(loc="lower right")
    edges = np.linspace(0, 1, 2 * _BINS + 1)
    names = (what, f"not: {what}") if answers.signature.positive != NO_CLASS else ("right", "wrong")
    below.hist(
        [score[truth], score[~truth]],
        bins=edges.tolist(),
        stacked=True,
        color=[BLUE, ORANGE],
        label=list(names),
        edgecolor="white",
        linewidth=0.5,
    )
    below.set(xlabel="score", ylabel="rows")
    below.legend(loc="best")
    return drawn


def _told(answers: Answers) -> tuple[Floats, npt.NDArray[np.bool_], str]:
    signature = answers.signature
    if signature.positive == NO_CLASS:
        return answers.scores, answers.right, "is right"
    truth = answers.truth == signature.classes[signature.positive]
    return answers.scores, truth, f"is {class_name(signature, signature.positive)}"


def _reliability(
    score: Floats, truth: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats, Floats, float]:
    """Of each bin with rows: mean score, share, ends of its interval; and the expected error."""
    places = np.minimum((score * _BINS).astype(int), _BINS - 1)
    count = np.bincount(places, minlength=_BINS).astype(np.float64)
    there = count > 0
    count = count[there]
    mean = np.bincount(places, score, minlength=_BINS)[there] / count
    share = np.bincount(places, truth, minlength=_BINS)[there] / count
    centre = (share + _Z95**2 / (2 * count)) / (1 + _Z95**2 / count)
    half = np.sqrt(share * (1 - share) / count + _Z95**2 / (4 * count**2))
    half *= _Z95 / (1 + _Z95**2 / count)
    low, high = np.minimum(centre - half, share), np.maximum(centre + half, share)
    return mean, share, low, high, float(np.sum(count * np.abs(mean - share)) / count.sum())
