"""What a decision rests on, in plain values: it can be gathered, replayed or made up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleetloop_hub.verdict_records import FleetVerdict


class Trigger(StrEnum):
    """What can lead to a decision."""

    PERSON = "person"
    ACCURACY = "accuracy"
    LABELS = "new labels"
    SCHEDULE = "schedule"
    DRIFT = "drift"
    ESTIMATE = "estimate"


@dataclass(frozen=True)
class DeviceDrift:
    """What a device's last window under the champion said.

    Attributes:
        device: Its id.
        alarms: How many windows in a row, up to that one, were alarms.
        quiet: How many windows in a row, up to that one, were none.
        ratio: Largest statistic / threshold.
        feature: The feature with the largest ratio.
    """

    device: str
    alarms: int
    quiet: int
    ratio: float
    feature: str


@dataclass(frozen=True)
class LabelLoss:
    """What labels say of the champion in the field.

    Attributes:
        text: All of it in words.
        labels: How many labels that is.
        value: The metric by them, None while it is unknown.
        demanded: What the gate demands of it.
        proven: Whether the labels prove that the demand is not kept.
        well: Whether there are labels enough, and nothing in them speaks against the champion.
        shared: Whether it is below also without any single device's labels.
        device: The one device on whose labels alone it rests, among enough to compare; else "".
    """

    text: str
    labels: int
    value: float | None
    demanded: float
    proven: bool
    well: bool = False
    shared: bool = True
    device: str = ""


@dataclass(frozen=True)
class Estimated:
    """The metric of the gate, estimated without labels on the fleet's newest rows.

    Attributes:
        metric: Its name.
        demanded: What the gate demands.
        value: The estimate, None where it was refused.
        high: Upper end of its interval.
        refused: Why there is none, "" where there is one.
    """

    metric: str
    demanded: float
    value: float | None = None
    high: float | None = None
    refused: str = ""

    @property
    def below(self) -> bool:
        """Whether its whole interval is below what is demanded."""
        return not self.refused and self.high is not None and self.high < self.demanded


@dataclass(frozen=True)
class Predecessor:
    """The version before the champion, on the same labelled rows.

    Attributes:
        version: Its number.
        rows: How many labelled rows both have answered.
        value: Its metric.
        champion_value: The champion's.
        low: Lower end of the 95 % interval of the difference.
        metric: The metric's name.
        hindrance: Why it cannot take over, "" if it can.
    """

    version: int
    rows: int
    value: float
    champion_value: float
    low: float
    metric: str
    hindrance: str = ""


@dataclass(frozen=True)
class Evidence:
    """All that a decision rests on.

    Attributes:
        drift: The last window of every device that has reported one.
        labels: Labelled rows that were served since the drift began.
        since_training_s: Seconds since the last run ended; infinite before the first.
        busy: What keeps the hub from training now, if anything.
        verdict: Who has moved, by the devices' profiles; None without them.
        learned: Why training would give what there is already, None where it might not.
        fresh_labels: Labelled rows that no run has learned from; None where only `labels` is known.
        trainings: Retrainings that the hub has begun by itself in the last 24 hours.
        cure: The open rollout of this model, which may be what is needed; None if there is none.
        loss: What labels say; None without labels.
        estimated: What is estimated without labels; None where nothing was.
        predecessor: The version before on the same rows; None where they were not compared.
        asked: Why a person has asked for a retraining; "" if nobody has.
        held: Looks in a row for which each trigger has stood; one that is not there counts as
            having stood for long enough.
        spent: Triggers that have led to a retraining and have not been quiet since, and how many
            labels have come since.
    """

    drift: list[DeviceDrift]
    labels: int
    since_training_s: float
    busy: str | None = None
    verdict: FleetVerdict | None = None
    learned: str | None = None
    fresh_labels: int | None = None
    trainings: int = 0
    cure: str | None = None
    loss: LabelLoss | None = None
    estimated: Estimated | None = None
    predecessor: Predecessor | None = None
    asked: str = ""
    held: Mapping[str, int] = field(default_factory=dict)
    spent: Mapping[str, int] = field(default_factory=dict)

    @property
    def unlearned(self) -> int:
        """Labelled rows that no run has learned from, as far as is known."""
        return self.labels if self.fresh_labels is None else self.fresh_labels
