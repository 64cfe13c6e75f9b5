"""The table of the spec that says when, on what and on whose word a model is trained anew."""

from typing import Annotated, Literal

from msgspec import Meta

from fleetloop_hub.spec.scalars import Above, Hours, Positive, Seconds, Share, Table

Window = Literal["all", "sliding", "since_drift", "weighted"]
Consent = Literal["none", "before_training", "before_rollout"]


class RetrainTable(Table, frozen=True, kw_only=True):
    """When, on what and on whose word the model is trained anew.

    Attributes:
        by_drift: Whether drift of the fleet leads to a retraining.
        by_accuracy: Whether labels that prove the model below its gate do.
        by_estimate: Whether an accuracy estimated without labels does, that is below the gate with
            its whole interval. A refused estimate never does.
        every_h: Hours after the last run ended, after which the model is trained anew on whatever
            labels have come; 0: never.
        new_labels: Labelled rows that no run has learned from, at which it is trained anew; 0:
            never.
        drift_devices: Share of the reporting devices that must see drift.
        drift_without_loss: What drift asks for while labels show that the model is as good as its
            gate demands: "retrain", or "wait".
        min_labels: Labelled rows that no run has learned from, before a retraining is worth it; of
            drift only those count that were served since it began.
        hold_looks: Looks at new evidence in a row in which a trigger must stand before it counts.
        rearm_looks: Looks at new evidence in a row in which a trigger that has led to a retraining
            must be quiet before it can lead to another without `min_labels` new labels.
        cooldown_s: Seconds between two retrainings.
        most_a_day: Retrainings that the hub begins by itself in 24 hours.
        roll_back: Whether the hub goes back to the version before by itself, once labels prove
            the champion below its gate and that version better on the same rows.
        approval: "none" for a loop that closes by itself; "before_training" or "before_rollout"
            if a person must agree to what the hub has decided.
        window: What is learned from: "all" rows; "sliding", the newest; "since_drift", rows since
            the drift began and a share of older ones; "weighted", all, the older the less.
        window_rows: For "sliding": how many rows at most.
        window_days: For "sliding": how many days before the newest row; 0: whatever their age.
        old_share: For "since_drift": share of older rows among all.
        half_life_rows: For "weighted": a row counts half as much as one so many rows newer.
    """

    by_drift: bool = True
    by_accuracy: bool = True
    by_estimate: bool = False
    every_h: Hours = 0.0
    new_labels: Annotated[int, Meta(ge=0)] = 0
    drift_devices: Share = 0.5
    drift_without_loss: Literal["retrain", "wait"] = "retrain"
    min_labels: Positive = 500
    hold_looks: Positive = 1
    rearm_looks: Positive = 3
    cooldown_s: Seconds = 60.0
    most_a_day: Positive = 24
    roll_back: bool = True
    approval: Consent = "none"
    window: Window = "all"
    window_rows: Positive = 2_000
    window_days: Annotated[float, Meta(ge=0.0, le=36_500.0)] = 0.0
    old_share: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.2
    half_life_rows: Above = 10_000.0
