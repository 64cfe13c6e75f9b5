"""Labels told to the hub: what is taken, what is refused, counted and said."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.data.told_labels import LabelDesk, ToldLabel
from fleetloop_hub.monitoring.label_sources import LabelSources
from fleetloop_hub.storage import telemetry_labels
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.label_messages import LabelMessage, LabelReceipt
from fleetloop_shared.link import Received
from fleetloop_shared.reports import Label
from fleetloop_shared.topics import Topic
from support.reports import event, sample, samples

NOW = 1_000.0


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[SqliteTelemetry]:
    opened = SqliteTelemetry(tmp_path / "t.db", lambda: NOW, lambda _model, _version: [0, 1])
    opened.store([event(1, device="s1"), samples(2, sample("s1.1.1"), device="s1")])
    yield opened
    opened.close()


def desk(telemetry: SqliteTelemetry) -> LabelDesk:
    return LabelDesk(telemetry, lambda name: name == "s1", lambda: NOW)


def told(prediction_id: str, label: float = 1, at: float = 9.0, device: str = "") -> ToldLabel:
    return ToldLabel(prediction_id=prediction_id, label=label, at=at, device=device)


def test_a_label_is_joined_to_its_row_or_waits_for_it(telemetry: SqliteTelemetry) -> None:
    receipt = desk(telemetry).take([told("s1.1.1"), told("s1.1.2")], "api")
    assert (receipt.joined, receipt.waiting, receipt.refused) == (1, 1, [])
    assert telemetry.labels_waiting() == {"s1": 1}
    telemetry.store([samples(3, sample("s1.1.2"), device="s1")])
    assert telemetry.labels_waiting() == {}
    assert telemetry.labelled_count("rain") == (2, 2)


def test_a_label_told_twice_counts_once_and_is_counted_as_known(
    telemetry: SqliteTelemetry,
) -> None:
    for known in (0, 1, 1):
        receipt = desk(telemetry).take([told("s1.1.1")], "api")
        assert (receipt.joined, receipt.duplicate) == (1 - known, known)
    assert telemetry.labelled_count("rain") == (1, 1)
    assert telemetry.refusals() == {("api", "duplicate-label"): 2}


@pytest.mark.parametrize(
    ("label", "reason", "counted"),
    [
        (told("s1.1.1", 0), "contradicting", "contradicting-label"),
        (told("s1.1.9", at=NOW + 301), "future", "future-label"),
        (told("s1.1.9", at=2_145_916_800.0), "future", "future-label"),
        (told("s2.1.1"), "unknown", "unknown-prediction"),
        (told("garbage"), "unknown", "unknown-prediction"),
        (told("s1.1"), "unknown", "unknown-prediction"),
        (told("s1.x.1"), "unknown", "unknown-prediction"),
        (told("s1.1.1.1"), "unknown", "unknown-prediction"),
        (told("s1.5000.1"), "unknown", "unknown-prediction"),
        (told("s1.1." + "9" * 40), "unknown", "unknown-prediction"),
        (told("s2.1.1", device="s1"), "unknown", "unknown-prediction"),
        (told("s1.1.3", 7), "no-class", "unknown-class"),
    ],
)
def test_a_label_that_cannot_be_is_refused_counted_and_said(
    telemetry: SqliteTelemetry, label: ToldLabel, reason: str, counted: str
) -> None:
    telemetry.store([samples(3, sample("s1.1.3"), device="s1")])
    here = desk(telemetry)
    here.take([told("s1.1.1", 1)], "bank")
    receipt = here.take([label, told("s1.1.4")], "bank")
    (refused,) = receipt.refused
    assert (refused.place, refused.prediction_id) == (0, label.prediction_id)
    assert (refused.reason, receipt.refused_count, receipt.waiting) == (reason, 1, 1)
    assert refused.text
    assert telemetry.refusals()["bank", counted] == 1
    assert [s.label.label for s in telemetry.labelled("rain")] == [1]


def test_labels_that_wait_for_ever_are_bounded_and_the_oldest_make_room(
    telemetry: SqliteTelemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry_labels, "MOST_WAITING", 10)
    for piece in range(5):
        desk(telemetry).take([told(f"s1.1.{piece * 10 + k + 50}") for k in range(10)], "api")
    assert telemetry.labels_waiting()["s1"] <= 20
    assert telemetry.refusals()["s1", "too-many-waiting"] >= 3


def source_message(content: bytes, source: str = "bank") -> Received:
    return Received(Topic.SOURCE_LABELS.at(source=source), content, retained=False)


def test_a_label_source_hears_what_became_of_its_labels(telemetry: SqliteTelemetry) -> None:
    sources = LabelSources(desk(telemetry), telemetry, lambda name: name == "bank")
    labels = [Label(prediction_id=name, label=1, at=9.0) for name in ("s1.1.1", "s9.1.1")]
    other = Received("fleetloop/v1/hub/state", b"", retained=False)
    message = source_message(encode(LabelMessage(id="m-1", labels=labels)))
    others, ((topic, payload),) = sources.take([other, message])
    receipt = decode(payload, LabelReceipt)
    assert others == [other]
    assert topic == "fleetloop/v1/sources/bank/down/receipt"
    assert (receipt.id, receipt.joined, receipt.refused_count) == ("m-1", 1, 1)
    assert telemetry.refusals() == {("bank", "unknown-prediction"): 1}


@pytest.mark.parametrize(
    ("message", "counted"),
    [
        (source_message(b"{"), ("bank", "undecodable")),
        (source_message(b'{"id":"1","labels":[{"prediction_id":"","label":1,"at":1}]}'),
         ("bank", "undecodable")),
        (source_message(b'{"id":"1","labels":[{"prediction_id":"s1.1.1","label":1e300,"at":1}]}'),
         ("bank", "undecodable")),
        (source_message(b'{"id":"1","labels":[]}', "thief"), ("unknown", "stranger")),
    ],
)  # fmt: skip
def test_a_message_of_a_label_source_that_is_none_is_counted_and_told_nothing(
    telemetry: SqliteTelemetry, message: Received, counted: tuple[str, str]
) -> None:
    sources = LabelSources(desk(telemetry), telemetry, lambda name: name == "bank")
    assert sources.take([message]) == ([], [])
    assert telemetry.refusals() == {counted: 1}
