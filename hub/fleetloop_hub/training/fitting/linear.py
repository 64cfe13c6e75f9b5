"""Logistic regression, and ridge regression for values."""

from sklearn.linear_model import LogisticRegression, Ridge

from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.fitting.lesson import Learned, Lesson

_ALPHA = 0.01
_ITERATIONS = 1_000


def fit_linear(candidate: CandidateTable, lesson: Lesson) -> Learned:
    """One weight a column, held small by an L2 penalty of strength alpha (0.01)."""
    alpha = candidate.alpha or _ALPHA
    if not lesson.classes:
        return Learned(Ridge(alpha=alpha).fit(lesson.x, lesson.y), {"alpha": alpha})
    weights = lesson.class_weights() if candidate.balanced else None
    model = LogisticRegression(C=1.0 / alpha, max_iter=_ITERATIONS, class_weight=weights)
    model.fit(lesson.x, lesson.y)
    iterations = int(model.n_iter_[0])
    return Learned(
        model, {"alpha": alpha, "iterations": iterations, "balanced": candidate.balanced}
    )
