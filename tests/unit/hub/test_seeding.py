"""Chunks on the broker: once for everybody, put back when lost, cleared when nothing names them."""

import logging
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fleetloop_hub.delivery.pace import LEAST_BYTES, MOST_BYTES, Pace
from fleetloop_hub.delivery.seeding import DIRECT_CHUNKS, Seeder, Uplink
from fleetloop_hub.fleet_records import Seeded
from fleetloop_shared.messages import ChunkRequest
from fleetloop_shared.topics import Topic
from support.hubparts import Parts, make_version, parts


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        yield made


class Broker:
    """Keeps what is retained; takes nothing while it is away."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.direct: list[tuple[str, bytes]] = []
        self.published = 0
        self.backlog_bytes = 0
        self.there = True

    def publish(self, topic: str, payload: bytes, retained: bool) -> bool:  # noqa: FBT001  # the port's order
        if not self.there:
            return False
        if not retained:
            self.direct.append((topic, payload))
            return True
        self.published += bool(payload)
        self.retained[topic] = payload
        if not payload:
            del self.retained[topic]
        return True


@pytest.fixture
def seeded(kept: Parts) -> tuple[Seeder, Broker]:
    broker = Broker()
    seeder = Seeder(kept.catalog, kept.blobs, Uplink(broker.publish))
    seeder.want([(make_version(kept, 1), 2_000)])
    seeder.pump(now=1.0)
    return seeder, broker


def test_the_broker_keeps_each_chunk_once(kept: Parts, seeded: tuple[Seeder, Broker]) -> None:
    _, broker = seeded
    version = kept.catalog.all(type(make_version(kept, 1)))[0]
    chunks = [Topic.BLOB.at(sha256=str(version.transport), index=i) for i in range(3)]
    assert b"".join(broker.retained[t] for t in chunks) == kept.blobs.get(str(version.transport))
    manifest = broker.retained[Topic.BLOB.at(sha256=str(version.manifest), index=0)]
    assert manifest == kept.blobs.get(str(version.manifest))


def test_what_no_statement_names_is_cleared(kept: Parts, seeded: tuple[Seeder, Broker]) -> None:
    seeder, broker = seeded
    seeder.want([(make_version(kept, 2), 2_000)])
    seeder.pump(now=1.0)
    kept_hashes = {topic.split("/")[3] for topic in broker.retained}
    version = make_version(kept, 2)
    assert kept_hashes == {version.manifest, version.transport}


def test_what_could_not_be_cleared_is_cleared_later_also_by_a_restarted_hub(
    kept: Parts, seeded: tuple[Seeder, Broker]
) -> None:
    seeder, broker = seeded
    broker.there = False
    seeder.want([])
    seeder.pump(now=1.0)
    assert len(broker.retained) == 4
    broker.there = True
    again = Seeder(kept.catalog, kept.blobs, Uplink(broker.publish))
    again.want([])
    again.pump(now=1.0)
    assert not broker.retained
    assert not [seeded for seeded in kept.catalog.all(Seeded) if seeded.live]


def test_a_broker_that_started_empty_is_filled_again(seeded: tuple[Seeder, Broker]) -> None:
    seeder, broker = seeded
    full = dict(broker.retained)
    broker.retained.clear()
    seeder.resume()
    seeder.pump(now=1.0)
    assert broker.retained == full


def test_what_the_link_does_not_take_is_kept_for_later(kept: Parts) -> None:
    broker = Broker()
    seeder = Seeder(kept.catalog, kept.blobs, Uplink(broker.publish))
    broker.there = False
    seeder.want([(make_version(kept, 1), 2_000)])
    seeder.pump(now=1.0)
    assert not broker.retained
    broker.there = True
    seeder.pump(now=1.0)
    assert len(broker.retained) == 4


def test_a_hundred_devices_that_miss_a_chunk_cost_one_message(
    kept: Parts, seeded: tuple[Seeder, Broker]
) -> None:
    seeder, broker = seeded
    sent = broker.published
    request = ChunkRequest(sha256=str(make_version(kept, 1).transport), missing=[0])
    for n in range(100):
        assert seeder.answer("station-1", request, now=10.0 + n / 1_000)
    seeder.pump(now=1.0)
    assert broker.published == sent + 1
    seeder.answer("station-1", request, now=20.0)
    seeder.pump(now=1.0)
    assert broker.published == sent + 2


def test_a_request_for_what_does_not_exist_publishes_nothing(
    seeded: tuple[Seeder, Broker],
) -> None:
    seeder, broker = seeded
    sent = broker.published
    request = ChunkRequest(sha256="ff" * 32, missing=[0])
    assert not seeder.answer("station-1", request, now=1.0)
    seeder.pump(now=1.0)
    assert broker.published == sent


def test_indexes_out_of_range_are_ignored(kept: Parts, seeded: tuple[Seeder, Broker]) -> None:
    seeder, broker = seeded
    sent = broker.published
    request = ChunkRequest(sha256=str(make_version(kept, 1).transport), missing=[-1, 3, 10**9])
    assert seeder.answer("station-1", msgspec.structs.replace(request), now=1.0)
    seeder.pump(now=1.0)
    assert broker.published == sent


def test_a_chunk_asked_for_again_and_again_is_published_ever_more_rarely(
    kept: Parts, seeded: tuple[Seeder, Broker]
) -> None:
    seeder, broker = seeded
    sent = broker.published
    request = ChunkRequest(sha256=str(make_version(kept, 1).transport), missing=[0])
    for second in range(600):
        seeder.answer("station-1", request, now=float(second))
        seeder.pump(now=float(second))
    assert 20 <= broker.published - sent <= 25, "at first every two seconds, then every thirty"


def test_what_was_cleared_but_not_acknowledged_is_cleared_again_after_a_reconnect(
    kept: Parts,
) -> None:
    broker = Broker()
    uplink = Uplink(broker.publish, lambda: broker.backlog_bytes)
    seeder = Seeder(kept.catalog, kept.blobs, uplink)
    seeder.want([(make_version(kept, 1), 2_000)])
    seeder.pump(now=1.0)
    full = dict(broker.retained)
    seeder.want([])
    broker.backlog_bytes = 1
    seeder.pump(now=1.0)
    assert [s.live for s in kept.catalog.all(Seeded)] == [True, True], "not acknowledged yet"
    broker.retained, broker.backlog_bytes = full, 0
    seeder.resume()
    seeder.pump(now=2.0)
    assert not broker.retained
    assert [s.live for s in kept.catalog.all(Seeded)] == [False, False]


def test_a_broker_that_has_forgotten_a_clearing_is_cleared_again(
    kept: Parts, seeded: tuple[Seeder, Broker]
) -> None:
    seeder, broker = seeded
    full = dict(broker.retained)
    seeder.want([])
    seeder.pump(now=1.0)
    broker.retained = full  # from its own disk, as of half a minute before it was killed
    seeder.resume()
    seeder.pump(now=2.0)
    assert not broker.retained


def test_what_is_wanted_again_while_it_is_being_cleared_stays(
    kept: Parts, seeded: tuple[Seeder, Broker]
) -> None:
    seeder, broker = seeded
    broker.there = False
    seeder.want([])
    seeder.pump(now=1.0)
    seeder.want([(make_version(kept, 1), 2_000)])
    broker.there = True
    seeder.pump(now=2.0)
    assert len(broker.retained) == 4
    assert all(s.live for s in kept.catalog.all(Seeded))


def test_a_hub_killed_while_it_published_publishes_the_rest_when_it_starts(kept: Parts) -> None:
    broker, taken = Broker(), 0

    def take_two(topic: str, payload: bytes, retained: bool) -> bool:  # noqa: FBT001  # the port's order
        nonlocal taken
        taken += 1
        return taken <= 2 and broker.publish(topic, payload, retained)

    killed = Seeder(kept.catalog, kept.blobs, Uplink(take_two))
    killed.want([(make_version(kept, 1), 2_000)])
    killed.pump(now=1.0)
    assert len(broker.retained) == 2
    started = Seeder(kept.catalog, kept.blobs, Uplink(broker.publish))
    started.want([(make_version(kept, 1), 2_000)])
    started.resume()
    started.pump(now=1.0)
    assert len(broker.retained) == 4


def test_what_names_new_chunks_waits_until_the_broker_has_them_but_not_for_ever(
    kept: Parts,
) -> None:
    broker = Broker()
    seeder = Seeder(kept.catalog, kept.blobs, Uplink(broker.publish, lambda: broker.backlog_bytes))
    assert seeder.is_ahead(1.0)
    broker.there = False
    seeder.want([(make_version(kept, 1), 2_000)])
    seeder.pump(now=1.0)
    assert not seeder.is_ahead(1.0)
    assert not seeder.is_ahead(60.9)
    assert seeder.is_ahead(61.0), "a minute is enough"
    broker.there, broker.backlog_bytes = True, 100_000
    seeder.pump(now=2.0)
    assert not seeder.is_ahead(3.0), "they are on their way"
    broker.backlog_bytes = 500
    assert seeder.is_ahead(4.0)
    request = ChunkRequest(sha256=str(make_version(kept, 1).transport), missing=[0])
    broker.there = False
    seeder.answer("station-1", request, now=5.0)
    assert seeder.is_ahead(5.0), "nobody can hold statements back by asking"


def test_damaged_content_is_said_and_the_rest_is_published(
    kept: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Broker()
    one, two = make_version(kept, 1), make_version(kept, 2)
    kept.blobs.path(str(one.transport)).write_bytes(b"rot")
    seeder = Seeder(kept.catalog, kept.blobs, Uplink(broker.publish))
    with caplog.at_level(logging.ERROR):
        seeder.want([(one, 2_000), (two, 2_000)])
        kept.blobs.path(str(two.manifest)).write_bytes(b"rot later")
        seeder.pump(now=1.0)
    assert len(caplog.records) == 2
    assert {topic.split("/")[3] for topic in broker.retained} == {one.manifest, two.transport}


def test_chunks_are_not_held_in_memory(kept: Parts) -> None:
    blob = bytes(8_000_000)
    version = msgspec.structs.replace(make_version(kept, 1), transport=kept.blobs.put(blob))
    del blob
    sizes: list[int] = []

    def count(_topic: str, payload: bytes, _retained: bool) -> bool:  # noqa: FBT001  # the port's order
        sizes.append(len(payload))
        return True

    tracemalloc.start()
    try:
        seeder = Seeder(kept.catalog, kept.blobs, Uplink(count))
        seeder.want([(version, 61_440)])
        seeder.pump(now=1.0)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(sizes) == 8_000_000 + version.manifest_bytes
    assert peak_bytes < 2_000_000


# --- a broker that keeps nothing -----------------------------------------------------------------


@pytest.fixture
def forgetful(kept: Parts) -> tuple[Seeder, Broker]:
    broker = Broker()
    seeder = Seeder(kept.catalog, kept.blobs, Uplink(broker.publish, retains=False))
    seeder.want([(make_version(kept, 1), 10)])
    seeder.resume()
    seeder.pump(now=1.0)
    return seeder, broker


def test_a_broker_that_keeps_nothing_gets_nothing_in_advance(
    forgetful: tuple[Seeder, Broker],
) -> None:
    _, broker = forgetful
    assert not broker.retained
    assert not broker.direct


def test_each_device_is_answered_on_its_own_topic(
    kept: Parts, forgetful: tuple[Seeder, Broker]
) -> None:
    seeder, broker = forgetful
    sha256 = str(make_version(kept, 1).transport)
    for device in ("station-1", "station-2"):
        assert seeder.answer(device, ChunkRequest(sha256=sha256, missing=[1, 3, 9_999]), now=1.0)
    seeder.pump(now=1.0)
    blob = kept.blobs.get(sha256)
    assert broker.direct == [
        (Topic.CHUNK.at(device=device, sha256=sha256, index=i), blob[i * 10 : i * 10 + 10])
        for device in ("station-1", "station-2")
        for i in (1, 3)
    ]
    assert not broker.retained


def test_one_device_cannot_make_the_hub_queue_more_than_some_chunks(
    kept: Parts, forgetful: tuple[Seeder, Broker]
) -> None:
    seeder, broker = forgetful
    sha256 = str(make_version(kept, 1).transport)
    broker.there = False
    for start in range(0, 500, 50):
        missing = list(range(start, start + 50))
        seeder.answer("station-1", ChunkRequest(sha256=sha256, missing=missing), now=1.0)
    seeder.answer("station-2", ChunkRequest(sha256=sha256, missing=[0]), now=1.0)
    broker.there = True
    seeder.pump(now=1.0)
    assert len(broker.direct) == DIRECT_CHUNKS + 1


# --- pace ----------------------------------------------------------------------------------------


class Uphill:
    """A link of a certain speed, on which the seeder's chunks are the only load."""

    def __init__(self, bytes_per_s: float, pace: Pace) -> None:
        self._speed, self._pace = bytes_per_s, pace
        self.sent, self.backlog, self.deepest = 0, 0.0, 0.0

    def run(self, seconds: float) -> None:
        steps = round(seconds / 0.1)
        for step in range(steps):
            now = step * 0.1
            while self._pace.room_bytes(int(self.backlog), now) > 0:
                self._pace.sent(61_440, now)
                self.sent, self.backlog = self.sent + 61_440, self.backlog + 61_440
            self.deepest = max(self.deepest, self.backlog)
            self.backlog = max(0.0, self.backlog - self._speed * 0.1)


def test_on_a_slow_uplink_what_is_urgent_waits_for_seconds_only() -> None:
    link = Uphill(125_000, Pace())  # 1 Mbit/s
    link.run(60.0)
    assert link.deepest < LEAST_BYTES + 61_440
    assert link.sent > 0.95 * 60 * 125_000, "and it is used"


def test_a_fast_uplink_is_used() -> None:
    link = Uphill(25_000_000, Pace())
    link.run(10.0)
    assert link.sent > 0.7 * 10 * 25_000_000
    assert link.deepest < MOST_BYTES + 61_440


def test_the_pace_that_was_allowed_is_kept() -> None:
    link = Uphill(25_000_000, Pace(max_bytes_per_s=100_000))
    link.run(60.0)
    assert 60 * 100_000 <= link.sent <= 61 * 100_000 + 61_440


def test_a_clock_that_is_put_back_does_not_stop_the_pace() -> None:
    pace = Pace(max_bytes_per_s=100_000)
    assert pace.room_bytes(0, 1_000_000.0) > 0
    pace.sent(200_000, 1_000_000.0)
    assert pace.room_bytes(0, 1_000_000.1) == 0.0
    assert pace.room_bytes(0, 10.0) > 0
