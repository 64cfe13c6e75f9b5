"""Where an answer turns into yes: by theory, by costs, or by the share of rows that are odd."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from msgspec import structs

from fleetloop_hub.spec.data_tables import LabelTable
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.validation.metrics import Answers, threshold_for
from fleetloop_shared.manifest import NO_CLASS, Signature

_BODY = (0.005, 0.995)


@dataclass(frozen=True)
class Costs:
    """What answers cost, a row; in the unit of the spec's costs.

    Attributes:
        model: Of the model's answers.
        always_yes: If every answer were yes.
        always_no: If every answer were no.
    """

    model: float
    always_yes: float
    always_no: float


def decision_threshold(spec: ModelSpec, positive_share: float) -> float:
    """The calibrated score from which yes is the better answer.

    With costs it is cost_false_positive / (cost_false_positive + cost_false_negative) (Elkan, 2001,
    "The foundations of cost-sensitive learning", eq. 2); otherwise what the metric asks for.

    Args:
        spec: The spec.
        positive_share: Of the rows that are not held out.
    """
    false_yes, false_no = spec.label.cost_false_positive, spec.label.cost_false_negative
    if false_yes is not None and false_no is not None:
        return false_yes / (false_yes + false_no)
    return threshold_for(spec.gates.metric, positive_share)


def balanced_threshold(threshold: float, positive_share: float) -> float:
    """The same threshold for scores of a model that was taught as if both classes were frequent.

    Weights multiply the odds of yes by (1 - share) / share, so the threshold's odds move as well.
    """
    odds = threshold * (1 - positive_share)
    return odds / (odds + (1 - threshold) * positive_share)


def odd_threshold(scores: npt.NDArray[np.floating], contamination: float) -> float:
    """The score that the given share of training rows reaches."""
    return float(np.quantile(scores, 1 - contamination, method="higher"))


def with_odd_range(form: Signature, scores: npt.NDArray[np.floating]) -> Signature:
    """The same with its score histogram where 99 % of an anomaly model's scores are, and around it.

    Scores of how odd a row is fill a part of 0 to 1 only, a third of it or less; a histogram over
    all of it, or over all that a few odd rows reach, would have most rows in one bin or two, and
    see little of a change.

    Args:
        form: Of the model.
        scores: Of training rows, 0 to 1.
    """
    low, high = map(float, np.quantile(scores, _BODY))
    margin = (high - low) / 4
    low, high = max(0.0, low - margin), min(1.0, high + margin)
    return structs.replace(form, score_low=low, score_high=high if high > low else low + 1.0)


def costs(answers: Answers, label: LabelTable) -> Costs | None:
    """What the answers to these rows cost, a row; None where the spec gives no costs."""
    false_yes, false_no = label.cost_false_positive, label.cost_false_negative
    positive = answers.signature.positive
    if false_yes is None or false_no is None or positive == NO_CLASS or not len(answers):
        return None
    number = answers.signature.classes[positive]
    yes, said = answers.truth == number, answers.labels == number
    return Costs(
        model=float(false_yes * (said & ~yes).mean() + false_no * (~said & yes).mean()),
        always_yes=float(false_yes * (~yes).mean()),
        always_no=float(false_no * yes.mean()),
    )
