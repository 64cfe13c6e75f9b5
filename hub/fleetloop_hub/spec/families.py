"""Which keys and tasks each family of algorithms knows."""

from fleetloop_hub.spec.scalars import Family, Metric, Task

FAMILY_KEYS: dict[Family, frozenset[str]] = {
    "linear": frozenset({"alpha", "balanced"}),
    "mlp": frozenset({"hidden", "alpha", "learning_rate", "balanced"}),
    "random-forest": frozenset({"trees", "depth", "leaf_rows", "balanced"}),
    "extra-trees": frozenset({"trees", "depth", "leaf_rows", "balanced"}),
    "gradient-boosting": frozenset(
        {"trees", "depth", "leaves", "leaf_rows", "learning_rate", "balanced"}
    ),
    "svm": frozenset({"c", "gamma", "balanced"}),
    "knn": frozenset({"neighbours"}),
    "isolation-forest": frozenset({"trees", "contamination"}),
    "one-class-svm": frozenset({"gamma", "contamination"}),
}
"""The keys of a candidate besides name, family and search."""

ANOMALY_FAMILIES: frozenset[Family] = frozenset({"isolation-forest", "one-class-svm"})
"""Families for the task "anomaly", and for no other."""

TASK_METRICS: dict[Task, tuple[Metric, ...]] = {
    "classification": ("accuracy", "balanced_accuracy", "roc_auc", "average_precision", "f1"),
    "regression": ("r2",),
    "anomaly": ("roc_auc", "average_precision", "balanced_accuracy", "f1"),
}
"""What a task can be judged on; the last two of several classes are means over the classes."""


def fits(family: Family, task: Task) -> bool:
    """Whether a family can do a task."""
    return (family in ANOMALY_FAMILIES) == (task == "anomaly")
