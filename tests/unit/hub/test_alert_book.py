"""What becomes of an alert: opened once, kept, acknowledged, silenced, closed, and told of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.alert_records import (
    Alert,
    AlertEvent,
    AlertKind,
    AlertLevel,
    AlertState,
    Silence,
)
from fleetloop_hub.alerting.book import AlertBook
from fleetloop_hub.alerting.condition import Condition
from fleetloop_hub.alerting.crowd import MOST_A_KIND, OTHERS, bounded
from fleetloop_hub.alerting.sights import Seen, Sight, Sights
from fleetloop_hub.errors import AbsentError, AlertError, TelemetryError
from fleetloop_hub.ports import Catalog
from fleetloop_hub.storage.catalog import TinyDbCatalog
from support.alerted import a_condition

NOW = 1_000_000.0


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = TinyDbCatalog(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def book(catalog: Catalog) -> AlertBook:
    return AlertBook(catalog)


def seen(*conditions: Condition, blind: set[AlertKind] | None = None) -> Seen:
    return Seen(list(conditions), blind or set())


def only(catalog: Catalog) -> Alert:
    (alert,) = catalog.all(Alert)
    return alert


def hand_over(book: AlertBook, now: float) -> list[AlertEvent]:
    owed = book.owed(now)
    for alert in owed:
        book.told(alert)
    return [alert.owed for alert in owed]


def a_silence(**what: object) -> Silence:
    told = {"kind": None, "subject": "", "until": NOW + 100, "by": "ann", "reason": "works"} | what
    return Silence(key="", made_at=0.0, **told)  # type: ignore[arg-type] # any field of it


def test_a_condition_opens_one_alert_that_is_told_once_and_closed_once(
    book: AlertBook, catalog: Catalog
) -> None:
    for later in range(3):
        book.look(seen(a_condition()), NOW + later)
    assert hand_over(book, NOW + 3) == [AlertEvent.OPENED]
    assert hand_over(book, NOW + 3) == []
    book.look(seen(), NOW + 4)
    assert hand_over(book, NOW + 4) == [AlertEvent.CLOSED]
    closed = only(catalog)
    assert (closed.state, closed.closed_at) == (AlertState.CLOSED, NOW + 4)
    assert [(e.opened_at, e.closed_at) for e in closed.past] == [(NOW, NOW + 4)]


def test_what_comes_back_opens_the_same_alert_again_and_its_past_is_bounded(
    book: AlertBook, catalog: Catalog
) -> None:
    for turn in range(25):
        book.look(seen(a_condition()), NOW + 2 * turn)
        book.look(seen(), NOW + 2 * turn + 1)
    alert = only(catalog)
    assert (alert.opened_times, len(alert.past)) == (25, 20)
    assert alert.past[-1].closed_at == NOW + 49


def test_an_alert_that_nobody_was_told_of_closes_without_a_word(book: AlertBook) -> None:
    book.look(seen(a_condition()), NOW)
    book.look(seen(), NOW + 1)
    assert hand_over(book, NOW + 2) == []


def test_its_words_change_once_a_minute_at_most(book: AlertBook, catalog: Catalog) -> None:
    for later in range(120):
        book.look(seen(a_condition(count=1 + later)), NOW + later)
    assert only(catalog).count == 61
    assert catalog.revision(Alert) == 2


def test_an_acknowledged_alert_stays_so_until_it_is_graver_or_concerns_twice_as_many(
    book: AlertBook, catalog: Catalog
) -> None:
    book.look(seen(a_condition(count=2)), NOW)
    key = only(catalog).key
    book.acknowledge(key, "ann", "on my way", NOW + 1)
    assert hand_over(book, NOW + 1) == [AlertEvent.ACKNOWLEDGED]
    book.look(seen(a_condition(count=3)), NOW + 2)
    assert only(catalog).state is AlertState.ACKNOWLEDGED
    book.look(seen(a_condition(count=4)), NOW + 3)
    assert (only(catalog).state, only(catalog).acknowledged_by) == (AlertState.OPEN, "")
    assert hand_over(book, NOW + 3) == [AlertEvent.OPENED]
    book.acknowledge(key, "ann", "still", NOW + 4)
    book.look(seen(a_condition(count=4, level=AlertLevel.BAD)), NOW + 5)
    assert only(catalog).state is AlertState.OPEN
    book.acknowledge(key, "ann", "still", NOW + 6)
    for level in (AlertLevel.WARN, AlertLevel.BAD):
        book.look(seen(a_condition(count=4, level=level)), NOW + 7)
    assert (only(catalog).state, only(catalog).level) == (AlertState.ACKNOWLEDGED, AlertLevel.BAD)


def test_an_alert_that_has_grown_and_closes_before_that_was_told_is_still_told_closed(
    book: AlertBook, catalog: Catalog
) -> None:
    book.look(seen(a_condition()), NOW)
    hand_over(book, NOW)
    book.acknowledge(only(catalog).key, "ann", "seen", NOW + 1)
    book.look(seen(a_condition(count=9)), NOW + 2)
    book.look(seen(), NOW + 3)
    assert hand_over(book, NOW + 3) == [AlertEvent.CLOSED]


def test_what_happens_while_channels_are_told_is_still_owed(
    book: AlertBook, catalog: Catalog
) -> None:
    book.look(seen(a_condition()), NOW)
    (opened,) = book.owed(NOW)
    book.look(seen(), NOW + 1)
    book.told(opened)
    assert hand_over(book, NOW + 2) == []  # closed before anybody had been told of anything
    book.look(seen(a_condition()), NOW + 3)
    (opened,) = book.owed(NOW + 3)
    book.acknowledge(opened.key, "ann", "seen", NOW + 4)
    book.told(opened)
    assert hand_over(book, NOW + 5) == [AlertEvent.ACKNOWLEDGED]


def test_nobody_is_told_of_what_is_silenced_until_the_silence_ends(book: AlertBook) -> None:
    made = book.silence(a_silence(kind=AlertKind.RUN_FAILED, subject="rain"), NOW)
    book.look(seen(a_condition(), a_condition("snow")), NOW)
    assert [a.subject for a in book.owed(NOW)] == ["snow"]
    hand_over(book, NOW)
    assert [a.subject for a in book.owed(NOW + 100)] == ["rain"]
    book.end_silence(made.key, "ann", NOW + 1)
    assert [a.subject for a in book.owed(NOW + 1)] == ["rain"]
    with pytest.raises(AbsentError, match="no silence"):
        book.end_silence(made.key, "ann", NOW + 2)


@pytest.mark.parametrize("until", [NOW, NOW - 1, NOW + 400 * 86_400, float("nan"), float("inf")])
def test_a_silence_that_ends_before_it_begins_or_hardly_ever_is_refused(
    book: AlertBook, catalog: Catalog, until: float
) -> None:
    with pytest.raises(AlertError, match="within a year"):
        book.silence(a_silence(until=until), NOW)
    assert catalog.all(Silence) == []


def test_only_an_alert_that_stands_can_be_acknowledged(book: AlertBook, catalog: Catalog) -> None:
    with pytest.raises(AbsentError, match="no alert"):
        book.acknowledge("nothing", "ann", "why", NOW)
    book.look(seen(a_condition()), NOW)
    book.look(seen(), NOW + 1)
    with pytest.raises(AlertError, match="closed already"):
        book.acknowledge(only(catalog).key, "ann", "why", NOW)


def test_after_a_restart_alerts_stand_as_they_did(book: AlertBook, catalog: Catalog) -> None:
    book.look(seen(a_condition()), NOW)
    before = only(catalog)
    AlertBook(catalog).look(seen(a_condition()), NOW + 1)
    assert only(catalog) == before


def test_who_cannot_see_closes_nothing(book: AlertBook, catalog: Catalog) -> None:
    book.look(seen(a_condition()), NOW)
    book.look(seen(blind={AlertKind.RUN_FAILED}), NOW + 1)
    assert only(catalog).stands


def test_one_who_cannot_look_blinds_only_its_kinds() -> None:
    def fails(_now: float) -> list[Condition]:
        raise TelemetryError("closed")

    sights = Sights(
        [Sight([AlertKind.DRIFT], fails), Sight([AlertKind.RUN_FAILED], lambda _: [a_condition()])]
    )
    found = sights.look(NOW)
    assert (found.blind, found.conditions) == ({AlertKind.DRIFT}, [a_condition()])


def test_a_slow_look_is_taken_again_only_after_its_time() -> None:
    looked: list[float] = []

    def look(now: float) -> list[Condition]:
        looked.append(now)
        return [a_condition()]

    sights = Sights([Sight([AlertKind.RUN_FAILED], look, every_s=30)])
    assert all(sights.look(NOW + later).conditions for later in (0, 10, 29, 30, 31))
    assert looked == [NOW, NOW + 30]


def test_too_many_of_a_kind_become_one_and_those_that_stand_are_told_apart_first() -> None:
    many = [a_condition(f"m{number:04}") for number in range(1_000)]
    found = bounded(many, {(AlertKind.RUN_FAILED, "m0999")})
    assert len(found) == MOST_A_KIND + 1
    assert found[0].subject == "m0999"
    assert (found[-1].subject, found[-1].count) == (OTHERS, 1_000 - MOST_A_KIND)
