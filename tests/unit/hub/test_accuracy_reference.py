"""What held-out labels say about accuracy goes with the model, by score, and says what to test."""

import msgspec
import numpy as np
import pytest

from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.validation import labelled
from fleetloop_hub.validation.accuracy import accuracy_reference
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.estimate.records import AccuracyReference, contradictions
from fleetloop_shared.manifest import Feature, Signature

_SPEC = """
[model]
name = "line"
task = "{task}"
[[sources]]
csv = "rows.csv"
[label]
column = "y"
[[features]]
name = "heat"
[gates]
metric = "{metric}"
floor = 0.7
[[candidates]]
name = "line"
family = "linear"
"""


def spec(metric: str, task: str = "classification") -> ModelSpec:
    """A spec with a floor of 0.7."""
    return parse(_SPEC.format(metric=metric, task=task))


def answers(rows: int = 2_000, *, says: float = 1.0, seed: int = 0) -> Answers:
    """Scores that are honest if they are raised to the power of `says`."""
    random = np.random.default_rng(seed)
    scores = random.random(rows)
    true = random.random(rows) < scores**says
    form = Signature(
        input_name="x",
        score_name="y",
        features=[Feature(name="heat")],
        classes=[0, 1],
        positive=1,
        decision_threshold=0.5,
    )
    outputs = np.stack([1 - scores, scores], axis=1).astype(np.float32)
    return Answers(true.astype(np.float64), outputs, form)


def values(rows: int = 2_000) -> Answers:
    """A regression whose distances from the truth have a standard deviation of 1."""
    random = np.random.default_rng(1)
    truth = random.normal(0.0, 2.0, rows)
    outputs = (truth + random.normal(0.0, 1.0, rows)).astype(np.float32)[:, None]
    form = Signature(
        input_name="x",
        score_name="y",
        features=[Feature(name="heat")],
        classes=[],
        positive=-1,
        decision_threshold=0.0,
        task="regression",
        score_low=-8.0,
        score_high=8.0,
    )
    return Answers(truth, outputs, form)


def made(of: Answers, metric: str, task: str = "classification") -> AccuracyReference:
    """The reference, which says nothing against itself."""
    found = accuracy_reference(of, spec(metric, task))
    assert found is not None
    assert not any(contradictions(found, of.signature.classes).values())
    return found


def test_honest_scores_are_taken_at_their_word() -> None:
    honest = answers()
    found = made(honest, "accuracy")
    centres = (np.arange(32) + 0.5) / 32
    assert np.abs(np.array(found.expected) - np.maximum(centres, 1 - centres)).max() < 0.04
    assert found.low < found.value < found.high
    assert found.value == honest.right.mean()


def test_scores_that_promise_too_much_are_not() -> None:
    found = made(answers(8_000, says=3.0), "accuracy")
    sure = np.searchsorted(np.arange(32) / 32, 0.75)  # 0.75 claims 3 in 4 and is right in 0.42
    assert found.expected[sure] == pytest.approx(0.45, abs=0.06)


def test_of_several_classes_the_answers_own_probability_is_what_it_claims() -> None:
    random = np.random.default_rng(7)
    outputs = random.dirichlet(np.full(3, 0.7), 5_000)
    true = np.array([random.choice(3, p=p) for p in outputs], np.float64)
    form = msgspec.structs.replace(answers(10).signature, classes=[0, 1, 2], positive=-1)
    found = made(Answers(true, outputs.astype(np.float32), form), "accuracy")
    assert found.counts[:10] == [0] * 10  # of three, the most probable has a third at least
    centres = (np.arange(12, 32) + 0.5) / 32
    assert np.abs(np.array(found.expected[12:]) - centres).max() < 0.05


def test_a_gate_on_accuracy_or_balanced_accuracy_is_what_labels_are_tested_against() -> None:
    plain, balanced = made(answers(), "accuracy"), made(answers(), "balanced_accuracy")
    assert plain.loss_bound == balanced.loss_bound == pytest.approx(0.3)
    assert plain.bound_from == balanced.bound_from == "gate"
    assert [plain.balanced, balanced.balanced] == [[], [0, 1]]


def test_any_other_gate_leaves_the_accuracy_of_the_held_out_rows_less_two_points() -> None:
    found = made(answers(), "roc_auc")
    assert found.bound_from == "held-out rows"
    assert found.loss_bound == pytest.approx(1 - found.low + 0.02)


def test_a_floor_of_r2_is_a_bound_of_squared_distances() -> None:
    found = made(values(), "r2", "regression")
    assert found.metric == "mae"
    assert found.value == pytest.approx(np.sqrt(2 / np.pi), abs=0.05)
    assert found.loss_bound == pytest.approx(0.3 * 4.0, rel=0.1)
    assert found.loss_cap == pytest.approx(9 * found.loss_bound)


def test_without_labels_there_is_nothing_to_say() -> None:
    none = answers().take(np.zeros(2_000, bool))
    assert accuracy_reference(none, spec("accuracy")) is None


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "mae"},
        {"counts": [1]},
        {"expected": [-0.5] + [0.0] * 31},
        {"rows": 3},
        {"loss_bound": 0.0},
        {"balanced": [2]},
    ],
)
def test_an_accuracy_that_contradicts_itself_is_seen(change: dict[str, object]) -> None:
    wrong = msgspec.structs.replace(made(answers(), "accuracy"), **change)
    assert any(contradictions(wrong, [0, 1]).values())


def test_of_many_labelled_rows_some_are_kept_evenly_over_time() -> None:
    many = answers(12_000)
    rows = np.arange(12_000, dtype=np.float32)[:, None]
    found = labelled.decode(labelled.encode(many, rows))
    assert len(found.values) == labelled.MOST_ROWS
    assert np.all(np.diff(found.values[:, 0]) <= 3)
    assert (found.answers.truth == many.truth[found.values[:, 0].astype(int)]).all()


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"\xff" * 50 + b"PAR1"])
def test_what_are_no_labelled_rows_is_told(data: bytes) -> None:
    with pytest.raises(DataError, match="train again"):
        labelled.decode(data)
