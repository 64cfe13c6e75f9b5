"""The table of the spec that says what a version may cost before its rollout is stopped."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleetloop_hub.spec.scalars import Hours, Seconds, Table

Points = Annotated[float, Meta(gt=0.0, le=100.0)]
Ratio = Annotated[float, Meta(gt=1.0, le=1_000.0)]
Needed = Literal["errors", "latency", "slow", "accuracy", "abstention"]


class JudgeTable(Table, frozen=True, kw_only=True):
    """How much worse than the champion a version may be on the devices that have taken it.

    They are compared with devices that keep the champion meanwhile, at any number of looks. A
    measure is harmful as soon as it is proven to be worse, and its figure is beyond the limit.

    Attributes:
        error_points: How many more rows of a hundred the model may fail on.
        latency_ratio: How many times longer answers may take, in the middle; and the time that 19
            of 20 of the control's answers stay below, times this, is what "slow" counts from.
        slow_points: How many more calls of a hundred may be slow; by default it is shown and not
            judged, for how many are depends on each device's own luck.
        accuracy_points: How many fewer labelled rows of a hundred may be right.
        abstention_points: How many more rows of a hundred may be refused for a value out of range.
        memory_ratio: How many times more memory the agent may take.
        restarts_a_day: How many more times a day the agent may start anew.
        drift_ratio: How many times larger the drift statistics against the version's own reference
            may be.
        estimate_points: How much lower the accuracy estimated without labels may be; by default it
            is shown and not judged, for a stale champion is too sure of itself.
        answer_points: How many more or fewer answers of a hundred any class may get; by default it
            is shown and not judged, for a version that has learned something answers otherwise.
        alpha: The chance that a version no worse than the champion is ever stopped, over all
            measures, hardware types and looks together.
        confidence: How sure it must be that harm beyond the limit is excluded.
        needs: Measures in which it must be excluded before the next phase; the others must not be
            harmful. Accuracy is not waited for where labels never came.
        min_rows: Rows that the treated devices must have served before a phase is healthy.
        history_h: Hours before the phase whose reports say how each device did on its own before.
        patience_s: Seconds after which a phase that is neither healthy nor harmful need not wait.
        then: "go on" if no figure is beyond its limit then, or "stay" until it is healthy.
    """

    error_points: Points = 1.0
    latency_ratio: Ratio = 1.5
    slow_points: Points | None = None
    accuracy_points: Points = 2.0
    abstention_points: Points = 5.0
    memory_ratio: Ratio = 1.5
    restarts_a_day: Annotated[float, Meta(gt=0.0)] = 2.0
    drift_ratio: Ratio = 2.0
    estimate_points: Points | None = None
    answer_points: Points | None = None
    alpha: Annotated[float, Meta(gt=0.0, le=0.2)] = 0.01
    confidence: Annotated[float, Meta(ge=0.5, lt=1.0)] = 0.95
    needs: list[Needed] = msgspec.field(default_factory=lambda: ["errors", "latency", "accuracy"])
    min_rows: Annotated[int, Meta(ge=0)] = 200
    history_h: Hours = 24.0
    patience_s: Seconds = 300.0
    then: Literal["go on", "stay"] = "go on"
