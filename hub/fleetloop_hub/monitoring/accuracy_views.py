"""What people are told about a version's accuracy."""

from enum import StrEnum

import msgspec

from fleetloop_hub.monitoring.overview import View
from fleetloop_hub.monitoring.weighed_labels import WeighedAccuracy
from fleetloop_shared.estimate.records import MAE, AccuracyReference, Estimate, LabelEvidence

BLIND = (
    "Estimated from inputs alone: if the same inputs have come to mean something else (concept "
    "drift), no estimate can show it. Only labels do."
)


class Place(StrEnum):
    """Whose rows an estimate is about."""

    FLEET = "fleet"
    COHORT = "cohort"
    DEVICE = "device"


class Scope(View, frozen=True, kw_only=True):
    """The rows of the fleet, a cohort or a device.

    Attributes:
        place: Which of them.
        name: Its name.
        rows: Rows of its newest windows.
        effective_rows: How many labelled rows of equal weight the estimates rest on.
        estimates: One a metric, each with its interval or the reason why there is none.
        labels: What a device says of the labels that it was given, None without.
    """

    place: Place
    name: str
    rows: int
    effective_rows: float
    estimates: list[Estimate]
    labels: LabelEvidence | None = None


class AccuracyView(View, frozen=True, kw_only=True):
    """A version's accuracy by all that has been reported.

    Attributes:
        model: The model.
        version: The version's number.
        held_out: Each metric on the labelled rows that nothing was fitted on.
        held_out_rows: How many of them are weighed.
        scopes: The fleet, its cohorts, its devices, as far as they have reported profiles.
        labels: What all labels that the hub could join with answers say, None without.
        reference: What the version's devices know about its accuracy.
        refused: Why nothing is estimated for any of them, "" where it is.
        note: What no estimate can show.
        weighed: The accuracy by labelled samples, each weighed by how improbable its sending was:
            of all devices together, then of each; empty for a regression.
    """

    model: str
    version: int
    held_out: dict[str, float] = msgspec.field(default_factory=dict)
    held_out_rows: int = 0
    scopes: list[Scope] = msgspec.field(default_factory=list)
    labels: LabelEvidence | None = None
    reference: AccuracyReference | None = None
    refused: str = ""
    note: str = BLIND
    weighed: list[WeighedAccuracy] = msgspec.field(default_factory=list)

    def refuse(self, why: str) -> "AccuracyView":
        """The same without estimates."""
        return msgspec.structs.replace(self, refused=why)

    def tell(self, held_out: dict[str, float], rows: int, scopes: list[Scope]) -> "AccuracyView":
        """The same with them."""
        return msgspec.structs.replace(self, held_out=held_out, held_out_rows=rows, scopes=scopes)


def against(evidence: LabelEvidence) -> str:
    """What labels say, in words.

    >>> against(LabelEvidence(labels=240, metric="accuracy", value=0.75, demanded=0.83,
    ...     demanded_by="gate", e_value=130.0, largest=130.0, alarm=True, since_label=238))
    'accuracy 0.75 by 240 labels, at least 0.83 demanded by the gate: not kept (risk of error 1 %)'
    """
    known = "unknown yet" if evidence.value is None else f"{evidence.value:.3g}"
    what = f"{evidence.metric.replace('_', ' ')} {known} by {evidence.labels:,} labels"
    least = "a root mean squared error of at most" if evidence.metric == MAE else "at least"
    demand = f"{least} {evidence.demanded:.3g} demanded by the {evidence.demanded_by}"
    verdict = "not kept (risk of error 1 %)" if evidence.alarm else "nothing speaks against it"
    if evidence.alarm and _is_kept(evidence):
        verdict = "kept by all labels together, but it was not before (risk of error 1 %)"
    return f"{what}, {demand}: {verdict}"


def _is_kept(evidence: LabelEvidence) -> bool:
    """Whether all labels together reach what is demanded; what was proven once is not undone."""
    if evidence.value is None:
        return False
    if evidence.metric == MAE:
        return evidence.value <= evidence.demanded
    return evidence.value >= evidence.demanded
