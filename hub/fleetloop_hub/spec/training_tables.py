"""The tables of the spec that say what is tried, and what it may cost a device."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleetloop_hub.spec.scalars import Above, Family, Name, Positive, Seconds, Share, Table, Width

Hidden = Annotated[list[Width], Meta(min_length=1, max_length=8)]


class RangeTable(Table, frozen=True, kw_only=True):
    """Numbers to search among.

    Attributes:
        low: The smallest.
        high: The largest.
        log: Draw evenly on a logarithmic scale.
        whole: Draw whole numbers.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False


class CandidateTable(Table, frozen=True, kw_only=True):
    """One algorithm to try. A key that its family does not know is an error.

    Attributes:
        name: What the run calls it.
        family: The algorithm. "linear" is logistic regression, or ridge for a regression.
        hidden: mlp: widths of the hidden layers.
        alpha: linear, mlp: strength of the L2 penalty.
        trees: random-forest, extra-trees, isolation-forest: how many; gradient-boosting: at most.
        depth: Trees: the deepest a tree may be.
        leaves: gradient-boosting: the most leaves a tree may have.
        leaf_rows: Trees: the fewest rows in a leaf.
        learning_rate: gradient-boosting, mlp: the size of a step.
        c: svm: how much a row on the wrong side costs.
        gamma: svm, one-class-svm: how near a row must be to matter; by default 1 / features.
        neighbours: knn: how many.
        contamination: isolation-forest, one-class-svm: share of the training rows that are odd; by
            default 0.05.
        balanced: Weight classes so that each counts alike.
        search: Keys above with a list of values, or a range, to search among.
    """

    name: Name
    family: Family
    hidden: Hidden | None = None
    alpha: Above | None = None
    trees: Annotated[int, Meta(ge=1, le=5_000)] | None = None
    depth: Annotated[int, Meta(ge=1, le=64)] | None = None
    leaves: Annotated[int, Meta(ge=2, le=65_536)] | None = None
    leaf_rows: Positive | None = None
    learning_rate: Above | None = None
    c: Above | None = None
    gamma: Above | None = None
    neighbours: Positive | None = None
    contamination: Annotated[float, Meta(gt=0.0, le=0.5)] | None = None
    balanced: bool = False
    search: dict[str, list[int | float | Hidden] | RangeTable] = msgspec.field(default_factory=dict)


class TrainingTable(Table, frozen=True, kw_only=True):
    """How candidates are tried.

    Attributes:
        trials: Settings drawn for each candidate that has something to search.
        folds: Validation parts, each newer than what was fitted for it; 1 is the newest alone.
        limit_s: Seconds after which no further setting is drawn.
        calibration: How scores become probabilities: "sigmoid", "isotonic", "none", or "auto",
            which takes what validation rows show to be best. Several classes have a temperature.
        validation: Share of the rows before the held-out ones that candidates are chosen on.
        as_good_errors: A candidate whose score is within so many standard errors of the best one is
            as good, and of those the smallest file is taken; 0 takes the best score, whatever its
            size.
    """

    trials: Positive = 20
    folds: Annotated[int, Meta(ge=1, le=10)] = 1
    limit_s: Seconds = 600.0
    calibration: Literal["auto", "none", "sigmoid", "isotonic"] = "auto"
    validation: Annotated[float, Meta(ge=0.05, le=0.5)] = 0.2
    as_good_errors: Annotated[float, Meta(ge=0.0, le=3.0)] = 1.0


class BudgetTable(Table, frozen=True, kw_only=True):
    """What the model may cost a device.

    Attributes:
        artifact_bytes: The largest artifact.
        latency_ms: The slowest median answer to one row, measured at the hub.
        memory_bytes: The most resident memory that loading it may add. The hub measures it beside
            a tiny model; a device's figure holds the runtime's first megabytes (about 9) too.
        load_ms: The longest that loading it may take, measured at the hub.
    """

    artifact_bytes: Positive = 1_000_000
    latency_ms: Above = 5.0
    memory_bytes: Positive = 64_000_000
    load_ms: Above = 2_000.0


class QuantizationTable(Table, frozen=True, kw_only=True):
    """How small the artifact may be made.

    Attributes:
        largest_loss: Of the metric, against the float model on validation rows; 0.005 is half a
            point.
        calibration_rows: Training rows that static quantization looks at.
    """

    largest_loss: Share = 0.005
    calibration_rows: Annotated[int, Meta(ge=16, le=100_000)] = 512
