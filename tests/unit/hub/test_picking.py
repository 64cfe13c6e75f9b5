"""Which candidate is taken: the best, the smallest of those as good, and never over the budget."""

import numpy as np
import pytest
from msgspec import structs

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.run_parts import Candidate
from fleetloop_hub.spec.training_tables import TrainingTable
from fleetloop_hub.training.picking import Entrant, dominated, pick
from fleetloop_hub.validation.metrics import Answers, measure
from fleetloop_shared.manifest import Signature
from support.families import spec_for

SPEC = spec_for("two classes", "accuracy")
FORM = Signature(
    input_name="x", score_name="y", features=[], classes=[0, 1], positive=1, decision_threshold=0.5
)
TRUTH = (np.arange(400) % 2).astype(np.float64)


def record(name: str, score: float = 0.9, size: int = 1_000, ms: float = 0.1) -> Candidate:
    return Candidate(
        name=name,
        parameters={},
        score=score,
        quantized_score=score,
        float_bytes=2 * size,
        artifact_bytes=size,
        wire_bytes=size,
        latency_ms=ms,
        recipe="int8",
    )


def entrant(name: str, wrong: int, size: int, *, fairness: str = "") -> Entrant:
    """A candidate that is wrong about so many rows, here and there."""
    said = TRUTH.copy()
    rows = np.random.default_rng(len(name)).permutation(400)[:wrong]
    said[rows] = 1 - said[rows]
    answers = Answers(TRUTH, np.column_stack([1 - said, said]).astype(np.float32), FORM)
    made = record(name, measure("accuracy", answers), size)
    return Entrant(structs.replace(made, fairness=fairness), answers)


def test_clearly_best_candidate_wins_whatever_its_size() -> None:
    picked = pick([entrant("big", 10, 90_000), entrant("small", 100, 1_000)], SPEC)
    assert picked.name == "big"
    assert picked.text.startswith("the best accuracy within the budget: accuracy 0.975")
    assert "behind big" in picked.notes["small"]


def test_smallest_of_those_that_rows_cannot_tell_apart_wins() -> None:
    ranking = [entrant("big", 40, 90_000), entrant("medium", 41, 5_000), entrant("small", 42, 900)]
    picked = pick([*ranking, entrant("awful", 150, 10)], SPEC)
    assert picked.name == "small"
    assert "the smallest of 3 that these rows cannot tell apart" in picked.text
    assert "0.005 behind big" in picked.text
    assert "900 instead of 90,000 bytes" in picked.text
    strict = structs.replace(SPEC, training=TrainingTable(as_good_errors=0.0))
    assert pick(ranking, strict).name == "big"


def test_candidate_over_the_budget_is_never_taken() -> None:
    ranking = [entrant("huge", 1, 2_000_000), entrant("small", 100, 1_000)]
    picked = pick(ranking, SPEC)
    assert picked.name == "small"
    assert picked.notes["huge"] == "over the budget: 2,000,000 of 1,000,000 bytes"
    with pytest.raises(TrainingError, match="no candidate fits the budget: huge: 2,000,000"):
        pick(ranking[:1], SPEC)


def test_fair_candidate_is_taken_only_where_the_winner_is_not() -> None:
    gap = "true_positive_gap .7 of .1"
    unfair = entrant("plain", 10, 1_000, fairness=gap)
    fair = entrant("plain-fair", 60, 1_100)
    picked = pick([unfair, fair], SPEC)
    assert picked.name == "plain-fair"
    assert f"misses {gap}, so among those that miss no fairness limit" in picked.text
    assert picked.notes["plain"].startswith(f"misses {gap}; accuracy 0.125 ahead of plain-fair")

    good = entrant("plain", 10, 1_000)
    assert pick([good, fair], SPEC).name == "plain"
    hopeless = entrant("other-fair", 70, 900, fairness=gap)
    none = pick([unfair, hopeless], SPEC)
    assert none.name == "plain"
    assert f"like every candidate, it misses {gap}" in none.text


def test_dominated_are_those_that_lose_by_something_and_win_by_nothing() -> None:
    best = record("best", 0.9, 1_000, 0.1)
    tiny = record("tiny", 0.8, 100, 0.1)
    worse = record("worse", 0.85, 1_000, 0.1)
    noise = record("noise", 0.9, 1_000, 0.103)
    slow = record("slow", 0.9, 1_000, 0.2)
    assert dominated([best, tiny, worse, noise, slow]) == {"worse", "slow"}
    assert dominated([structs.replace(best, fairness="a gap"), worse]) == set()
