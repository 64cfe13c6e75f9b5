"""What is unlike the training rows: isolation forest and one-class support vector machine.

Both are fitted on all training rows, whatever their labels say.
"""

from sklearn.ensemble import IsolationForest
from sklearn.svm import OneClassSVM

from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.fitting.lesson import Learned, Lesson, newest

CONTAMINATION = 0.05
"""Share of the training rows that are odd, where the spec does not say."""

_TREES = 100
_MOST_ROWS = 10_000
_ITERATIONS = 1_000_000


def fit_isolation_forest(candidate: CandidateTable, lesson: Lesson) -> Learned:
    """How few random cuts set a row apart (Liu, Ting and Zhou, 2008); by default 100 trees."""
    trees = candidate.trees or _TREES
    model = IsolationForest(n_estimators=trees, random_state=lesson.seed).fit(lesson.x)
    share = candidate.contamination or CONTAMINATION
    return Learned(model, {"trees": trees, "contamination": share})


def fit_one_class_svm(candidate: CandidateTable, lesson: Lesson) -> Learned:
    """The border around most rows (Schölkopf et al., 2001), at most the newest 10,000.

    Its distances grow with the number of rows, and their logistic would be 1 for every odd row; so
    they are divided by the border's height, and lie between -1 and a little above 0.
    """
    x, _, notes = newest(lesson, _MOST_ROWS, "one-class-svm")
    gamma = candidate.gamma or 1 / x.shape[1]
    share = candidate.contamination or CONTAMINATION
    model = OneClassSVM(gamma=gamma, nu=share, max_iter=_ITERATIONS).fit(x)
    height = float(model.offset_[0])
    if height > 0:
        model.dual_coef_ = model._dual_coef_ = model.dual_coef_ / height  # what it reads
        model.intercept_ = model._intercept_ = model.intercept_ / height  # the same
        model.offset_ = -model.intercept_
    return Learned(model, {"gamma": gamma, "contamination": share}, notes=notes)
