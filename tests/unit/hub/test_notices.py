"""The queue of notices and who empties it: at least once, never lost, given up visibly."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.alert_records import AlertEvent, AlertLevel, ChannelKind
from fleetloop_hub.alerting.book import AlertBook
from fleetloop_hub.alerting.sights import Sight, Sights
from fleetloop_hub.errors import AlertError
from fleetloop_hub.notifying import queue as queues
from fleetloop_hub.notifying.delivery import MOST_TRIES, Delivery, DeliveryError, wait_s
from fleetloop_hub.notifying.notifier import Notifier
from fleetloop_hub.notifying.queue import NoticeQueue
from fleetloop_hub.ports import Catalog
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.watchman import Watchman
from fleetloop_shared.errors import DiskFullError
from support.alerted import a_condition, an_alert
from support.receivers import a_notice, a_webhook, receiver

NOW = 1_000_000.0


class Told:
    """Senders that take, refuse, or wait."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.refuses: set[str] = set()
        self.waits: dict[str, threading.Event] = {}

    def __call__(self, channel: object, delivery: Delivery) -> None:
        self.got.append((delivery.channel, delivery.id))
        if delivery.channel in self.waits:
            self.waits[delivery.channel].wait(30)
        if delivery.channel in self.refuses:
            raise DeliveryError("not now")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = TinyDbCatalog(tmp_path / "catalog")
    yield opened
    opened.close()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[NoticeQueue]:
    opened = NoticeQueue(tmp_path / "notices.sqlite")
    yield opened
    opened.close()


def test_a_notice_is_queued_once_however_often_it_is_put(queue: NoticeQueue) -> None:
    for _ in range(3):
        queue.put(a_notice(), ["ops", "mail"], NOW)
    assert {d.channel for d in queue.due(NOW)} == {"ops", "mail"}
    for delivery in queue.due(NOW):
        queue.sent(delivery, NOW)
    queue.put(a_notice(), ["ops"], NOW)
    assert queue.due(NOW) == []
    assert queue.standing()["ops"].sent == 1


def test_what_was_put_is_there_after_the_process_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "notices.sqlite"
    program = (
        "import os, sys; from pathlib import Path\n"
        "from fleetloop_hub.notifying.cloud_event import Notice\n"
        "from fleetloop_hub.notifying.queue import NoticeQueue\n"
        "queue = NoticeQueue(Path(sys.argv[1]))\n"
        "queue.put(Notice(id='n-1', event='opened', body=b'{}'), ['ops'], 1.0)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert done.returncode == -9
    queue = NoticeQueue(path)
    assert [d.id for d in queue.due(NOW)] == ["n-1"]
    queue.close()


def test_killed_between_the_sending_and_the_note_of_it_a_notice_is_sent_again_under_its_id(
    tmp_path: Path, catalog: Catalog
) -> None:
    with receiver() as got_by:
        catalog.put(a_webhook(got_by.url))
        queue = NoticeQueue(tmp_path / "notices.sqlite")
        queue.put(a_notice(), ["ops"], NOW)
        child = os.fork()
        if child == 0:  # sends, and is killed before it can note it
            mine = NoticeQueue(tmp_path / "notices.sqlite")
            mine.sent = lambda *_: os.kill(os.getpid(), 9)  # type: ignore[method-assign] # the cut
            Notifier(catalog, mine).step()
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
        Notifier(catalog, queue).step()
        queue.close()
    assert [got.headers["webhook-id"] for got in got_by.got] == [a_notice().id] * 2
    assert got_by.got[0].body == got_by.got[1].body


def test_a_notice_that_is_not_taken_is_tried_later_and_later_and_then_given_up(
    catalog: Catalog, queue: NoticeQueue
) -> None:
    clock, told = Clock(), Told()
    catalog.put(a_webhook("https://example.org/"))
    told.refuses = {"ops"}
    notifier = Notifier(catalog, queue, {ChannelKind.WEBHOOK: told}, clock)
    queue.put(a_notice(), ["ops"], clock.now)
    waits = []
    while not queue.dead():
        next_at = queue.next_at()
        assert next_at is not None
        waits.append(next_at - clock.now)
        clock.now = next_at
        notifier.step()
    assert len(told.got) == MOST_TRIES
    assert all(
        wait_s(tries, 0.0) <= wait <= wait_s(tries, 1.0) for tries, wait in enumerate(waits[1:], 1)
    )
    (dead,) = queue.dead()
    assert (dead.tries, dead.error) == (MOST_TRIES, "not now")
    told.refuses = set()
    assert queue.again("ops", dead.id, clock.now) == 1
    notifier.step()
    assert (queue.dead(), queue.standing()["ops"].sent) == ([], 1)


def test_a_receiver_that_is_away_is_asked_once_for_all_that_waits(
    catalog: Catalog, queue: NoticeQueue
) -> None:
    clock, told = Clock(), Told()
    catalog.put(a_webhook("https://example.org/"), a_webhook("https://example.org/", "other"))
    told.refuses = {"ops"}
    notifier = Notifier(catalog, queue, {ChannelKind.WEBHOOK: told}, clock)
    for number in range(10):
        queue.put(a_notice(f"m{number}"), ["ops", "other"], clock.now)
    for _ in range(10):
        notifier.step()
    assert [channel for channel, _ in told.got].count("ops") == 1
    assert [channel for channel, _ in told.got].count("other") == 10


def test_a_receiver_that_never_answers_holds_up_no_other(
    catalog: Catalog, queue: NoticeQueue
) -> None:
    told = Told()
    told.waits = {"ops": threading.Event()}
    catalog.put(a_webhook("https://example.org/"), a_webhook("https://example.org/", "other"))
    notifier = Notifier(catalog, queue, {ChannelKind.WEBHOOK: told})
    notifier.start()
    try:
        for number in range(3):
            notifier.tell(replace(an_alert(f"m{number}"), owed=AlertEvent.OPENED))
        until(lambda: queue.standing().get("other", queues.Standing()).sent == 3)
        assert queue.standing()["ops"].waiting == 3
        told.waits.pop("ops").set()
        until(lambda: queue.standing()["ops"].sent == 3)
    finally:
        notifier.stop()


def test_only_channels_that_are_to_hear_an_alert_are_told(
    catalog: Catalog, queue: NoticeQueue
) -> None:
    deaf = replace(a_webhook("https://example.org/", "deaf"), level=AlertLevel.BAD)
    gone = replace(a_webhook("https://example.org/", "gone"), gone=True)
    catalog.put(a_webhook("https://example.org/"), deaf, gone)
    Notifier(catalog, queue).tell(replace(an_alert(), owed=AlertEvent.OPENED))
    assert [d.channel for d in queue.due(NOW * 1e6)] == ["ops"]


def test_a_queue_that_is_full_gives_up_what_comes_and_says_so(
    queue: NoticeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST_WAITING", 2)
    for number in range(3):
        queue.put(a_notice(f"m{number}"), ["ops"], NOW)
    assert (queue.standing()["ops"].waiting, queue.standing()["ops"].dead) == (2, 1)
    assert "waited" in queue.dead()[0].error


def test_what_was_sent_or_given_up_is_kept_in_bounds(
    queue: NoticeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST_KEPT", 3)
    for number in range(8):
        queue.put(a_notice(f"m{number}"), ["ops"], NOW + number)
        (delivery,) = queue.due(NOW + number)
        queue.sent(delivery, NOW + number)
    assert queue.standing()["ops"].sent == 3


def test_the_watchman_hands_an_event_over_once_though_the_note_of_it_was_lost(
    catalog: Catalog, queue: NoticeQueue
) -> None:
    catalog.put(a_webhook("https://example.org/"))
    notifier, book = Notifier(catalog, queue), AlertBook(catalog)
    sights = Sights([Sight([a_condition().kind], lambda _: [a_condition()])])
    cut = AlertBook(catalog)
    cut.told = lambda _: None  # type: ignore[method-assign,assignment] # killed before it was noted
    Watchman(sights, cut, notifier, now=lambda: NOW).look()
    Watchman(sights, book, notifier, now=lambda: NOW + 9).look()
    Watchman(sights, book, notifier, now=lambda: NOW + 10).look()
    assert queue.standing()["ops"].waiting == 1


def test_a_file_that_is_no_queue_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "notices.sqlite"
    path.write_bytes(b"something else" * 100)
    with pytest.raises(AlertError, match="cannot be used"):
        NoticeQueue(path)
    assert path.read_bytes() == b"something else" * 100


def test_a_disk_that_takes_no_writes_is_said_so(tmp_path: Path) -> None:
    queue = NoticeQueue(tmp_path / "notices.sqlite")
    queue._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(DiskFullError):
        queue.put(a_notice(), ["ops"], NOW)
    queue.close()


@pytest.mark.parametrize("draw", [0.0, 0.3, 1.0])
def test_waits_grow_to_an_hour_and_no_further(draw: float) -> None:
    waits = [wait_s(tries, draw) for tries in range(1, 50)]
    assert waits == sorted(waits)
    assert waits[-1] == 3_600 * (0.5 + 0.5 * draw)


def until(met: object) -> None:
    deadline = time.monotonic() + 30
    while not met():  # type: ignore[operator] # a test's question
        assert time.monotonic() < deadline
        time.sleep(0.005)
