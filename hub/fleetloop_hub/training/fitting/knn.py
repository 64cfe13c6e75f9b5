"""The nearest neighbours among the training rows."""

from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.fitting.lesson import Learned, Lesson

_NEIGHBOURS = 15


def fit_knn(candidate: CandidateTable, lesson: Lesson) -> Learned:
    """The mean of the 15 nearest rows; every training row is kept, so the artifact is large."""
    wanted = candidate.neighbours or _NEIGHBOURS
    neighbours = min(wanted, len(lesson.x))
    notes = (f"there are only {neighbours} rows to be neighbours",) if neighbours < wanted else ()
    form = KNeighborsClassifier if lesson.classes else KNeighborsRegressor
    model = form(n_neighbors=neighbours).fit(lesson.x, lesson.y)
    return Learned(model, {"neighbours": neighbours}, notes=notes)
