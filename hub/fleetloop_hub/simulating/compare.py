"""Compares policies on the same rows, and says which is best and at what price."""

import math
from collections.abc import Callable

import numpy as np

from fleetloop_hub.simulating.history import History
from fleetloop_hub.simulating.outcome import Asked, Result, Simulation, Span
from fleetloop_hub.simulating.plan import Plan
from fleetloop_hub.simulating.policies import Policy, table
from fleetloop_hub.simulating.replay import Played, Replay, step_rows
from fleetloop_hub.simulating.school import School
from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.validation.bootstrap import interval, paired_interval
from fleetloop_hub.validation.metrics import measure

_SPANS = 24
_NOTES = (
    "A version that passes its gates serves the next rows at once: there is no rollout.",
    "Nothing is rolled back, estimated without labels, or asked of a person.",
    "Rows are dealt to devices in turn, so that no device is odd.",
)
_WEIGHTED = 'Rows count alike: window = "weighted" is replayed as "all".'

Tell = Callable[[float, str], object]


def simulate(
    history: History, plan: Plan, data: str, policies: list[Policy], tell: Tell
) -> Simulation:
    """Replay a history under each policy.

    Args:
        history: The rows.
        plan: How they are replayed.
        data: What the rows come from.
        policies: At least one.
        tell: Called with the share that is done, and what is being done.

    Raises:
        TrainingError: No first version can be trained.
    """
    tell(0.0, "training the first version")
    school = School(history.spec, history.frame)
    played: dict[Policy, Played] = {}
    for number, policy in enumerate(policies):
        replay = Replay(history, school, table(policy, history.spec.retrain, history.every_s))
        played[policy] = replay.play(_part(tell, number, len(policies), policy))
    results = _results(played, history)
    best = max(results, key=lambda r: _or_least(r.value))
    level = [r for r in results if r.behind_low <= 0.0 or r is best]
    cheapest = min(level, key=lambda r: (r.retrainings, r.labels_used, -_or_least(r.value)))
    spec = history.spec
    return Simulation(
        model=spec.model.name,
        data=data,
        metric=spec.gates.metric,
        first_rows=history.start,
        replayed_rows=len(history.frame) - history.start,
        devices=history.devices,
        look_rows=step_rows(history),
        every_s=history.every_s,
        label_delay_s=plan.label_delay_s,
        seed=spec.model.seed,
        results=results,
        best=best.policy,
        cheapest=cheapest.policy,
        text=_words(results, best, level, spec.gates.metric),
        notes=[*_NOTES, *([_WEIGHTED] if spec.retrain.window == "weighted" else [])],
    )


def _part(tell: Tell, number: int, many: int, policy: Policy) -> Callable[[float], object]:
    return lambda share: tell((number + share) / many, f"replaying {policy}")


def _results(played: dict[Policy, Played], history: History) -> list[Result]:
    metric, seed = history.spec.gates.metric, history.spec.model.seed
    values = {policy: measure(metric, one.answers) for policy, one in played.items()}
    best = played[max(values, key=lambda policy: _or_least(values[policy]))].answers
    results = []
    for policy, one in played.items():
        low, high = interval(metric, one.answers, seed)
        behind_low, behind_high = paired_interval(metric, best, one.answers, seed)
        spans = _spans(one, history, metric)
        known = [span for span in spans if span.value is not None]
        worst = min(known, key=lambda span: span.value or 0.0, default=None)
        results.append(
            Result(
                policy=str(policy),
                value=values[policy],
                low=low,
                high=high,
                worst=None if worst is None else worst.value,
                worst_at=None if worst is None else worst.at,
                retrainings=len(one.retrainings),
                in_vain=sum(not r.taken for r in one.retrainings),
                labels_used=one.labels_used,
                behind=measure(metric, best) - values[policy],
                behind_low=behind_low,
                behind_high=behind_high,
                spans=spans,
                asked=_asked(one, history),
            )
        )
    return results


def _spans(one: Played, history: History, metric: Metric) -> list[Span]:
    found = []
    at = history.frame.at[history.start :]
    for rows in np.array_split(np.arange(len(at)), _SPANS):
        value = measure(metric, one.answers.take(rows))
        known = value if math.isfinite(value) else None
        found.append(Span(at=float(at[rows[-1]]), rows=len(rows), value=known))
    return found


def _asked(one: Played, history: History) -> list[Asked]:
    return [
        Asked(
            at=r.at,
            row=r.row - history.start,
            trigger=r.trigger,
            reason=r.reason,
            taken=r.taken,
            text=r.text,
        )
        for r in one.retrainings
    ]


def _words(results: list[Result], best: Result, level: list[Result], metric: str) -> str:
    said = (
        f"{best.policy} is best: {metric} {best.value:.3f} ({best.low:.3f} to {best.high:.3f}) "
        f"for {_price(best)}."
    )
    if len(results) == 1:
        return said
    others = [
        f"{r.policy} ({max(r.behind, 0.0):.3f} behind, {r.behind_low:+.3f} to {r.behind_high:+.3f},"
        f" for {_price(r)})"
        for r in level
        if r is not best
    ]
    if not others:
        return f"{said} Every other is behind it for certain."
    return f"{said} Not to be told apart from it: {', '.join(others)}."


def _price(result: Result) -> str:
    many = "retraining" if result.retrainings == 1 else "retrainings"
    return f"{result.retrainings} {many} and {result.labels_used:,} labels"


def _or_least(value: float) -> float:
    return value if math.isfinite(value) else -math.inf
