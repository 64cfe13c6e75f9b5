"""Which classes are taken for which."""

import numpy as np
from matplotlib.figure import Figure

from fleetloop_hub.tracking.plots.style import figure
from fleetloop_hub.tracking.plots.words import class_name
from fleetloop_hub.validation.metrics import Answers

_MOST_WRITTEN = 16
_DARK = 0.55


def confusion(answers: Answers, title: str) -> Figure:
    """True classes as rows, answers as columns; colour is the share of the row.

    Args:
        answers: Truth and outputs of a classification.
        title: What the picture is of.
    """
    classes = answers.signature.classes
    counts = np.array(
        [[np.sum((answers.truth == t) & (answers.labels == a)) for a in classes] for t in classes]
    )
    rows = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    names = [class_name(answers.signature, place) for place in range(len(classes))]
    size = 3.4 + 0.45 * min(len(classes), 24)
    drawn = figure(size + 1.2, size)
    axes = drawn.add_subplot(title=f"{title}\nConfusion: rows, and their share of the true class")
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.grid(visible=False)
    axes.set(xlabel="answered", ylabel="true")
    slanted = 45 if max(map(len, names)) > 4 and len(names) > 3 else 0  # noqa: PLR2004  # by eye
    axes.set_xticks(range(len(names)), names, rotation=slanted, ha="right" if slanted else "center")
    axes.set_yticks(range(len(names)), names)
    if len(names) <= _MOST_WRITTEN:
        for (row, column), part in np.ndenumerate(share):
            text = (
                f"{counts[row, column]:,}\n{part:.0%}"
                if len(names) <= _MOST_WRITTEN // 2
                else f"{counts[row, column]:,}"
            )
            colour = "white" if part > _DARK else "#1a1a1a"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    drawn.colorbar(image, ax=axes, label="share of the true class", shrink=0.85)
    return drawn
