"""Every kind of model, made by the hub's hands: the device answers, proves and watches it alike."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.update.examine import examine
from fleetloop_agent.update.states import State
from fleetloop_firmware_sim.flash import Flash
from fleetloop_hub.monitoring.ingest import Ingest
from fleetloop_shared.answers import Rule
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.drift.bins import Bins, count_scores
from fleetloop_shared.manifest import OTHER, Manifest
from fleetloop_shared.manifest_check import check
from fleetloop_shared.reports import EventKind, HealthReport
from support import kinds
from support.agent_board import Bench, SmallHost, StandingClock, ToldSelfTest
from support.http_client import RawClient
from support.hubparts import parts
from support.hubside import Hubside
from support.local_api import local_api
from support.sampled import sample_all
from support.update_rig import Rig
from support.watching import closed

kind = pytest.mark.parametrize("kind", kinds.KINDS)


@kind
def test_hub_and_device_read_the_same_scores_and_answers(kind: str) -> None:
    values = kinds.odd_rows(200, seed=4)
    manifest, _ = kinds.model(kind)
    scores, answers = Rule(manifest.signature).answer(kinds.artifact(kind).outputs(values))
    served = kinds.predictor(kind)
    given = [answer for row in values for answer in served.predict(row[None])]
    assert [a.score for a in given] == scores.tolist()
    assert [a.label for a in given] == answers.tolist()
    at_once = kinds.predictor(kind).predict(values)
    assert [a.score for a in at_once] == pytest.approx(scores.tolist(), rel=1e-5)


@kind
def test_rows_as_text_and_as_numbers_are_answered_alike(kind: str) -> None:
    values = kinds.odd_rows(kinds.WINDOW_ROWS, seed=5)
    one, other = kinds.predictor(kind), kinds.predictor(kind)
    assert one.predict(values) == other.predict(kinds.named(values))
    unseen = (values == OTHER)[:, 1:].sum(axis=0).tolist()
    assert all(unseen)
    for served in (one, other):
        (window,) = [w for w in served.collect().windows if w.judged.closed]
        assert window.judged.profile is not None
        assert window.judged.profile.out_of_range[1:] == unseen


def test_an_answer_is_a_class_with_its_name_or_a_number() -> None:
    row = [{"heat": 1.0, "colour": "red", "size": 2}]
    (two,) = kinds.predictor("two classes").predict(row)
    assert (two.label, type(two.label), two.class_name) == (7, int, None)
    (three,) = kinds.predictor("three classes").predict(row)
    assert (three.label, three.class_name) == (0, "dry")
    (value,) = kinds.predictor("regression").predict(row)
    assert value.label == value.score == pytest.approx(1000 + 100 - 5)
    assert value.class_name is None
    (odd,) = kinds.predictor("anomaly").predict([{"heat": 9, "colour": "mauve", "size": None}])
    assert (odd.label, odd.class_name) == (1, "odd")


@kind
def test_a_manifest_travels_and_agrees_with_itself(kind: str) -> None:
    manifest, _ = kinds.model(kind)
    assert decode(encode(manifest), Manifest) == manifest
    assert check(manifest) is manifest


@kind
def test_golden_rows_hold_missing_values_and_a_category_of_each_that_nobody_listed(
    kind: str,
) -> None:
    golden = kinds.model(kind)[0].golden
    assert any(None in row for row in golden.inputs)
    for place in (1, 2):
        assert any(row[place] == OTHER for row in golden.inputs)
    assert len(golden.outputs) == len(golden.inputs)


@kind
def test_the_device_proves_every_output_of_every_golden_row(kind: str) -> None:
    manifest, data = kinds.model(kind)
    passed = examine(manifest, data, OrtRuntime(), StandingClock(), SmallHost())
    assert passed.passed, passed.text
    for row in (0, len(manifest.golden.outputs) - 1):
        for column in range(manifest.signature.columns):
            outputs = [list(given) for given in manifest.golden.outputs]
            outputs[row][column] += 3 * manifest.golden.tolerance
            golden = msgspec.structs.replace(manifest.golden, outputs=outputs)
            altered = msgspec.structs.replace(manifest, golden=golden)
            found = examine(altered, data, OrtRuntime(), StandingClock(), SmallHost())
            assert not found.passed
            assert "outputs differ" in found.text


@kind
def test_rows_like_those_of_training_are_no_alarm_and_others_are(kind: str) -> None:
    served = kinds.predictor(kind)
    served.predict(kinds.rows(5 * kinds.WINDOW_ROWS, seed=8))
    calm = closed(served)
    assert [w.alarm for w in calm] == [False] * 5
    changed = kinds.rows(kinds.WINDOW_ROWS, seed=9)
    changed[:, 1] = 2.0
    served.predict(changed)
    (window,) = closed(served)
    assert window.verdict.alarm
    first = window.verdict.features[0]
    assert first.name == "colour"
    assert (first.anderson_darling, first.shift, first.shift_sd) == (0.0, 0.0, 0.0)


@kind
def test_the_score_histogram_of_a_window_is_that_of_the_hub(kind: str) -> None:
    manifest, _ = kinds.model(kind)
    form = manifest.signature
    values = kinds.rows(kinds.WINDOW_ROWS, seed=8)
    served = kinds.predictor(kind)
    answers = [served.predict(row[None])[0] for row in values]
    (window,) = closed(served)
    assert window.profile is not None
    scores = kinds.artifact(kind).scores(values)
    expected = count_scores(scores, form.score_low, form.score_high)
    assert window.profile.score_counts == expected.tolist()
    assert max(expected) < kinds.WINDOW_ROWS / 2
    assert len({a.score for a in answers}) > 10


def test_categories_are_counted_each_in_its_bin() -> None:
    manifest, _ = kinds.model("two classes")
    (_, colour, size) = manifest.reference.features
    assert (colour.edges, colour.category, colour.mean, colour.sd) == ([-0.5, 0.5, 1.5], True, 0, 1)
    assert sum(colour.counts) + colour.missing == manifest.reference.rows
    assert manifest.reference.correlations == [0.0, 0.0, 0.0]
    values = np.array([[0, OTHER, 0], [0, 0, 2], [0, 2, np.nan]], np.float32)
    counts = Bins([f.edges for f in manifest.reference.features]).count(
        np.ascontiguousarray(values.T)
    )
    assert counts[1, :4].tolist() == [1, 1, 0, 1]
    assert counts[2, :4].tolist() == [0, 1, 0, 1]
    assert size.counts[0] == 0


TRUTHS: dict[str, list[tuple[str | float, float]]] = {
    "two classes": [(3, 3), (7.0, 7)],
    "three classes": [("snow", 2), ("dry", 0), (1, 1), (2.0, 2)],
    "regression": [(1000.25, 1000.25), (3, 3), (-1e300, -1e300), (0.5, 0.5)],
    "anomaly": [("usual", 0), (1, 1)],
}


@kind
def test_samples_and_labels_come_back_to_the_hub(kind: str, tmp_path: Path) -> None:
    served = kinds.predictor(kind)
    sample_all(served)
    truths = TRUTHS[kind]
    values = kinds.odd_rows(len(truths), seed=3)
    answers = served.predict(values)
    said = [(a.prediction_id, label) for a, (label, _) in zip(answers, truths, strict=True)]
    assert served.feedback(said) == len(truths)
    with parts(tmp_path) as kept:
        kinds.report(served, Ingest(kept.telemetry))
        got = {x.label.prediction_id: x for x in kept.telemetry.labelled("kind")}
        labels, right = kept.telemetry.labelled_count("kind", version=1)
        health = [s.report for s in kept.telemetry.reports("health")]
    assert [got[name].label.label for name, _ in said] == [number for _, number in truths]
    assert [got[a.prediction_id].sample.label for a in answers] == [a.label for a in answers]
    assert [got[a.prediction_id].sample.score for a in answers] == [a.score for a in answers]
    sent = np.array([got[a.prediction_id].sample.values for a in answers], np.float32)
    assert np.array_equal(sent, values, equal_nan=True)
    hits = sum(a.label == number for a, (_, number) in zip(answers, truths, strict=True))
    assert (labels, right) == (len(truths), hits)
    assert isinstance(health[0], HealthReport)
    judged = None if kind == "regression" else hits
    assert (health[0].labels, health[0].labels_correct) == (len(truths), judged)


@kind
def test_over_http_rows_are_texts_and_numbers_and_labels_are_names(kind: str) -> None:
    served = kinds.predictor(kind)
    api = local_api(served)
    api.start()
    try:
        with RawClient(api.address) as client:
            rows = [{"heat": 1.5, "colour": "red", "size": 10}, *kinds.named(kinds.odd_rows(9))]
            told = client.ask("POST", "/predict", json.dumps({"rows": rows}).encode()).json()
            answers = told["answers"]
            first = answers[0]["prediction_id"]
            label, _ = TRUTHS[kind][0]
            said = {"labels": [{"prediction_id": first, "label": label}]}
            taken = client.ask("POST", "/feedback", json.dumps(said).encode()).json()
    finally:
        api.stop()
    twin = msgspec.json.decode(msgspec.json.encode(kinds.predictor(kind).predict(rows)))
    for answer in [*answers, *twin]:  # one names the classes, the other has them in order
        answer.pop("probabilities", None)
    assert answers == twin
    named = bool(kinds.model(kind)[0].signature.class_names)
    assert all(("class_name" in a) == named for a in answers)
    assert taken == {"accepted": 1, "remembered": 1}


class Examined(ToldSelfTest):
    """Finds what the real examination finds, in this process."""

    def start(self, manifest: Manifest, artifact: bytes) -> None:
        super().start(manifest, artifact)
        self.finding = examine(manifest, artifact, OrtRuntime(), StandingClock(), SmallHost())


@kind
def test_a_device_is_updated_to_it_and_serves_it(kind: str) -> None:
    rig = Rig(Bench(Flash(), self_test=Examined()), Hubside())
    served = Predictor("station-1", 3, OrtRuntime(), rig.bench.clock)
    rig.updater = rig.make(served)
    shipment = rig.hub.ship_bytes(*kinds.model(kind))
    rig.publish(shipment, 1)
    rig.run(State.TRIAL)
    rig.run()
    served.predict(kinds.odd_rows(50))
    rig.run()
    assert rig.events == [EventKind.FETCHED, EventKind.TRIAL, EventKind.COMMITTED]
    assert served.manifest == shipment.manifest
