"""Answers, refusals, labels, samples and windows of the loaded model."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_agent.errors import InputError, ModelError, NoModelError
from fleetloop_agent.ports import Health, Model, Rows, Runtime
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving import predictor as module
from fleetloop_agent.serving import sampling
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.recent import RecentAnswers
from fleetloop_agent.serving.records import Counters
from fleetloop_firmware_sim.scenarios import tiny_onnx
from fleetloop_shared.latency import bin_of
from fleetloop_shared.manifest import Manifest, Signature
from support import kinds
from support.agent_board import ConstantRuntime, StandingClock
from support.sampled import sample_all
from support.serving_rig import DEVICE, NAMES, WINDOW_ROWS, model, named, predictor, rows
from support.watching import closed


class TellingModel(Model):
    def outputs(self, rows: Rows) -> Rows:
        return np.column_stack([rows, 1 - rows.sum(axis=1)]).astype(np.float32)


class TellingRuntime(Runtime):
    """A row holds the probabilities of all classes but the last."""

    def load(self, artifact: bytes, signature: Signature) -> Model:
        return TellingModel()


def with_signature(**change: object) -> tuple[Manifest, bytes]:
    manifest, artifact = model()
    signature = msgspec.structs.replace(manifest.signature, **change)
    return msgspec.structs.replace(manifest, signature=signature), artifact


def test_before_any_model_nothing_is_answered() -> None:
    empty = predictor(loaded=False)
    with pytest.raises(NoModelError, match="first rollout"):
        empty.predict(named(rows(1)))
    assert empty.manifest is None
    assert empty.health() == Health(rows=0, errors=0)


def test_an_answer_names_itself_and_who_gave_it() -> None:
    manifest, _ = model()
    first, second = predictor().predict([{"wind": 3.0, "rain": 1.0}, {"wind": 1.0, "rain": 3.0}])
    assert (first.prediction_id, second.prediction_id) == (f"{DEVICE}.3.1", f"{DEVICE}.3.2")
    assert (first.label, second.label) == (1, 0)
    assert first.score == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-6)
    assert (first.model, first.version, first.artifact) == ("storm", 1, manifest.sha256)


def test_mappings_and_arrays_are_answered_alike() -> None:
    values = rows(20)
    one, other = predictor(), predictor()
    assert one.predict(named(values)) == other.predict(values)


@pytest.mark.parametrize(("threshold", "label"), [(0.5, 7), (0.500001, 3)])
def test_the_positive_class_needs_a_score_that_reaches_the_threshold(
    threshold: float, label: int
) -> None:
    made = predictor(loaded=False)
    made.load(*with_signature(classes=[3, 7], decision_threshold=threshold))
    (answer,) = made.predict([{"wind": 0.0, "rain": 0.0}])
    assert answer.label == label


def test_of_several_classes_the_most_probable_other_one_is_the_answer() -> None:
    made = predictor(TellingRuntime(), loaded=False)
    made.load(*with_signature(classes=[4, 5, 6], positive=0, decision_threshold=0.9))
    answers = made.predict(np.array([[0.95, 0.05], [0.6, 0.3], [0.6, 0.1]], np.float32))
    assert [a.label for a in answers] == [4, 5, 6]
    assert [a.score for a in answers] == pytest.approx([0.95, 0.6, 0.6])


def test_a_refused_row_refuses_all_and_is_counted() -> None:
    made = predictor()
    with pytest.raises(InputError, match="row 1: 'rain' is of type str"):
        made.predict([{"wind": 1.0, "rain": 1.0}, {"wind": 1.0, "rain": "wet"}])
    collected = made.collect()
    assert collected.counters == Counters(refused=2)
    assert made.health() == Health(rows=0, errors=0)
    assert made.predict(named(rows(1)))[0].prediction_id == f"{DEVICE}.3.1"


def test_a_value_out_of_range_is_an_abstention_and_answers_are_counted_by_class() -> None:
    made = predictor(loaded=False)
    wind, *others = model()[0].signature.features
    wind = msgspec.structs.replace(wind, high=60.0, out_of_range="refuse")
    made.load(*with_signature(features=[wind, *others]))
    made.predict([{"wind": 3.0, "rain": 1.0}, {"wind": 1.0, "rain": 3.0}])
    made.predict([{"wind": 4.0, "rain": 1.0}])
    with pytest.raises(InputError, match="alone are answered"):
        made.predict([{"wind": 61.0, "rain": 1.0}])
    with pytest.raises(InputError, match="is of type str"):
        made.predict([{"wind": "x", "rain": 1.0}])
    counters = made.collect().counters
    assert (counters.refused, counters.abstained) == (2, 1)
    assert counters.answer_counts == (1, 2)
    assert made.collect().counters.answer_counts == ()


def test_a_model_that_fails_is_an_error_and_nothing_is_answered() -> None:
    made = predictor(loaded=False)
    manifest, _ = model()
    made.load(manifest, tiny_onnx.brittle([1.0, 1.0], 0.0, 9))
    with pytest.raises(ModelError, match="the model failed"):
        made.predict(np.array([[0, 0], [10, 0]], np.float32))
    assert made.health() == Health(rows=0, errors=2)
    assert made.collect().counters == Counters(errors=2)


def test_an_answer_that_is_no_number_is_the_models_error() -> None:
    made = predictor()
    with pytest.raises(ModelError, match="storm 1 gave no number for row 1"):
        made.predict([{"wind": 1.0, "rain": 1.0}, {"wind": None, "rain": 1.0}])
    assert made.health().errors == 2


def test_no_answer_to_an_infinite_value_is_the_rows_fault_not_the_models() -> None:
    made = predictor()
    with pytest.raises(InputError, match="row 1: 'wind' is infinite"):
        made.predict(np.array([[0, 0], [np.inf, np.inf]], np.float32))
    assert made.health().errors == 0


def test_missing_and_out_of_range_values_are_answered_and_counted() -> None:
    made = predictor(ConstantRuntime())
    for _ in range(WINDOW_ROWS // 2):
        made.predict([{"wind": None, "rain": 1.0}, {"wind": 5.5, "rain": float("nan")}])
    (window,) = closed(made)
    assert window.profile is not None
    assert window.profile.missing == [WINDOW_ROWS // 2] * 2
    assert window.profile.high == [5.5, 1.0]
    assert window.profile.out_of_range == [WINDOW_ROWS // 2, 0]


def test_windows_are_full_judged_and_numbered() -> None:
    made = predictor()
    made.predict(rows(2 * WINDOW_ROWS + 7, seed=5))
    for row in named(rows(WINDOW_ROWS - 7, seed=6) + np.float32(3)):
        made.predict([row])
    windows = made.collect().windows
    assert all(w.manifest is made.manifest for w in windows)
    over = [w.judged for w in windows if w.judged.closed]
    assert [w.first_row for w in over] == [1, 1 + WINDOW_ROWS, 1 + 2 * WINDOW_ROWS]
    assert [w.alarm for w in over] == [False, False, True]
    assert all(w.profile is not None and w.profile.rows == WINDOW_ROWS for w in over)
    assert made.collect().windows == []


def test_a_load_begins_windows_and_health_anew_and_loses_no_full_window() -> None:
    made = predictor()
    made.predict(rows(WINDOW_ROWS + 10))
    made.load(*model(version=2))
    assert made.health() == Health(rows=0, errors=0)
    made.predict(rows(WINDOW_ROWS))
    assert [(w.manifest.version, w.judged.first_row) for w in made.collect().windows] == [
        (1, 1),
        (2, 1),
    ]
    assert made.health().rows == WINDOW_ROWS


def test_a_model_that_does_not_load_leaves_the_other_serving() -> None:
    made = predictor()
    made.predict(rows(3))
    with pytest.raises(ModelError, match="does not load"):
        made.load(model(version=2)[0], b"garbage")
    assert made.manifest is not None
    assert made.manifest.version == 1
    assert made.health().rows == 3


def test_a_model_with_one_class_has_nothing_to_answer() -> None:
    with pytest.raises(ModelError, match="one class"):
        predictor(loaded=False).load(*with_signature(classes=[1], positive=0))


def test_after_unload_nothing_is_served() -> None:
    made = predictor()
    made.unload()
    made.unload()
    assert made.manifest is None
    with pytest.raises(NoModelError):
        made.predict(rows(1))


def test_labels_join_with_answers_once_and_are_passed_on() -> None:
    made = predictor()
    right, wrong, _ = made.predict(np.array([[2, 0], [2, 0], [2, 0]], np.float32))
    labels = [(right.prediction_id, 1), (wrong.prediction_id, 0)]
    assert made.feedback(labels) == 2
    assert (
        made.feedback([(right.prediction_id, 1), (f"{DEVICE}.2.9", 1), (f"{DEVICE}.9.1", 0)]) == 0
    )
    collected = made.collect()
    assert (collected.counters.labels, collected.counters.labels_correct) == (2, 1)
    assert [(x.prediction_id, x.label) for x in collected.labels][:2] == labels
    assert len(collected.labels) == 5
    assert made.collect().labels == []


@pytest.mark.parametrize("tail", ["0", "3", "9" * 150])
def test_an_id_that_was_never_given_joins_nothing(tail: str) -> None:
    made = predictor()
    made.predict(rows(2))
    assert made.feedback([(f"{DEVICE}.3.{tail}", 1)]) == 0


def test_labels_that_came_before_a_load_do_not_count_for_the_loaded_model() -> None:
    made = predictor()
    (answer,) = made.predict(rows(1))
    made.feedback([(answer.prediction_id, answer.label)])
    made.load(*model(version=2))
    assert made.collect().counters.labels == 0


class Interrupted(StandingClock):
    """Loads another model whenever a call looks at the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.interrupt: Callable[[], None] | None = None

    def monotonic(self) -> float:
        if self.interrupt is not None:
            self.interrupt()
        return super().monotonic()


def test_a_call_keeps_the_model_it_began_with() -> None:
    clock = Interrupted()
    made = Predictor(DEVICE, 3, OrtRuntime(), clock)
    made.load(*model())
    clock.interrupt = lambda: made.load(*model(version=2, bias=40.0))
    answers = made.predict(np.array([[0, 9]], np.float32))
    assert [(a.version, a.label) for a in answers] == [(1, 0)]
    assert made.health() == Health(rows=0, errors=0)


def test_labels_for_an_earlier_model_do_not_count_for_the_loaded_one() -> None:
    made = predictor()
    (answer,) = made.predict(np.array([[2, 0]], np.float32))
    made.load(*model(version=2))
    assert made.feedback([(answer.prediction_id, 1)]) == 1
    collected = made.collect()
    assert collected.counters.labels == 0
    assert len(collected.labels) == 1


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        ((f"{DEVICE}.1.2", True), "label 1: True is no class"),
        ((f"{DEVICE}.1.2", "yes"), "label 1: 'yes' is no class; there are 0, 1"),
        ((f"{DEVICE}.1.2", 7), "label 1: 7 is no class; there are 0, 1"),
        ((f"{DEVICE}.1.2", float("nan")), "label 1"),
        (("", 1), "label 1: the prediction id"),
        (("x" * 201, 1), "label 1: the prediction id"),
        ((7, 1), "label 1: the prediction id"),
        (("garbage", 1), f"label 1: 'garbage' is no prediction id of {DEVICE}"),
        (("other-9.1.2", 1), f"'other-9.1.2' is no prediction id of {DEVICE}: those look like"),
        ((f"{DEVICE}.1.x", 1), "is no prediction id"),
        ((f"{DEVICE}.1.2",), "label 1: give a pair of prediction id and label"),
    ],
)
def test_a_label_that_is_none_refuses_all_and_they_are_counted(
    pair: tuple[str, int], text: str
) -> None:
    made = predictor()
    with pytest.raises(InputError, match=text):
        made.feedback([(f"{DEVICE}.1.1", 1), pair])
    collected = made.collect()
    assert collected.labels == []
    assert collected.counters.refused == 2


def test_without_a_model_numbers_are_passed_on_and_names_are_refused() -> None:
    made = predictor(loaded=False)
    assert made.feedback([(f"{DEVICE}.1.1", 3), (f"{DEVICE}.1.2", 0.5)]) == 0
    assert [x.label for x in made.collect().labels] == [3, 0.5]
    with pytest.raises(InputError, match="label 0: 'rain' is no label; give a finite number"):
        made.feedback([(f"{DEVICE}.1.1", "rain")])


def test_a_model_that_comes_after_a_regression_has_right_answers_again() -> None:
    made = kinds.predictor("regression")
    (value,) = made.predict(kinds.rows(1))
    made.feedback([(value.prediction_id, 1.5)])
    made.collect()
    (value,) = made.predict(kinds.rows(1))
    made.feedback([(value.prediction_id, 1.5)])
    made.load(*model())
    (answer,) = made.predict(rows(1))
    made.feedback([(answer.prediction_id, answer.label)])
    counters = made.collect().counters
    assert (counters.labels, counters.labels_correct) == (1, 1)


def test_a_number_too_large_for_an_output_is_the_models_error() -> None:
    made = kinds.predictor("regression")
    with pytest.raises(ModelError, match="kind 1 gave no number for row 1"):
        made.predict([{"heat": h, "colour": "red", "size": 1} for h in (1.0, 3e38)])
    assert made.health().errors == 2


def test_samples_are_the_share_that_was_asked_for_the_same_ones_each_time() -> None:
    made, again = predictor(), predictor()
    made.predict(rows(10))
    assert made.collect().samples == []
    for p in (made, again):
        sample_all(p, 0.3)
    made.predict(rows(990))
    for row in named(rows(1_000)):
        again.predict([row])
    kept = [s.prediction_id for s in made.collect().samples]
    assert kept == [s.prediction_id for s in again.collect().samples if s.prediction_id in kept]
    assert 230 < len(kept) < 370


def test_a_sample_holds_what_was_answered() -> None:
    made = predictor(ConstantRuntime())
    sample_all(made)
    (answer,) = made.predict([{"wind": None, "rain": 1.5}])
    (sample,) = made.collect().samples
    assert sample.values == [None, 1.5]
    assert (sample.prediction_id, sample.label, sample.score, sample.version) == (
        answer.prediction_id,
        answer.label,
        answer.score,
        1,
    )
    assert sample.at == StandingClock().now()


def test_what_nobody_collects_is_bounded_and_the_loss_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "SAMPLES_HELD", 10)
    monkeypatch.setattr(module, "LABELS_HELD", 3)
    monkeypatch.setattr(module, "BLOCKS_HELD", 1)
    made = predictor()
    sample_all(made)
    made.predict(rows(2 * WINDOW_ROWS))
    made.feedback([(f"{DEVICE}.1.{k}", 1) for k in range(4)])
    collected = made.collect()
    assert [s.prediction_id for s in collected.samples][-1] == f"{DEVICE}.3.{2 * WINDOW_ROWS}"
    assert (len(collected.samples), len(collected.labels), len(collected.windows)) == (10, 3, 1)
    assert collected.windows[0].judged.first_row == 1 + WINDOW_ROWS
    assert collected.counters.dropped == 2 * WINDOW_ROWS - 10 + 1 + 1
    assert made.collect().counters.dropped == 0


def test_counters_begin_again_and_so_do_the_times_of_runs() -> None:
    class SlowModel(Model):
        def outputs(self, rows: Rows) -> Rows:
            clock.at += 0.004
            return np.full((len(rows), 2), 0.5, np.float32)

    class SlowRuntime(Runtime):
        def load(self, artifact: bytes, signature: Signature) -> Model:
            return SlowModel()

    clock = StandingClock()
    made = Predictor(DEVICE, 1, SlowRuntime(), clock)
    made.load(*model())
    assert made.collect().counters == Counters()
    made.predict(rows(3))
    counters = made.collect().counters
    assert counters.rows == 3
    assert counters.latency_counts[bin_of(4_000_000)] == sum(counters.latency_counts) == 1
    assert made.collect().counters == Counters()


def test_recent_answers_forget_the_oldest() -> None:
    recent = RecentAnswers(capacity=4)
    for number in range(1, 7):
        recent.note(number, label=number % 2, load=1)
    assert recent.take(2) is None
    assert recent.take(3) == (1, 1)
    assert recent.take(3) is None
    assert recent.take(6) == (0, 1)
    assert recent.take(99) is None


@given(st.lists(st.integers(1, 11), max_size=12))
def test_answers_of_one_call_are_remembered_as_one_by_one(calls: list[int]) -> None:
    one_by_one, together, first = RecentAnswers(capacity=4), RecentAnswers(capacity=4), 1
    for load, many in enumerate(calls):
        labels = np.arange(first, first + many) / 8
        together.note_many(first, labels, load)
        for number, label in enumerate(labels.tolist(), first):
            one_by_one.note(number, label, load)
        first += many
    for number in range(first + 2):
        assert together.take(number) == one_by_one.take(number)


def test_recent_answers_are_remembered_to_the_last_digit() -> None:
    recent = RecentAnswers(capacity=4)
    for number, label in enumerate((2**31 - 1, 0.1, -1e300), start=1):
        recent.note(number, label, load=1)
        assert recent.take(number) == (label, 1)


def test_the_names_are_those_of_the_signature() -> None:
    manifest = predictor().manifest
    assert manifest is not None
    assert [f.name for f in manifest.signature.features] == NAMES


def test_what_was_answered_last_is_told_of_one_loading_only() -> None:
    recent = RecentAnswers(capacity=4)
    for number, load in ((1, 1), (2, 1), (3, 2), (4, 1), (5, 2)):
        recent.note(number, float(number), load)
    assert recent.last(5, 2).tolist() == [3.0, 5.0]
    assert recent.last(1, 1).tolist() == []
    recent.note_many(6, np.array([6.0, 7.0]), 2)
    assert recent.last(3, 2).tolist() == [5.0, 6.0, 7.0]
