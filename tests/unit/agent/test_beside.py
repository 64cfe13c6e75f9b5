"""A challenger beside the champion: what it counts, what it may answer, and what it cannot harm."""

from typing import Any

import msgspec
import numpy as np
import pytest

from fleetloop_agent.errors import InputError, ModelError
from fleetloop_agent.http_config import HttpConfig
from fleetloop_agent.ports import Model, Rows
from fleetloop_agent.serving.beside import HANGS_S, MOST_FAILURES
from fleetloop_agent.serving.http11 import Head, Request
from fleetloop_agent.serving.pacing import SLOW_RUNS, Pacing
from fleetloop_agent.serving.routes import Routes
from fleetloop_agent.serving.shadow_queue import QUEUED_ROWS, ShadowQueue
from fleetloop_hub.monitoring.plausible_shadow import impossible
from fleetloop_shared.ids import bucket
from support import serving_rig as rig
from support.shadowed import beside, drain, terms


class Failing(Model):
    def outputs(self, rows: Rows) -> Rows:
        raise ModelError("told to fail")


def test_answers_are_the_champions_and_both_are_counted() -> None:
    champion = rig.predictor()
    seat = beside(champion)
    rows = rig.rows(40, seed=3)
    said = [champion.answer(rows[k : k + 1]) for k in range(20)] + [champion.answer(rows[20:])]
    assert {answered.manifest.version for answered in said} == {1}
    drain(seat)
    (counts,) = seat.take()
    theirs = rows[:, 0] - rows[:, 1] + 0.5 >= 0
    ours = rows[:, 0] - rows[:, 1] >= 0
    assert (counts.rows, counts.agreed) == (40, int((ours == theirs).sum()))
    assert counts.answers[0][1] == int((~ours & theirs).sum()) > 0
    assert counts.answers[1][0] == 0
    assert impossible(counts) is None
    assert seat.take() == [], "they add up: nothing is told twice"


def test_late_labels_say_who_was_right_once() -> None:
    champion = rig.predictor()
    seat = beside(champion)
    apart = np.array([[0.0, 0.25]], np.float32)  # -0.25: champion 0, challenger 1
    alike = np.array([[3.0, 0.0]], np.float32)
    ids = [champion.predict(row)[0].prediction_id for row in (apart, apart, alike, alike)]
    drain(seat)
    champion.feedback(list(zip(ids, [0, 1, 1, 0], strict=True)))
    champion.feedback([(ids[0], 0)])
    (counts,) = seat.take()
    assert msgspec.structs.astuple(counts.labelled) == (1, 1, 1, 1)


def test_a_share_of_the_rows_is_copied_and_a_full_queue_drops_and_counts() -> None:
    queue = ShadowQueue(0.25, 2, seed=1)
    row = rig.rows(1)
    for number in range(1_000):
        queue.put(row.tobytes(), number, 0.5, 1.0)
    assert 200 < len(queue) < 300
    queue.put_many(np.repeat(row, 10_000, axis=0), 1_000, (np.zeros(10_000), np.zeros(10_000)))
    assert len(queue) == QUEUED_ROWS
    assert queue.full > 0
    batch = queue.take(5)
    assert batch is not None
    assert batch.rows.tolist() == np.repeat(row, 5, axis=0).tolist()


def test_what_was_dropped_is_told() -> None:
    champion = rig.predictor()
    seat = beside(champion)
    champion.answer(rig.rows(QUEUED_ROWS + 7))
    (counts,) = seat.take()
    assert counts.skipped == {"full": 7}


def test_a_challenger_that_fails_is_given_up_and_the_champion_answers_on() -> None:
    champion = rig.predictor()
    seat = beside(champion, answer_share=1.0)
    place = seat.seated
    assert place is not None
    object.__setattr__(place.served, "model", Failing())  # it is frozen
    for _ in range(MOST_FAILURES):
        assert seat.fault is None
        assert champion.answer(rig.rows(1), key="k").manifest.version == 1
    assert "told to fail" in str(seat.fault) or "was to answer" in str(seat.fault)
    assert champion.health().errors == 0
    assert seat.take()[0].fell_back == MOST_FAILURES


def test_a_run_that_hangs_is_seen_from_another_thread() -> None:
    seat = beside(rig.predictor())
    seat._running_since = 1.0
    seat.look(HANGS_S)
    assert seat.fault is None
    seat.look(HANGS_S + 2)
    assert "does not end" in str(seat.fault)


def test_keys_of_a_share_are_answered_by_the_challenger_always_the_same() -> None:
    champion = rig.predictor()
    seat = beside(champion, answer_share=0.5)
    for key in map(str, range(40)):
        wanted = 2 if bucket(key, "s") < 5_000 else 1
        for given in (rig.rows(1), rig.rows(3), rig.named(rig.rows(2))):
            assert champion.answer(given, key=key).manifest.version == wanted
    assert champion.answer(rig.rows(1)).manifest.version == 1, "no key: the champion's"
    seat.collect()
    counts = seat.take()[0]
    assert counts.answered == 6 * sum(bucket(str(k), "s") < 5_000 for k in range(40))


def test_a_label_counts_for_the_version_that_has_answered() -> None:
    champion = rig.predictor()
    seat = beside(champion, answer_share=1.0)
    row = np.array([[0.0, 0.25]], np.float32)
    (theirs,) = champion.answer(row, key="k").each()
    (ours,) = champion.answer(row).each()
    assert (theirs.version, ours.version) == (2, 1)
    assert theirs.prediction_id != ours.prediction_id
    assert champion.feedback([(theirs.prediction_id, 1), (ours.prediction_id, 1)]) == 2
    seat.collect()
    (counts,) = seat.take()
    assert (counts.answered_labels, counts.answered_right) == (1, 1)
    seen = champion.collect().counters
    assert (seen.labels, seen.labels_correct) == (1, 0)


def test_a_challenger_of_other_features_is_not_seated() -> None:
    champion = rig.predictor()
    manifest, artifact = rig.model(2, 0.5)
    features = [*reversed(manifest.signature.features)]
    signature = msgspec.structs.replace(manifest.signature, features=features)
    other = msgspec.structs.replace(manifest, signature=signature)
    seat = beside(champion)
    with pytest.raises(InputError, match="other features"):
        seat.seat(other, artifact, terms())


def test_rows_that_were_answered_under_another_champion_are_not_compared() -> None:
    champion = rig.predictor()
    seat = beside(champion)
    champion.answer(rig.rows(3))
    champion.load(*rig.model(3, 1.0))
    drain(seat)
    (counts,) = seat.take()
    assert counts.rows == 0
    assert sum(counts.skipped.values()) == 3


def test_who_differs_is_told_for_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    champion = rig.predictor()
    told: list[list[int]] = []
    monkeypatch.setattr(champion, "disagreed", lambda _rows, ids, _said: told.append(ids.tolist()))
    seat = beside(champion)
    champion.answer(np.array([[3.0, 0.0], [0.0, 0.25]], np.float32))
    drain(seat)
    assert [number for numbers in told for number in numbers] == [2]


def test_a_run_stays_within_what_an_answer_may_wait_and_the_share_of_a_core() -> None:
    pacing, spent, rested = Pacing(10.0, 0.2), 0.0, 0.0
    for _ in range(200):
        took = 0.000_1 * pacing.rows
        assert took <= 0.010
        spent, rested = spent + took, rested + pacing.after(pacing.rows, took)
    assert pacing.rows == 50
    assert spent / (spent + rested) == pytest.approx(0.2)


def test_a_model_too_slow_for_the_bound_is_told_so() -> None:
    pacing = Pacing(1.0, 0.5)
    for _ in range(SLOW_RUNS):
        assert pacing.too_slow_ms is None
        pacing.after(1, 0.002)
    assert pacing.too_slow_ms == pytest.approx(2.0)


def test_who_leaves_leaves_the_counts_and_no_trace_on_the_champion() -> None:
    champion = rig.predictor()
    seat = beside(champion)
    champion.answer(rig.rows(5))
    drain(seat)
    seat.leave()
    assert champion.beside is None
    assert [counts.rows for counts in seat.take()] == [5]
    champion.answer(rig.rows(5))
    assert seat.step() > 0
    assert seat.take() == []


def test_a_key_comes_over_http_in_both_ways_of_asking_and_must_be_a_text() -> None:
    champion = rig.predictor()
    beside(champion, answer_share=1.0)
    routes = Routes(champion, dict, HttpConfig())
    row = dict(zip(rig.NAMES, (0.0, 0.25), strict=True))

    def ask(path: str, body: object) -> dict[str, Any]:
        head = Head(method="POST", path=path, headers={}, keep_alive=True, body_bytes=0)
        response = routes.answer(Request(head, msgspec.json.encode(body)))
        told: dict[str, Any] = msgspec.json.decode(response.body)
        return told

    assert ask("/predict", {"rows": [row], "key": "k"})["answers"][0]["version"] == 2
    assert ask("/predict", {"rows": [row]})["answers"][0]["version"] == 1
    assert "give a text" in str(ask("/predict", {"rows": [row], "key": 7}))
    name = champion.answer(rig.rows(1)).manifest.signature.input_name
    tensor = {"name": name, "datatype": "FP32", "shape": [1, 2], "data": [0.0, 0.25]}
    for parameters, version in (({"key": "k"}, "2"), ({}, "1")):
        asked = {"inputs": [tensor], "parameters": parameters}
        assert ask("/v2/models/storm/infer", asked)["model_version"] == version
