"""The tables of the spec that say what a version must reach before it may be released."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleetloop_hub.spec.scalars import Column, Metric, Positive, Share, Table


class GateTable(Table, frozen=True, kw_only=True):
    """What a version must reach, judged on the quantized bytes and held-out rows.

    Attributes:
        metric: What candidates are chosen by and judged on. "accuracy" counts every row alike and
            answers yes from a score of 0.5; "balanced_accuracy", "roc_auc", "average_precision" and
            "f1" answer yes from the share of positive rows in training, unless costs say otherwise;
            "r2" is for a regression.
        floor: The lower end of the metric's 95 % interval must reach this.
        champion_margin: How far below the champion, on the same rows, the lower end of the 95 %
            interval of the difference may be.
        label_flips: The largest share of rows on which quantization may change the answer; of a
            regression, by more than 1 % of the labels' standard deviation.
        held_out: The share of the newest rows that nothing is fitted or chosen on.
        slice_floor: The lower end of the metric's 95 % interval in every slice must reach this.
        slice_rows: A slice with fewer rows is shown, not judged.
        calibration_error: The largest expected calibration error of the scores.
        missing_loss: The most of the metric that may be lost when a tenth of the values is
            missing.
        noise_loss: The most that may be lost when numbers are disturbed by a tenth of their
            standard deviation.
        range_loss: The most that may be lost when a tenth of the numbers lie at the ends of their
            range, or at thrice the distance of the farthest value of training.
        approval: Whether a person must approve a version that has passed, before it is released.
    """

    metric: Metric = "balanced_accuracy"
    floor: Annotated[float, Meta(le=1.0)] = 0.6
    champion_margin: Share = 0.0
    label_flips: Share = 0.02
    held_out: Annotated[float, Meta(ge=0.05, le=0.5)] = 0.2
    slice_floor: Annotated[float, Meta(le=1.0)] | None = None
    slice_rows: Positive = 100
    calibration_error: Share | None = None
    missing_loss: Share | None = None
    noise_loss: Share | None = None
    range_loss: Share | None = None
    approval: bool = False


class FairnessTable(Table, frozen=True, kw_only=True):
    """How far groups of people may be treated differently; classification with two classes.

    Rates are compared between the values of each sensitive column. Only values with at least
    `group_rows` rows are judged; the others are shown with their intervals.

    Attributes:
        groups: The sensitive columns; they need not be features.
        selection_gap: The largest difference of the shares that are answered yes.
        selection_ratio: The smallest ratio of them; 0.8 is the four-fifths rule.
        true_positive_gap: The largest difference of the shares of positive rows answered yes (equal
            opportunity).
        false_positive_gap: The largest difference of the shares of negative rows answered yes.
        group_rows: Rows below which a group is not judged.
        mitigation: "group-thresholds" also tries each of the best candidates with a threshold of
            its own for every group, inside the graph; the sensitive column must be a feature.
            "none" does not.
    """

    groups: list[Column] = msgspec.field(default_factory=list)
    selection_gap: Share | None = None
    selection_ratio: Share | None = None
    true_positive_gap: Share | None = None
    false_positive_gap: Share | None = None
    group_rows: Positive = 50
    mitigation: Literal["group-thresholds", "none"] = "group-thresholds"
