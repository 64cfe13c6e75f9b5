"""What every telemetry store promises."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fleetloop_hub.errors import TelemetryError
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_hub.telemetry_records import DevicePulse, LabelledSample, Refusal, StoredReport
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.reports import EventKind, Label, ProfileReport
from support.examples import PROFILE
from support.reports import Taken, event, labels, sample, samples


class _Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def telemetry(tmp_path: Path, clock: _Clock) -> Iterator[Telemetry]:
    opened = SqliteTelemetry(tmp_path / "telemetry.db", clock)
    yield opened
    opened.close()


def _seqs(stored: list[StoredReport]) -> list[int]:
    return [s.report.seq for s in stored]


def test_the_revision_changes_with_whatever_is_taken_in(telemetry: Telemetry) -> None:
    seen = [telemetry.revision()]
    telemetry.pulse("station-1", state=b"{}", reported=None)
    seen.append(telemetry.revision())
    telemetry.refuse("station-1", "malformed", "not JSON")
    seen.append(telemetry.revision())
    telemetry.pulses()
    assert len(set(seen)) == 3
    assert telemetry.revision() == seen[-1]


def test_a_report_is_read_back_as_it_was_said(telemetry: Telemetry, clock: _Clock) -> None:
    clock.now = 1234.5
    telemetry.store([event(1)])
    assert telemetry.reports("events") == [StoredReport("events", event(1)[2], 1234.5)]


def test_only_what_was_not_there_counts_as_fresh(telemetry: Telemetry) -> None:
    first, second = event(1), event(2)
    assert telemetry.store([first]) == [("events", first[2])]
    assert telemetry.store([first, second, second]) == [("events", second[2])]
    assert telemetry.store([event(1, text="otherwise")]) == []
    assert telemetry.store([event(2**70)]) == []  # no number that can be kept


def test_a_compressed_report_is_read_back_as_well(telemetry: Telemetry) -> None:
    report = ProfileReport(
        device="a", boot=1, seq=1, at=1.0, model="rain", version=1, first_row=1, profile=PROFILE
    )
    telemetry.store([("profile", encode_compressed(report), report)])
    assert [s.report for s in telemetry.reports("profile")] == [report]


def test_a_report_that_comes_twice_is_kept_once(telemetry: Telemetry, clock: _Clock) -> None:
    telemetry.store([event(1), event(1)])
    clock.now += 5
    telemetry.store([event(1), event(2)])
    assert telemetry.report_count() == 2
    assert [s.stored_at for s in telemetry.reports("events")] == [1000.0, 1005.0]
    assert telemetry.refusals() == {}


def test_a_report_that_comes_again_with_other_content_is_counted(telemetry: Telemetry) -> None:
    telemetry.store([event(1, text="first")])
    telemetry.store([event(1, text="second")])
    assert [s.report for s in telemetry.reports("events")] == [event(1, text="first")[2]]
    assert telemetry.refusals() == {("a", "contradicting-report"): 1}


def test_reports_come_oldest_first_by_time_boot_and_number(
    telemetry: Telemetry, clock: _Clock
) -> None:
    telemetry.store([event(3), event(1), event(2, boot=2)])
    clock.now += 1
    telemetry.store([event(2)])
    stored = telemetry.reports("events")
    assert [(s.report.boot, s.report.seq) for s in stored] == [(1, 1), (1, 3), (2, 2), (1, 2)]


def test_a_limit_keeps_the_newest(telemetry: Telemetry) -> None:
    telemetry.store([event(n) for n in range(1, 8)])
    assert _seqs(telemetry.reports("events", limit=3)) == [5, 6, 7]


def test_reports_are_chosen_by_kind_device_and_time(telemetry: Telemetry, clock: _Clock) -> None:
    telemetry.store([event(1), event(2, device="b"), labels(3, ("x", 1))])
    clock.now = 2000.0
    telemetry.store([event(4), event(5, device="b")])
    assert _seqs(telemetry.reports("events", device="a")) == [1, 4]
    assert _seqs(telemetry.reports("events", since=2000.0)) == [4, 5]
    assert _seqs(telemetry.reports("events", device="b", since=1500.0)) == [5]
    assert _seqs(telemetry.reports("labels")) == [3]
    assert telemetry.reports("health") == []
    assert telemetry.report_count() == 5
    assert telemetry.report_count("a") == 3
    assert telemetry.report_count("nobody") == 0


def test_a_kind_that_is_none_stores_nothing(telemetry: Telemetry) -> None:
    _, payload, report = event(2)
    with pytest.raises(TelemetryError, match="'state'"):
        telemetry.store([event(1), ("state", payload, report)])
    assert telemetry.report_count() == 0


def test_reports_that_end_in_an_error_are_not_stored(telemetry: Telemetry) -> None:
    def failing() -> Iterator[Taken]:
        yield event(1)
        raise ValueError("cut short")

    with pytest.raises(ValueError, match="cut short"):
        telemetry.store(failing())
    assert telemetry.report_count() == 0
    telemetry.store([event(1)])


@pytest.mark.parametrize("labels_first", [False, True])
def test_samples_and_labels_meet_in_either_order(
    telemetry: Telemetry, *, labels_first: bool
) -> None:
    rows = samples(1, sample("late", at=20.0, label=0), sample("early", at=10.0, label=1))
    truth = labels(2, ("early", 1), ("late", 1), ("never served", 1))
    telemetry.store([truth, rows] if labels_first else [rows, truth])
    assert list(telemetry.labelled("rain")) == [
        LabelledSample(
            "a",
            sample("early", at=10.0, label=1),
            Label(prediction_id="early", label=1, at=9.0),
        ),
        LabelledSample(
            "a", sample("late", at=20.0, label=0), Label(prediction_id="late", label=1, at=9.0)
        ),
    ]
    assert telemetry.labelled_count("rain") == (2, 1)


VALUES = [2.5, -0.0, 3.0, 1e300, -1e-300, 2.0**60, 7]


def test_the_numbers_of_a_regression_are_read_back_as_they_were_said(telemetry: Telemetry) -> None:
    names = [f"p{k}" for k in range(len(VALUES))]
    rows = [sample(n, at=k, label=v) for k, (n, v) in enumerate(zip(names, VALUES, strict=True))]
    truth = labels(2, *zip(names, VALUES, strict=True))
    telemetry.store([samples(1, *rows), truth])
    found = list(telemetry.labelled("rain"))
    assert [x.sample.label for x in found] == [x.label.label for x in found] == VALUES
    assert telemetry.labelled_error("rain", version=1) == 0.0
    telemetry.store([samples(3, *rows), labels(4, ("p0", 2.5))])
    assert telemetry.refusals() == {("a", "duplicate-label"): 1}
    telemetry.store([labels(5, ("p0", 2.75))])
    assert telemetry.refusals()["a", "contradicting-label"] == 1


def test_the_error_is_the_mean_distance_of_a_version_from_its_labels(telemetry: Telemetry) -> None:
    assert telemetry.labelled_error("rain", version=1) is None
    rows = [sample("a", label=2.5), sample("b", label=-1.0), sample("c", label=9.0, version=2)]
    telemetry.store([samples(1, *rows), labels(2, ("a", 3), ("b", -2.5), ("c", 8.0), ("d", 1))])
    assert telemetry.labelled_error("rain", version=1) == 1.0
    assert telemetry.labelled_error("rain", version=2) == 1.0
    assert telemetry.labelled_error("frost", version=1) is None


def test_labelled_samples_are_chosen_by_model_version_and_event_time(telemetry: Telemetry) -> None:
    telemetry.store(
        [
            samples(1, sample("p1", at=10.0), sample("p2", at=20.0, version=2)),
            samples(2, sample("p3", at=30.0), model="frost"),
            labels(3, ("p1", 1), ("p2", 0), ("p3", 1)),
        ]
    )
    assert [s.sample.prediction_id for s in telemetry.labelled("rain", since=20.0)] == ["p2"]
    assert telemetry.labelled_count("rain") == (2, 1)
    assert telemetry.labelled_count("rain", version=1) == (1, 1)
    assert telemetry.labelled_count("rain", version=2) == (1, 0)
    assert telemetry.labelled_count("rain", version=3) == (0, 0)
    assert telemetry.labelled_count("frost") == (1, 1)


def test_of_two_labels_the_first_stands_and_a_contradiction_is_counted(
    telemetry: Telemetry,
) -> None:
    telemetry.store([samples(1, sample("p", label=1)), labels(2, ("p", 1))])
    telemetry.store([labels(3, ("p", 1)), labels(4, ("p", 0))])
    assert telemetry.labelled_count("rain") == (1, 1)
    assert telemetry.refusals() == {("a", "contradicting-label"): 1, ("a", "duplicate-label"): 1}


def test_of_two_samples_the_first_stands_and_a_contradiction_is_counted(
    telemetry: Telemetry,
) -> None:
    telemetry.store([samples(1, sample("p", label=1)), labels(2, ("p", 1))])
    telemetry.store([samples(3, sample("p", label=1)), samples(4, sample("p", label=0))])
    assert telemetry.labelled_count("rain") == (1, 1)
    assert telemetry.refusals() == {("a", "contradicting-sample"): 1}


@pytest.mark.parametrize("label_first", [True, False])
def test_a_label_that_is_no_class_is_refused_and_counted_and_not_weighed(
    tmp_path: Path, *, label_first: bool
) -> None:
    classes = {("rain", 1): [0, 1]}
    path = tmp_path / "classes.db"
    telemetry = SqliteTelemetry(path, classes_of=lambda *name: classes.get(name, []))
    said = [
        samples(1, sample("p"), sample("q"), sample("r", version=2)),
        labels(2, ("p", 7), ("q", 1), ("r", 7)),
    ]
    for report in reversed(said) if label_first else said:
        telemetry.store([report])
    assert [x.label.prediction_id for x in telemetry.labelled("rain")] == ["q", "r"]
    assert telemetry.refusals() == {("a", "unknown-class"): 1}
    assert "7 is no class of rain@1; there are 0, 1" in telemetry.last_refusals(1)[0].text
    telemetry.close()


def test_a_device_cannot_label_or_take_the_answers_of_another(telemetry: Telemetry) -> None:
    telemetry.store([labels(1, ("p", 0), device="b")])
    telemetry.store([samples(2, sample("p", label=0), device="b")])
    telemetry.store([samples(1, sample("p", label=1)), labels(2, ("p", 1))])
    assert {(s.device, s.label.label) for s in telemetry.labelled("rain")} == {("a", 1), ("b", 0)}
    assert telemetry.refusals() == {}


def test_a_report_with_absurd_numbers_is_counted_and_holds_up_no_other(
    telemetry: Telemetry,
) -> None:
    telemetry.store(
        [
            event(1),
            event(2**64),
            samples(3, sample("good"), sample("bad", version=-(2**70))),
            samples(4, sample("nan", at=float("nan"))),
            labels(5, ("good", 2**63)),
            event(6),
        ]
    )
    assert _seqs(telemetry.reports("events")) == [1, 6]
    assert telemetry.report_count() == 2
    assert telemetry.refusals() == {("a", "unstorable"): 4}


def test_a_pulse_keeps_what_it_does_not_bring(telemetry: Telemetry, clock: _Clock) -> None:
    telemetry.pulse("b", state=None, reported=b"r1")
    telemetry.pulse("a", state=b"s1", reported=None)
    clock.now = 2000.0
    telemetry.pulse("a", state=None, reported=b"r2")
    assert telemetry.pulses() == [
        DevicePulse("a", b"s1", b"r2", 2000.0),
        DevicePulse("b", None, b"r1", 1000.0),
    ]


def test_a_report_is_a_sign_of_life_also_when_it_comes_again(
    telemetry: Telemetry, clock: _Clock
) -> None:
    telemetry.pulse("a", state=b"s", reported=b"r")
    for clock.now in (2000.0, 3000.0):
        telemetry.store([event(1), event(1, device="b")])
        assert telemetry.pulses() == [DevicePulse("a", b"s", b"r", clock.now)]


def test_refusals_are_counted_and_the_last_are_told(telemetry: Telemetry, clock: _Clock) -> None:
    for n in range(3):
        clock.now = 1000.0 + n
        telemetry.refuse("a", "undecodable", f"text {n}")
    clock.now = 1001.0
    telemetry.refuse("b", "undecodable", "\ud800" * 5000)
    assert telemetry.refusals() == {("a", "undecodable"): 3, ("b", "undecodable"): 1}
    last = Refusal("a", "undecodable", 3, "text 2", 1002.0, first_at=1000.0)
    assert telemetry.last_refusals(1) == [last]
    assert [r.source for r in telemetry.last_refusals(10)] == ["a", "b"]
    assert len(telemetry.last_refusals(10)[1].text) == 1000


def test_a_flood_of_one_kind_is_one_row_with_the_last_text_and_topic(
    telemetry: Telemetry, clock: _Clock
) -> None:
    telemetry.refuse("a", "undecodable", "one", "up/drift", 1000)
    telemetry.refuse("a", "undecodable", "\x1b[2Jtwo\n", "up/\x07", 5)
    assert telemetry.last_refusals(9) == [
        Refusal("a", "undecodable", 1005, "?[2Jtwo?", clock.now, "up/?", clock.now)
    ]


def test_what_a_device_reports_to_have_refused_is_counted_for_it_once(telemetry: Telemetry) -> None:
    kind, _, plain = event(1, text="1 is older than 2")
    about = {"kind": EventKind.REFUSED, "reason": "rollback", "topic": "cohorts/x/director"}
    report = msgspec.structs.replace(plain, **about)
    for _ in range(2):  # as when the first acknowledgement was lost
        telemetry.store([(kind, encode(report), report)])
    [found] = telemetry.last_refusals(9)
    assert (found.by, found.source, found.reason, found.count) == ("a", "a", "rollback", 1)
    assert (found.text, found.topic) == ("1 is older than 2", "cohorts/x/director")
    assert telemetry.refusals() == {}


def test_everything_is_there_after_a_restart(tmp_path: Path, telemetry: Telemetry) -> None:
    telemetry.store([event(1), samples(2, sample("p")), labels(3, ("p", 1))])
    telemetry.pulse("a", state=b"s", reported=None)
    telemetry.refuse("a", "undecodable", "text")
    telemetry.close()
    again = SqliteTelemetry(tmp_path / "telemetry.db")
    assert again.report_count() == 3
    assert again.labelled_count("rain") == (1, 1)
    assert len(again.pulses()) == len(again.refusals()) == 1
    again.close()


def test_a_closed_one_says_so(telemetry: Telemetry) -> None:
    telemetry.close()
    telemetry.close()
    with pytest.raises(TelemetryError, match="closed"):
        telemetry.store([event(1)])
    with pytest.raises(TelemetryError, match="closed"):
        telemetry.pulses()


def test_samples_can_be_walked_through_while_others_are_stored(telemetry: Telemetry) -> None:
    telemetry.store([samples(1, sample("p1", at=1.0), sample("p2", at=2.0))])
    telemetry.store([labels(2, ("p1", 1), ("p2", 1))])
    walk = telemetry.labelled("rain")
    next(walk)
    telemetry.store([samples(3, sample("p3", at=3.0)), labels(4, ("p3", 1))])
    assert [s.sample.prediction_id for s in walk] == ["p2"]
    assert telemetry.labelled_count("rain") == (3, 3)


def test_threads_lose_nothing(telemetry: Telemetry) -> None:
    failures: list[BaseException] = []

    def work(device: str) -> None:
        try:
            for seq in range(1, 26):
                telemetry.store([event(seq, device=device), event(seq, device="shared")])
                telemetry.refuse("all", "test", device)
                telemetry.pulse(device, state=b"s", reported=None)
                assert len(telemetry.reports("events", device=device)) == seq
        except BaseException as error:  # noqa: BLE001  # a thread's failure has to reach the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=[f"d{n}"]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert telemetry.report_count() == 9 * 25
    assert telemetry.refusals() == {("all", "test"): 200}


def test_labels_are_told_once_each_in_the_order_in_which_they_met_their_rows(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry.store([samples(1, *(sample(f"p{k}", at=float(k)) for k in range(4)))])
    telemetry.store([labels(2, ("p3", 1), ("late", 1))])
    first, after = telemetry.labelled_after("rain", 0)
    assert [s.sample.prediction_id for s in first] == ["p3"]
    assert telemetry.labelled_after("rain", after) == ([], after)
    telemetry.store([labels(3, ("p0", 1), ("p3", 1), ("p1", 1))])
    telemetry.store([samples(4, sample("late", at=9.0))])
    told, _ = telemetry.labelled_after("rain", after)
    assert [s.sample.prediction_id for s in told] == ["p0", "p1", "late"]
    monkeypatch.setattr("fleetloop_hub.storage.telemetry.AT_ONCE", 1)
    one, here = telemetry.labelled_after("rain", after)
    assert [s.sample.prediction_id for s in one] == ["p0"]
    two, _ = telemetry.labelled_after("rain", here)
    assert [s.sample.prediction_id for s in two] == ["p1"]
    assert telemetry.labelled_after("frost", 0) == ([], 0)
