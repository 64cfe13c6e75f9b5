"""Which candidate is taken, and why, in words.

The best score within the budget sets the mark. Whatever is within `training.as_good_errors`
standard errors of it on the same validation rows is as good as far as these rows can tell (with 1,
the rule of Breiman et al., 1984; the error is the paired block bootstrap's); of those the smallest
file wins.
"""

from dataclasses import dataclass

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.run_parts import Candidate
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.training_tables import BudgetTable
from fleetloop_hub.validation.bootstrap import paired_interval
from fleetloop_hub.validation.metrics import Answers

_ERRORS_IN_95 = 2 * 1.96
_AS_FAST = 1.2
_NO_TIME_MS = 0.005


@dataclass(frozen=True)
class Entrant:
    """What a pick looks at.

    Attributes:
        record: Score, bytes, milliseconds, fairness.
        answers: What the quantized artifact says about the validation rows.
    """

    record: Candidate
    answers: Answers


@dataclass(frozen=True)
class Pick:
    """What was taken.

    Attributes:
        name: The candidate.
        text: Why, in words.
        notes: By every candidate's name, why it was, or was not, taken.
    """

    name: str
    text: str
    notes: dict[str, str]


def pick(ranking: list[Entrant], spec: ModelSpec) -> Pick:
    """Choose among candidates, best score first.

    Where the choice misses a fairness limit on the validation rows and another one misses none, it
    is taken instead, whatever it loses.

    Raises:
        TrainingError: None of them fits the device's budget.
    """
    over = {e.record.name: text for e in ranking if (text := excess(e.record, spec.budget))}
    fitting = [e for e in ranking if e.record.name not in over]
    if not fitting:
        found = "; ".join(f"{name}: {text}" for name, text in over.items())
        raise TrainingError(
            f"no candidate fits the budget: {found}; name smaller candidates or raise [budget]"
        )
    winner, text, tied = _smallest_of_the_best(fitting, spec)
    fair = [e for e in fitting if not e.record.fairness]
    if winner.record.fairness:
        unfair = f"{winner.record.name} ({text}) misses {winner.record.fairness}"
        if fair:
            winner, text, tied = _smallest_of_the_best(fair, spec)
            text = f"{unfair}, so among those that miss no fairness limit: {text}"
        else:
            text = f"{text}; like every candidate, it misses {winner.record.fairness}"
    notes = {name: f"over the budget: {text}" for name, text in over.items()}
    for entrant in fitting:
        notes[entrant.record.name] = _note(entrant, winner, text, tied, spec)
    return Pick(winner.record.name, text, notes)


def dominated(records: list[Candidate]) -> set[str]:
    """Names of those that another one equals or beats by score, bytes and milliseconds alike.

    What misses a limit of fairness beats nothing that misses none.

    Times that differ by less than a fifth, or 5 µs, are taken for equal: they are measured.
    """
    return {r.name for r in records if any(_beats(other, r) for other in records)}


def excess(record: Candidate, budget: BudgetTable) -> str:
    """By what a candidate is over the budget, in words; "" if it fits."""
    if record.artifact_bytes > budget.artifact_bytes:
        return f"{record.artifact_bytes:,} of {budget.artifact_bytes:,} bytes"
    if record.latency_ms > budget.latency_ms:
        return f"{record.latency_ms:.3f} of {budget.latency_ms:g} ms"
    return ""


def _smallest_of_the_best(
    ranking: list[Entrant], spec: ModelSpec
) -> tuple[Entrant, str, dict[str, float]]:
    """The pick, why, and the standard error of each one's distance from the best score."""
    best, metric = ranking[0], spec.gates.metric
    errors: dict[str, float] = {}
    tied = [best]
    for other in ranking[1:]:
        low, high = paired_interval(metric, best.answers, other.answers, spec.model.seed)
        errors[other.record.name] = (high - low) / _ERRORS_IN_95
        gap = best.record.quantized_score - other.record.quantized_score
        if gap <= spec.training.as_good_errors * errors[other.record.name]:
            tied.append(other)
    if not spec.training.as_good_errors:
        tied = [best]
    winner = min(tied, key=lambda e: (e.record.artifact_bytes, -e.record.quantized_score))
    said = f"{metric} {winner.record.quantized_score:.3f} on the validation rows"
    if winner is best and len(tied) == 1:
        return winner, f"the best {metric} within the budget: {said}", errors
    if winner is best:
        return winner, f"the best and the smallest of those as good: {said}", errors
    gap = best.record.quantized_score - winner.record.quantized_score
    text = (
        f"the smallest of {len(tied)} that these rows cannot tell apart: {said}, {gap:.3f} behind "
        f"{best.record.name}, where the standard error is "
        f"{errors[winner.record.name]:.3f}, with {winner.record.artifact_bytes:,} instead of "
        f"{best.record.artifact_bytes:,} bytes"
    )
    return winner, text, errors


def _note(
    entrant: Entrant, winner: Entrant, text: str, errors: dict[str, float], spec: ModelSpec
) -> str:
    record, metric = entrant.record, spec.gates.metric
    if record.name == winner.record.name:
        return f"taken: {text}"
    unfair = f"misses {record.fairness}; " if record.fairness else ""
    behind = winner.record.quantized_score - record.quantized_score
    where = "behind" if behind >= 0 else "ahead of"
    error = errors.get(record.name)
    noise = "" if error is None else f" (standard error against the best {error:.3f})"
    size = record.artifact_bytes - winner.record.artifact_bytes
    larger = f", {abs(size):,} bytes {'larger' if size > 0 else 'smaller'}" if size else ""
    return f"{unfair}{metric} {abs(behind):.3f} {where} {winner.record.name}{noise}{larger}"


def _beats(one: Candidate, other: Candidate) -> bool:
    if one.fairness and not other.fairness:
        return False
    gains = (
        one.quantized_score - other.quantized_score,
        float(other.artifact_bytes - one.artifact_bytes),
        float(other.wire_bytes - one.wire_bytes),
        _faster(one.latency_ms, other.latency_ms),
    )
    return min(gains) >= 0 and max(gains) > 0


def _faster(one: float, other: float) -> float:
    if abs(one - other) <= _NO_TIME_MS or max(one, other) <= _AS_FAST * min(one, other):
        return 0.0
    return other - one
