"""Chunks in a window: paced, asked for when they do not come, resumed, never trusted."""

import itertools
import math
from pathlib import Path

import msgspec
import pytest

from fleetloop_agent.config import FetchConfig
from fleetloop_agent.update.download import (
    ASKED_AT_ONCE,
    SLOW_REQUESTS,
    SLOWEST_S,
    STALL_LIMIT_S,
    SYNC_S,
)
from fleetloop_agent.update.parts import PARTS, SYNC_CHUNKS, Part, discard_all
from fleetloop_agent.update.window import Window
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.chunks import split
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import ChunkError, DiskFullError, EndlessDataError, RefusedError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Transport
from fleetloop_shared.messages import ChunkRequest
from fleetloop_shared.topics import Topic
from support.agent_board import MemoryLink

SIZE = 100
BLOB = bytes(range(256)) * 12
CHUNKS = split(BLOB, SIZE)
TRANSPORT = Transport(
    encoding="identity",
    sha256=sha256_hex(BLOB),
    length_bytes=len(BLOB),
    chunk_bytes=SIZE,
    chunks=[sha256_hex(chunk) for chunk in CHUNKS],
)
GET = Topic.GET.at(device="station-1")


def topic(index: int) -> str:
    return Topic.BLOB.at(sha256=TRANSPORT.sha256, index=index)


class Rig:
    def __init__(self, fetch: FetchConfig | None = None) -> None:
        self.disk = Flash()
        self.link = MemoryLink()
        self.link.connect()
        self.link.events()
        self.fetch = fetch or FetchConfig(stall_s=4.0)
        self.now = 100.0
        self.open()

    def open(self) -> None:
        self.part = Part(self.disk, TRANSPORT)
        self.window = Window("station-1", self.link, self.fetch)
        self.download = self.window.open(self.part)

    def give(self, *indexes: int) -> None:
        for index in indexes:
            self.download.receive(index, CHUNKS[index], self.now)

    def step(self, seconds: float = 0.0) -> float:
        self.now += seconds
        return self.window.step(self.now)

    @property
    def waits_for(self) -> list[int]:
        names = [name.rpartition("/")[2] for name in self.link.subscriptions]
        return sorted(int(name) for name in names if name != "+")

    @property
    def requests(self) -> list[list[int]]:
        return [decode(payload, ChunkRequest).missing for payload in self.link.sent(GET)]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_window_of_exact_topics_slides_along(rig: Rig) -> None:
    rig.step()
    assert rig.waits_for == list(range(8))
    rig.give(0, 3)
    rig.step()
    assert rig.waits_for == [1, 2, 4, 5, 6, 7, 8, 9]


def test_the_blob_is_whole_when_all_chunks_came_in_any_order(rig: Rig) -> None:
    for index in reversed(range(len(CHUNKS))):
        rig.step()
        rig.give(index)
    assert rig.download.done
    assert rig.part.read() == BLOB
    assert rig.waits_for == []


def test_an_empty_payload_is_a_cleared_topic_and_no_chunk(rig: Rig) -> None:
    rig.step()
    rig.download.receive(0, b"", rig.now)
    assert rig.part.count == 0


def test_a_chunk_that_comes_twice_is_taken_once(rig: Rig) -> None:
    rig.step()
    rig.give(0, 0)
    assert rig.part.count == 1


@pytest.mark.parametrize(
    ("payload", "refusal"),
    [
        (b"x", ChunkError),
        (CHUNKS[1], ChunkError),
        (CHUNKS[0] + b"x", EndlessDataError),
        (b"x" * 100_000, EndlessDataError),
    ],
)
def test_a_corrupt_chunk_is_refused_and_stays_asked_for(
    rig: Rig, payload: bytes, refusal: type[RefusedError]
) -> None:
    rig.step()
    with pytest.raises(refusal):
        rig.download.receive(0, payload, rig.now)
    assert 0 in rig.waits_for
    rig.step(1.0)
    assert rig.requests == [list(range(len(CHUNKS)))], "the broker would only repeat it"
    rig.give(0)
    assert rig.part.has(0)


def test_a_chunk_that_the_manifest_does_not_have_is_refused(rig: Rig) -> None:
    with pytest.raises(ChunkError):
        rig.download.receive(len(CHUNKS), b"one more", rig.now)


def test_what_does_not_come_is_asked_for_with_growing_jittered_pauses(rig: Rig) -> None:
    at = [rig.step()]
    while len(rig.requests) < 8:
        rig.now = at[-1]
        at.append(rig.window.step(rig.now))
    pauses = [b - a for a, b in itertools.pairwise(at)]
    assert 2.0 <= at[0] - 100.0 <= 6.0
    assert max(pauses) <= STALL_LIMIT_S
    assert pauses[-1] > pauses[0]
    assert len(set(pauses[:3])) == 3


def test_two_devices_do_not_ask_at_the_same_moment() -> None:
    rig = Rig()
    other = Window("station-2", rig.link, rig.fetch)
    other.open(Part(Flash(), TRANSPORT))
    assert rig.step() != other.step(rig.now)


def test_a_request_subscribes_anew_as_the_subscription_may_be_what_was_lost(rig: Rig) -> None:
    rig.step()
    rig.link.subscribed.clear()
    rig.step(10.0)
    own = Topic.CHUNK.at(device="station-1", sha256=TRANSPORT.sha256, index="+")
    assert rig.link.subscribed == [own, *(topic(index) for index in range(8))]


def test_progress_puts_the_next_request_off(rig: Rig) -> None:
    due = rig.step()
    rig.now = due - 0.01
    rig.give(0)
    rig.now = due
    rig.step()
    assert rig.requests == []


def test_a_reconnect_asks_for_the_missing_ones_only(rig: Rig) -> None:
    rig.step()
    rig.give(0, 1, 5)
    rig.link.disconnect()
    assert rig.step() < math.inf, "what came is still to be synced"
    rig.link.connect()
    rig.window.reconnected()
    rig.step()
    assert rig.waits_for == [2, 3, 4, 6, 7, 8, 9, 10]


def test_without_a_connection_nothing_is_asked_for(rig: Rig) -> None:
    rig.link.disconnect()
    assert rig.step() == math.inf
    assert rig.requests == []
    assert rig.link.subscribed == []


def test_closing_unsubscribes(rig: Rig) -> None:
    rig.step()
    rig.step(10.0)
    rig.window.close(rig.download)
    assert rig.link.subscriptions == set()
    assert rig.step(1_000.0) == math.inf


def test_a_chunk_withheld_again_and_again_is_reported_once_and_still_asked_for(rig: Rig) -> None:
    at = rig.step()
    for _ in range(10):
        rig.now = at
        at = rig.step()
        if len(rig.requests) < SLOW_REQUESTS:
            assert rig.window.withheld() == []
        elif len(rig.requests) == SLOW_REQUESTS:
            assert [error.reason for error in rig.window.withheld()] == ["slow-retrieval"]
        else:
            assert rig.window.withheld() == []
    assert len(rig.requests) == 10
    rig.give(0)
    assert rig.part.has(0)


def test_a_bad_chunk_that_is_repeated_for_ever_is_asked_for_ever_more_rarely(rig: Rig) -> None:
    rig.step()
    for _ in range(600):
        with pytest.raises(ChunkError):
            rig.download.receive(0, b"x", rig.now)
        rig.step(1.0)
    assert 10 <= len(rig.requests) <= 20, "ten minutes: once a second, then once a minute"


def test_on_a_slow_link_nothing_is_asked_for_before_it_can_be_here(rig: Rig) -> None:
    for index in range(len(CHUNKS)):
        at = rig.now + 30.0
        while rig.now < at:
            rig.now = min(at, rig.step())
        rig.give(index)
    assert 1 <= len(rig.requests) <= 4, "only before the first chunk has shown how slow it is"


def test_a_sender_that_trickles_can_slow_a_chunk_down_to_minutes_and_no_further(rig: Rig) -> None:
    longest_s = 0.0
    for index in range(len(CHUNKS)):
        asked, since, at = len(rig.requests), rig.now, rig.now
        while len(rig.requests) == asked:
            rig.now = at
            at = rig.step()
        longest_s = max(longest_s, rig.now - since)
        rig.give(index)
    assert longest_s <= SLOWEST_S


def test_one_request_names_a_bounded_number_of_chunks() -> None:
    rig = Rig()
    hashes = [sha256_hex(b"x")] * 1_000
    many = msgspec.structs.replace(TRANSPORT, chunks=hashes, length_bytes=1_000 * SIZE)
    rig.window.close(rig.download)
    rig.window.open(Part(rig.disk, many))
    rig.step()
    rig.step(10.0)
    assert [len(missing) for missing in rig.requests] == [ASKED_AT_ONCE]


# --- several downloads, one window ---------------------------------------------------------------


OTHER = bytes(reversed(range(256))) * 6
OTHER_CHUNKS = split(OTHER, SIZE)
OTHER_TRANSPORT = Transport(
    encoding="identity",
    sha256=sha256_hex(OTHER),
    length_bytes=len(OTHER),
    chunk_bytes=SIZE,
    chunks=[sha256_hex(chunk) for chunk in OTHER_CHUNKS],
)


def deliver(rig: Rig) -> tuple[int, int]:
    """Hand over one chunk of what each topic asks for; how many came of either blob."""
    first = second = 0
    for name in sorted(rig.link.subscriptions):
        *_, sha256, index = name.split("/")
        chunks = CHUNKS if sha256 == TRANSPORT.sha256 else OTHER_CHUNKS
        rig.window.receive(sha256, int(index), chunks[int(index)], rig.now)
        first, second = first + (chunks is CHUNKS), second + (chunks is not CHUNKS)
    return first, second


def test_two_downloads_share_the_window_fairly_and_each_has_its_own_bitmap(rig: Rig) -> None:
    rig.step()
    other = rig.window.open(Part(rig.disk, OTHER_TRANSPORT))
    rig.step()
    assert len(rig.link.subscriptions) == 8, "the window is not larger for two"
    deliver(rig)
    while not other.done:
        rig.step()
        assert len(rig.link.subscriptions) <= 8
        assert deliver(rig) == (4, min(4, len(OTHER_CHUNKS) - other.part.count + 4))
    assert other.part.read() == OTHER
    assert not rig.download.done
    assert Part(rig.disk, OTHER_TRANSPORT).whole
    assert Part(rig.disk, TRANSPORT).count == rig.part.count // SYNC_CHUNKS * SYNC_CHUNKS
    while not rig.download.done:
        rig.step()
        deliver(rig)
    assert rig.part.read() == BLOB


def test_two_downloads_share_the_pace() -> None:
    rig = Rig(FetchConfig(max_bytes_per_s=50, stall_s=1000.0))
    rig.window.open(Part(rig.disk, OTHER_TRANSPORT))
    taken = [0, 0]
    for _ in range(200):
        rig.step(0.1)
        first, second = deliver(rig)
        taken = [taken[0] + first, taken[1] + second]
    assert 10 <= sum(taken) <= 11
    assert abs(taken[0] - taken[1]) <= 1


# --- where the broker keeps nothing --------------------------------------------------------------


def test_where_the_hub_answers_directly_a_window_is_asked_for_and_slides(rig: Rig) -> None:
    rig.window.answered_directly(direct=True)
    rig.step()
    own = Topic.CHUNK.at(device="station-1", sha256=TRANSPORT.sha256, index="+")
    assert rig.link.subscriptions == {own}
    assert rig.requests == [list(range(8))]
    rig.give(0, 1, 2)
    rig.step()
    assert rig.requests[1:] == [[8, 9, 10]]
    for index in range(3, len(CHUNKS)):
        rig.give(index)
        rig.step()
    assert rig.part.read() == BLOB
    assert sorted(index for asked in rig.requests for index in asked) == list(range(len(CHUNKS)))


def test_a_lost_direct_answer_is_asked_for_again(rig: Rig) -> None:
    rig.window.answered_directly(direct=True)
    rig.step()
    rig.give(0, 1, 2, 3, 4, 5, 6)
    rig.step()
    rig.step(10.0)
    assert rig.requests[-1] == list(range(7, 15))


def test_a_download_changes_over_when_the_hub_says_so(rig: Rig) -> None:
    rig.step()
    rig.give(0, 1)
    rig.window.answered_directly(direct=True)
    rig.step()
    assert rig.requests == [list(range(2, 10))]
    rig.window.answered_directly(direct=False)
    rig.step()
    assert rig.waits_for == list(range(2, 10))


def test_the_pace_is_kept() -> None:
    rig = Rig(FetchConfig(max_bytes_per_s=50, stall_s=1000.0))
    taken = 0
    for _ in range(200):
        rig.step(0.1)
        for index in rig.waits_for:
            rig.give(index)
            taken += 1
    assert 10 <= taken <= 11, "20 seconds at 50 bytes/s are 10 chunks of 100 bytes, and the first"


def test_the_pace_says_when_to_step_again() -> None:
    rig = Rig(FetchConfig(max_bytes_per_s=50, stall_s=1000.0))
    assert rig.step() == pytest.approx(rig.now + 2.0)


def test_with_a_pace_only_the_window_is_asked_for() -> None:
    rig = Rig(FetchConfig(max_bytes_per_s=50, stall_s=1.0, window=1))
    rig.step()
    rig.step(1.6)
    assert rig.requests == [[0]]


def resumed(rig: Rig) -> int:
    rig.open()
    return rig.part.count


def test_chunks_survive_a_restart_after_a_second_or_some_chunks(rig: Rig) -> None:
    rig.step()
    rig.give(0, 1)
    assert resumed(rig) == 0
    rig.step()
    rig.give(0, 1)
    rig.step(SYNC_S)
    assert resumed(rig) == 2
    rig.step()
    rig.give(*range(2, 2 + SYNC_CHUNKS))
    assert resumed(rig) == 2 + SYNC_CHUNKS


def test_chunks_that_the_bitmap_names_are_checked_before_they_count(rig: Rig) -> None:
    rig.step()
    rig.give(*range(SYNC_CHUNKS))
    rig.disk.write(PARTS / f"{TRANSPORT.sha256}.data", b"rot", 2 * SIZE)
    assert resumed(rig) == SYNC_CHUNKS - 1
    assert 2 in rig.part.missing


@pytest.mark.parametrize("bitmap", [b"", b"\1" * 1000, b"\xff" * 31, b"\1"])
def test_a_torn_bitmap_is_no_proof(rig: Rig, bitmap: bytes) -> None:
    rig.disk.write(PARTS / f"{TRANSPORT.sha256}.bitmap", bitmap)
    assert resumed(rig) == 0


def test_a_part_that_finds_no_room_keeps_what_it_had(rig: Rig) -> None:
    rig.step()
    rig.give(*range(SYNC_CHUNKS))
    rig.disk.limit_bytes = 0
    with pytest.raises(DiskFullError):
        rig.give(SYNC_CHUNKS)
    rig.disk.limit_bytes = 100_000
    assert resumed(rig) == SYNC_CHUNKS


def test_a_discarded_part_is_gone(rig: Rig) -> None:
    rig.step()
    rig.give(*range(SYNC_CHUNKS))
    rig.part.discard()
    assert rig.part.count == 0
    assert rig.part.read() == b""
    assert rig.disk.names(PARTS) == []
    rig.part.discard()


def test_discarding_all_leaves_other_folders_alone(rig: Rig) -> None:
    rig.disk.write(Path("artifacts/x"), b"kept")
    rig.disk.write(PARTS / "old.data", b"not kept")
    discard_all(rig.disk)
    assert rig.disk.names(PARTS) == []
    assert rig.disk.read(Path("artifacts/x")) == b"kept"


def test_what_is_durable_already_is_not_written_again(rig: Rig) -> None:
    rig.step()
    rig.give(*range(SYNC_CHUNKS))
    acts = rig.disk.room_acts
    rig.step(SYNC_S)
    assert rig.disk.room_acts == acts


def test_after_any_power_cut_the_synced_chunks_are_here_and_no_other_counts(rig: Rig) -> None:
    rig.step()
    rig.give(*range(SYNC_CHUNKS))
    rig.step()
    rig.give(SYNC_CHUNKS)
    images = list(rig.disk.aftermath().every())
    assert images
    for image in images:
        part = Part(Flash(image=image), TRANSPORT)
        assert [part.has(index) for index in range(SYNC_CHUNKS)] == [True] * SYNC_CHUNKS
        whole = part.read()
        for index in range(len(CHUNKS)):
            if part.has(index):
                assert whole[index * SIZE : (index + 1) * SIZE] == CHUNKS[index]
