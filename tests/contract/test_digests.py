"""What every store promises about the sums that it keeps of reports."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.digest_records import LabelCounts, ServedRows, WindowCounts
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.groups import GroupCounts
from fleetloop_shared.reports import DriftReport, HealthReport, ProfileReport, Report
from support.examples import PROFILE
from support.hubrecords import a_drift, a_health
from support.hubweb import show_up, tell
from support.reports import labels, sample, samples


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[SqliteTelemetry]:
    opened = SqliteTelemetry(tmp_path / "telemetry.db", classes_of=lambda _model, _version: [0, 1])
    yield opened
    opened.close()


def health(seq: int, **changed: object) -> Report:
    return replace(a_health(seq, device="a"), **changed)


def drift(seq: int, ratio: float = 0.5, **changed: object) -> Report:
    return replace(a_drift(seq, ratio, device="a"), **changed)


def test_devices_that_said_something_are_told_once(telemetry: SqliteTelemetry) -> None:
    digests = telemetry.digests
    assert digests.changed(0)[0] == set()
    show_up(telemetry, "b")
    tell(telemetry, health(1))
    found, after = digests.changed(0)
    assert found == {"a", "b"}
    assert digests.changed(after) == (set(), after)
    telemetry.store([labels(2, ("p", 1))])
    found, later = digests.changed(after)
    assert found == {"a"}
    show_up(telemetry, "b")
    assert digests.changed(after)[0] == {"a", "b"}
    assert digests.changed(later)[0] == {"b"}


def test_after_a_restart_every_device_is_told(tmp_path: Path, telemetry: SqliteTelemetry) -> None:
    show_up(telemetry, "b")
    tell(telemetry, health(1))
    telemetry.close()
    again = SqliteTelemetry(tmp_path / "telemetry.db")
    assert again.digests.changed(0)[0] == {"a", "b"}
    again.close()


def test_the_last_report_is_that_of_the_last_boot_not_the_one_that_came_last(
    telemetry: SqliteTelemetry,
) -> None:
    assert telemetry.digests.latest("a", HealthReport) is None
    tell(telemetry, health(7, rows=7))
    tell(telemetry, health(2, boot=2, rows=2), health(9, rows=9))
    tell(telemetry, drift(3, boot=2))
    assert telemetry.digests.latest("a", HealthReport) == health(2, boot=2, rows=2)
    assert telemetry.digests.latest("a", DriftReport) == drift(3, boot=2)
    assert telemetry.digests.latest("nobody", HealthReport) is None


def test_verdicts_are_told_in_brief_by_boot_and_number(telemetry: SqliteTelemetry) -> None:
    tell(telemetry, drift(3, 2.0), drift(1), drift(2, boot=2, closed=False))
    told = telemetry.digests.windows("a")
    assert [(w.boot, w.seq, w.alarm, w.closed) for w in told] == [
        (1, 1, False, True),
        (1, 3, True, True),
        (2, 2, False, False),
    ]
    assert [w.seq for w in telemetry.digests.windows("a", after=(1, 1))] == [3, 2]
    assert [w.seq for w in telemetry.digests.windows("a", limit=1)] == [2]
    assert (told[1].feature, told[1].ratio, told[1].model, told[1].version) == (
        "temperature",
        2.0,
        "rain",
        1,
    )
    assert telemetry.digests.report("a", 1, 3) == drift(3, 2.0)
    assert telemetry.digests.report("a", 1, 4) is None


def test_a_window_cannot_have_been_told_in_the_future(telemetry: SqliteTelemetry) -> None:
    tell(telemetry, drift(1, at=2.0e10))
    [window] = telemetry.digests.windows("a")
    assert window.at == window.stored_at < 2.0e10


def test_rows_and_labels_add_up_a_version_at_a_time_and_once_each(
    telemetry: SqliteTelemetry,
) -> None:
    nothing_loaded = health(4, model=None, version=None, labels=0, labels_correct=0)
    tell(telemetry, health(1), health(2), health(2), health(3, version=2), nothing_loaded)
    assert sorted(telemetry.digests.served("a"), key=lambda s: s.version or 0) == [
        ServedRows(None, None, 100, 0, 0),
        ServedRows("rain", 1, 200, 100, 80),
        ServedRows("rain", 2, 100, 50, 40),
    ]


def test_right_answers_are_unknown_where_one_report_does_not_tell(
    telemetry: SqliteTelemetry,
) -> None:
    tell(telemetry, health(1), health(2, labels_correct=None), health(3))
    assert telemetry.digests.served("a") == [ServedRows("rain", 1, 300, 150, None)]


def test_groups_add_up_over_devices(telemetry: SqliteTelemetry) -> None:
    counts = [GroupCounts(column="sex", group="f", rows=5, yes=2)]
    more = [GroupCounts(column="sex", group="m", rows=1)]
    tell(telemetry, health(1, groups=counts), health(2, groups=[*counts, *more]))
    tell(telemetry, health(1, device="b", groups=more), health(2, device="c"))
    sums, devices = telemetry.digests.groups("rain", 1)
    assert {(g.group, g.rows, g.yes) for g in sums} == {("f", 10, 4), ("m", 2, 0)}
    assert devices == 2
    assert telemetry.digests.grouped() == [("rain", 1)]


def test_labels_are_counted_by_version_as_they_meet_their_rows(telemetry: SqliteTelemetry) -> None:
    digests = telemetry.digests
    rows = [sample("p"), sample("q", at=7_300.0), sample("r", at=9e9), sample("s", version=2)]
    telemetry.store([samples(1, *rows), labels(2, ("p", 1), ("q", 0), ("late", 1), ("s", 9))])
    before = digests.labelled()
    assert before == {("rain", 1): LabelCounts(2, 1, 0.5)}
    assert digests.labelled() is before
    telemetry.store([samples(3, sample("late")), labels(4, ("r", 1))])
    assert digests.labelled() == {("rain", 1): LabelCounts(4, 3, 0.25)}
    assert telemetry.labelled_count("rain", since=7_300.0) == (2, 1)
    assert telemetry.labelled_count("rain", since=7_300.5) == (1, 1)
    assert telemetry.labelled_count("rain", since=0.5) == (4, 3)


def test_labels_of_one_version_are_told_without_those_of_others(telemetry: SqliteTelemetry) -> None:
    rows = [sample("p"), sample("q", version=2), sample("r")]
    telemetry.store([samples(1, *rows), labels(2, ("p", 1), ("q", 1), ("r", 1))])
    told, after = telemetry.labelled_after("rain", 0, version=1)
    assert [s.sample.prediction_id for s in told] == ["p", "r"]
    assert telemetry.labelled_after("rain", after, version=1) == ([], after)
    assert telemetry.labelled_after("rain", 0, version=3) == ([], 0)


def test_profiles_are_given_as_they_came(telemetry: SqliteTelemetry) -> None:
    said = [
        ProfileReport(
            device="a", boot=1, seq=k, at=1.0, model="rain", version=1, first_row=1, profile=PROFILE
        )
        for k in (1, 2, 3)
    ]
    telemetry.store([("profile", encode_compressed(r), r) for r in said])
    found = telemetry.digests.profiles("a", 2)
    assert [(one.seq, one.payload) for one in found] == [
        (k, encode_compressed(said[k - 1])) for k in (2, 3)
    ]


def test_what_was_not_stored_is_not_counted(telemetry: SqliteTelemetry) -> None:
    tell(telemetry, health(1))

    def failing() -> Iterator[tuple[str, bytes, Report]]:
        yield "health", encode(health(2)), health(2)
        raise ValueError("cut short")

    assert telemetry.report_count() == 1
    with pytest.raises(ValueError, match="cut short"):
        telemetry.store(failing())
    assert telemetry.digests.served("a") == [ServedRows("rain", 1, 100, 50, 40)]
    assert telemetry.report_count() == 1
    tell(telemetry, health(2))
    assert telemetry.report_count() == 2


class Clock:
    """Moves when it is told to."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def forgetful(tmp_path: Path, clock: Clock) -> Iterator[SqliteTelemetry]:
    opened = SqliteTelemetry(tmp_path / "forgetful.db", clock, keep_s=100.0)
    yield opened
    opened.close()


def test_old_reports_go_and_what_they_add_up_to_stays(
    forgetful: SqliteTelemetry, clock: Clock
) -> None:
    tell(forgetful, health(1, at=1_000.0), drift(2, at=1_000.0), drift(3, 2.0, at=1_000.0))
    forgetful.store([samples(4, sample("p")), labels(5, ("p", 1))])
    clock.now = 1_101.0
    tell(forgetful, health(6, at=1_101.0))
    assert forgetful.forget(9) == 2
    assert forgetful.forget(9) == 0
    assert forgetful.report_count() == 4
    assert [s.report.seq for s in forgetful.reports("health")] == [6]
    assert [w.seq for w in forgetful.digests.windows("a")] == [3]  # the last word of each kind
    assert forgetful.digests.latest("a", DriftReport) == drift(3, 2.0, at=1_000.0)
    assert forgetful.digests.served("a") == [ServedRows("rain", 1, 200, 100, 80)]
    assert forgetful.labelled_count("rain") == (1, 1)


def test_a_little_is_taken_away_at_a_time_the_oldest_first(
    forgetful: SqliteTelemetry, clock: Clock
) -> None:
    for seq in (1, 2, 3, 4):
        clock.now += 1.0
        tell(forgetful, health(seq))
    clock.now += 200.0
    assert forgetful.forget(2) == 2
    assert [s.report.seq for s in forgetful.reports("health")] == [3, 4]


def test_a_report_that_was_taken_away_is_not_counted_again(
    forgetful: SqliteTelemetry, clock: Clock
) -> None:
    tell(forgetful, health(1, at=1_000.0), health(2, at=1_000.0))
    clock.now = 2_000.0
    forgetful.forget(9)
    tell(forgetful, health(1, at=1_000.0))
    assert forgetful.digests.served("a") == [ServedRows("rain", 1, 200, 100, 80)]
    tell(forgetful, health(3, at=1_000.0))  # of a device that could not send it for long
    assert forgetful.digests.served("a") == [ServedRows("rain", 1, 300, 150, 120)]


def test_without_a_limit_nothing_is_taken_away(telemetry: SqliteTelemetry) -> None:
    tell(telemetry, health(1, at=0.0), health(2, at=0.0))
    assert telemetry.forget(9) == 0
    assert telemetry.report_count() == 2


def test_all_windows_are_counted_and_the_earliest_alarm_is_named(
    telemetry: SqliteTelemetry,
) -> None:
    assert telemetry.digests.window_counts() == WindowCounts(0, 0, None)
    tell(telemetry, drift(1), drift(2, 2.0, at=20.0), drift(3, 2.0, at=10.0, closed=False))
    assert telemetry.digests.window_counts() == WindowCounts(3, 2, ("a", 1, 3))
    tell(telemetry, drift(4), drift(1, device="b"))
    assert telemetry.digests.window_counts() == WindowCounts(4, 1, ("a", 1, 3))
