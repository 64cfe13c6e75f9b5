"""What the gates look at: answers, on held-out rows, of the artifact that devices would run."""

from dataclasses import dataclass, field

from fleetloop_hub.spec.scalars import Task
from fleetloop_hub.validation.fairness import Column
from fleetloop_hub.validation.metrics import Answers, Flags
from fleetloop_hub.version_parts import Cost, GroupThreshold, Parity


@dataclass(frozen=True)
class Flagged:
    """How often an anomaly model says "odd" where nobody knows the truth.

    Attributes:
        rows: Held-out rows.
        flagged: How many it takes for odd.
        contamination: The share that it was told to expect.
    """

    rows: int
    flagged: int
    contamination: float


@dataclass(frozen=True)
class Exam:
    """What the gates look at, all of it on the same held-out rows.

    Attributes:
        challenger: What the quantized artifact says where the truth is known.
        champion: What the champion's artifact says, None if there is no champion.
        parity: Quantized against float.
        seed: Of the resampling.
        task: Of the model.
        groups: The sensitive columns of these rows, by name.
        slices: The rows of each slice, by column and name.
        disturbed: What the artifact says when the same rows are disturbed, by how.
        cost: Of loading and running it, None where it was not weighed.
        thresholds: Decision thresholds of groups, where the graph gives them some of their own.
        flagged: Of an anomaly model whose held-out rows have no labels.
        must_beat: Whether it must be better than the champion, not only no worse.
    """

    challenger: Answers
    champion: Answers | None
    parity: Parity
    seed: int
    task: Task = "classification"
    groups: dict[str, Column] = field(default_factory=dict)
    slices: dict[tuple[str, str], Flags] = field(default_factory=dict)
    disturbed: dict[str, Answers] = field(default_factory=dict)
    cost: Cost | None = None
    thresholds: list[GroupThreshold] = field(default_factory=list)
    flagged: Flagged | None = None
    must_beat: bool = False
