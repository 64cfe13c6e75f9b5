"""Where the scores of one class lie, and the threshold from which it is the answer."""

import numpy as np
from matplotlib.figure import Figure

from fleetloop_hub.tracking.plots.style import BLUE, ORANGE, RED, figure
from fleetloop_hub.tracking.plots.words import class_name
from fleetloop_hub.validation.metrics import Answers

_BINS = 40


def scores(answers: Answers, title: str) -> Figure:
    """How many rows have which score, by their truth; the threshold is marked.

    Args:
        answers: Truth and outputs of a model with a positive class; a truth may be unknown.
        title: What the picture is of.
    """
    signature = answers.signature
    drawn = figure(6.6, 4.2)
    axes = drawn.add_subplot(title=f"{title}\nScores")
    edges = np.linspace(0, 1, _BINS + 1).tolist()
    known = np.isfinite(answers.truth)
    positive = answers.truth == signature.classes[signature.positive]
    parts = [
        (answers.scores[known & ~positive], BLUE, "truth: others"),
        (answers.scores[positive], ORANGE, f"truth: {class_name(signature, signature.positive)}"),
        (answers.scores[~known], "#999999", "truth unknown"),
    ]
    for values, colour, label in parts:
        if len(values):
            axes.hist(
                values, bins=edges, color=colour, alpha=0.65, label=f"{label}, {len(values):,} rows"
            )
    threshold = signature.decision_threshold
    share = float(np.mean(answers.scores >= threshold))
    axes.axvline(
        threshold, color=RED, linewidth=1.5, label=f"threshold {threshold:.3f}: {share:.1%} above"
    )
    axes.set(xlabel="score", ylabel="rows (logarithmic)", yscale="log")
    axes.set_ylim(0.7, axes.get_ylim()[1] * 10)  # room for the legend above the bars
    axes.legend(loc="upper right")
    return drawn
