"""Support vector machines with radial kernels."""

from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC, SVR

from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.fitting.lesson import Floats, Learned, Lesson, newest

_C = 1.0
_MOST_ROWS = 10_000
_ITERATIONS = 1_000_000
_CACHE_MB = 200


def fit_svm(candidate: CandidateTable, lesson: Lesson) -> Learned:
    """One border for two classes, one against the rest for each of several; or a value.

    Fitted on at most the newest 10,000 rows: its time grows with the square of their number.
    """
    x, y, notes = newest(lesson, _MOST_ROWS, "svm")
    gamma, c = candidate.gamma or 1 / x.shape[1], candidate.c or _C
    parameters = {"c": c, "gamma": gamma, "balanced": candidate.balanced}
    if not lesson.classes:
        return Learned(_regression(x, y, c, gamma), parameters, notes=notes)
    model = SVC(
        C=c,
        gamma=gamma,
        class_weight="balanced" if candidate.balanced else None,
        cache_size=_CACHE_MB,
        max_iter=_ITERATIONS,
    )
    if lesson.classes > 2:  # noqa: PLR2004  # more than yes and no
        model = OneVsRestClassifier(model)
    return Learned(model.fit(x, y), parameters, notes=notes)


def _regression(x: Floats, y: Floats, c: float, gamma: float) -> SVR:
    """Learned as standard deviations from the mean, then put back into the values' unit."""
    mean, sd = float(y.mean()), float(y.std()) or 1.0
    model = SVR(C=c, gamma=gamma, cache_size=_CACHE_MB, max_iter=_ITERATIONS)
    model.fit(x, (y - mean) / sd)
    model.dual_coef_ = model._dual_coef_ = model.dual_coef_ * sd  # what predict reads
    model.intercept_ = model._intercept_ = model.intercept_ * sd + mean  # the same
    return model
