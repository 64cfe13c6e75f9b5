"""All pictures that can be drawn of a run, by name."""

from collections.abc import Iterator

import numpy as np

from fleetloop_hub.records import Run
from fleetloop_hub.tracking.plots.calibration import calibration
from fleetloop_hub.tracking.plots.candidates import learning, pareto
from fleetloop_hub.tracking.plots.confusion import confusion
from fleetloop_hub.tracking.plots.formats import Format
from fleetloop_hub.tracking.plots.ranking import precision_recall, roc
from fleetloop_hub.tracking.plots.scores import scores
from fleetloop_hub.tracking.plots.search import fitted, search
from fleetloop_hub.tracking.plots.style import looks, written
from fleetloop_hub.tracking.plots.values import predicted, residuals
from fleetloop_hub.training.evaluation import Evaluation
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.manifest import ANOMALY, NO_CLASS, REGRESSION


def pictures(
    run: Run, evaluation: Evaluation | None, format_: Format
) -> Iterator[tuple[str, bytes]]:
    """The name and file of each picture.

    Args:
        run: Whose; with its curves.
        evaluation: What it left of the held-out rows, None if it left nothing.
        format_: Of the files.
    """
    with looks():
        if evaluation is not None and len(evaluation.answers):
            title = f"{run.key}, {len(evaluation.answers):,} held-out rows"
            yield from _answers(evaluation.answers, title, format_)
        if run.candidates:
            yield "pareto", written(pareto(run.candidates, run.chosen, run.key), format_)
        if any(candidate.curves for candidate in run.candidates):
            yield "learning", written(learning(run.candidates, run.key), format_)
        if fitted(run.searches):
            yield "search", written(search(run.searches, run.key), format_)


def _answers(answers: Answers, title: str, format_: Format) -> Iterator[tuple[str, bytes]]:
    if answers.signature.task == REGRESSION:
        yield "predicted", written(predicted(answers, title), format_)
        yield "residuals", written(residuals(answers, title), format_)
        return
    if answers.signature.positive != NO_CLASS:
        yield "scores", written(scores(answers, title), format_)
    known = np.isfinite(answers.truth)
    judged = answers.take(known)
    if len(np.unique(judged.truth)) < 2:  # noqa: PLR2004  # one class cannot be told apart
        return
    yield "roc", written(roc(judged, title), format_)
    yield "precision-recall", written(precision_recall(judged, title), format_)
    yield "confusion", written(confusion(judged, title), format_)
    if answers.signature.task != ANOMALY:
        yield "calibration", written(calibration(judged, title), format_)
