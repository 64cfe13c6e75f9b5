"""What every way from a sensor to a device promises: in process, and over the real endpoint."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from fleetloop_agent.ports import Clock
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_firmware_sim.errors import FeedError
from fleetloop_firmware_sim.feed_http import HttpFeeder
from fleetloop_firmware_sim.feed_predictor import PredictorFeeder
from fleetloop_firmware_sim.hardware import WallClock
from fleetloop_firmware_sim.recording import read
from fleetloop_firmware_sim.scenarios.releases import (
    FEATURES,
    Packed,
    changed_rows,
    make,
    steady_rows,
)
from fleetloop_firmware_sim.sensor import Feeder, Sensor
from support import kinds
from support.local_api import local_api

GOOD = make(1)
BRITTLE = make(2, brittle=True)


def load(predictor: Predictor, packed: Packed) -> None:
    predictor.load(packed.manifest, packed.artifact)


@pytest.fixture
def predictor() -> Predictor:
    clock: Clock = WallClock()
    return Predictor("board-1", 1, OrtRuntime(), clock)


@pytest.fixture(params=["in process", "over HTTP"])
def feeder(request: pytest.FixtureRequest, predictor: Predictor) -> Iterator[Feeder]:
    if request.param == "in process":
        yield PredictorFeeder(predictor)
        return
    api = local_api(predictor)
    api.start()
    over_http = HttpFeeder(api.address)
    yield over_http
    over_http.close()
    api.stop()


def test_a_device_without_a_model_wants_no_columns_and_answers_nothing(feeder: Feeder) -> None:
    assert feeder.columns() is None
    assert feeder.predict(steady_rows(2)) is None


def test_rows_are_answered_each_by_its_own_name(feeder: Feeder, predictor: Predictor) -> None:
    load(predictor, GOOD)
    assert feeder.columns() == list(FEATURES)
    golden = GOOD.manifest.golden
    answers = feeder.predict(np.array(golden.inputs, dtype=np.float32))
    assert answers is not None
    assert {a.version for a in answers} == {1}
    assert len({a.prediction_id for a in answers}) == len(golden.inputs)
    assert [a.score for a in answers] == pytest.approx([yes for _, yes in golden.outputs], abs=1e-4)


def test_rows_the_model_fails_on_are_to_be_kept(feeder: Feeder, predictor: Predictor) -> None:
    load(predictor, BRITTLE)
    assert feeder.predict(changed_rows(1)) is None
    load(predictor, GOOD)
    assert feeder.predict(changed_rows(1)) is not None


def test_feedback_reaches_the_answers_it_is_about(feeder: Feeder, predictor: Predictor) -> None:
    load(predictor, GOOD)
    answers = feeder.predict(steady_rows(2)) or []
    feeder.feedback([(a.prediction_id, a.label) for a in answers])
    counters = predictor.collect().counters
    assert (counters.labels, counters.labels_correct) == (2, 2)


CSV = """heat,colour,size,kind
1.5,red,10,dry
,mauve,2,snow
-2.25,,,rain
0.5,blue,1,dry
"""


@pytest.mark.parametrize("kind", ["three classes", "regression"])
def test_a_recording_with_texts_is_answered_as_its_device_would_be_asked(
    feeder: Feeder, predictor: Predictor, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "rows.csv").write_text(CSV)
    recording = read(tmp_path / "rows.csv", label="kind")
    predictor.load(*kinds.model(kind))
    sensor = Sensor(recording, feeder)
    if kind == "regression":
        with pytest.raises(FeedError, match=r"refuses these labels.*'dry' is no label"):
            sensor.measure(4)
    else:
        assert sensor.measure(4) == 4
        sensor.tell_the_rest()
    expected = kinds.predictor(kind).predict(recording.named())
    assert [r.answer.label for r in sensor.readings] == [a.label for a in expected]
    assert [r.answer.score for r in sensor.readings] == [a.score for a in expected]
    if kind == "three classes":
        right = sum(a.class_name == x for a, x in zip(expected, recording.labels, strict=True))
        assert 0 < right < 4
        assert sensor.accuracy() == right / 4
        assert predictor.collect().counters.labels_correct == right


def test_categories_that_are_numbers_are_values_not_places(
    feeder: Feeder, predictor: Predictor
) -> None:
    predictor.load(*kinds.model("regression"))
    answers = feeder.predict(np.array([[1.0, np.nan, 10.0]], np.float32))
    assert answers is not None
    assert answers[0].score == pytest.approx(1000 + 100 - 5 * 2)


@pytest.mark.parametrize(
    "act",
    [
        lambda feeder: feeder.predict(np.array([[np.inf, 1.0]], dtype=np.float32)),
        lambda feeder: feeder.feedback([("", 1)]),
    ],
    ids=["rows", "labels"],
)
def test_what_can_never_be_taken_is_refused_for_good(
    feeder: Feeder, predictor: Predictor, act: Callable[[Feeder], object]
) -> None:
    load(predictor, GOOD)
    with pytest.raises(FeedError, match="refuses these"):
        act(feeder)


def test_over_http_a_device_that_restarts_is_found_again(predictor: Predictor) -> None:
    load(predictor, GOOD)
    first = local_api(predictor)
    first.start()
    feeder = HttpFeeder(first.address)
    assert feeder.predict(steady_rows(1))
    first.stop()
    with pytest.raises(FeedError, match="no device answers"):
        feeder.predict(steady_rows(1))
    port = int(first.address.rpartition(":")[2])
    second = local_api(predictor, port=port)
    second.start()
    assert feeder.predict(steady_rows(1))
    feeder.close()
    second.stop()


def test_over_http_what_is_no_address_is_refused() -> None:
    with pytest.raises(FeedError, match="is not a device's address"):
        HttpFeeder("localhost")
