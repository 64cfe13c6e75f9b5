"""The hub reads its own topics: echoes are silent, anything else there is named and mended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.monitoring.intrusions import RESTORE_S, Intrusions
from fleetloop_shared.codec import encode
from fleetloop_shared.link import Received
from fleetloop_shared.messages import Ack, HubState
from fleetloop_shared.topics import Topic
from support.hubparts import Parts, parts

DIRECTOR = Topic.DIRECTOR.at(cohort="stations")
OTHER = Topic.DIRECTOR.at(cohort="other")
IMAGE = Topic.IMAGE.at()
HUB = Topic.HUB.at()
ACK = Topic.ACK.at(device="station-1")
ONLINE, OFFLINE = encode(HubState(online=True, at=5.0)), encode(HubState(online=False))


class Rig:
    """Intrusions with a hub that has said A and then B."""

    def __init__(self, kept: Parts) -> None:
        self.telemetry = kept.telemetry
        self.found = Intrusions(kept.telemetry, lambda d: d == "station-1", self.made.__contains__)
        self.found.connected(0.0)
        for payload in (b"A", b"B"):
            self.say(DIRECTOR, payload)
        self.say(HUB, ONLINE)
        self.say(IMAGE, b"image")

    made = frozenset({b"long ago"})

    def say(self, topic: str, payload: bytes, *, retained: bool = True) -> None:
        """As the hub, and the echo comes at once."""
        self.found.said(topic, payload, retained=retained)
        self.hear(topic, payload)

    def hear(self, topic: str, payload: bytes, *, at: float = 0.0, retained: bool = False) -> None:
        assert self.found.listen([Received(topic, payload, retained)], at) == []

    @property
    def names(self) -> dict[tuple[str, str], int]:
        return self.telemetry.refusals()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with parts(tmp_path) as kept:
        yield Rig(kept)


def test_what_the_hub_says_comes_back_in_silence(rig: Rig) -> None:
    rig.say(ACK, encode(Ack(boot=1, seqs=[1])), retained=False)
    rig.hear(DIRECTOR, b"B", retained=True)
    assert rig.names == {}
    assert rig.found.due(9.0) == []


def test_an_echo_that_is_overtaken_by_the_next_message_is_no_attempt(rig: Rig) -> None:
    rig.found.said(DIRECTOR, b"C", retained=True)
    rig.found.said(DIRECTOR, b"D", retained=True)
    rig.hear(DIRECTOR, b"C")
    rig.hear(DIRECTOR, b"D")
    assert rig.names == {}


@pytest.mark.parametrize(
    ("topic", "payload", "name", "right"),
    [
        (DIRECTOR, b"forged", "overwritten", b"B"),
        (IMAGE, b"forged", "overwritten", b"image"),
        (DIRECTOR, b"A", "replayed", b"B"),
        (DIRECTOR, b"long ago", "replayed", b"B"),
        (DIRECTOR, b"", "cleared", b"B"),
        (IMAGE, b"", "cleared", b"image"),
        (OTHER, b"forged", "overwritten", b""),
        (HUB, b"no state", "overwritten", ONLINE),
    ],
)
def test_what_a_stranger_writes_on_the_hubs_topics_is_named_and_put_right(
    rig: Rig, topic: str, payload: bytes, name: str, right: bytes
) -> None:
    rig.hear(topic, payload)
    assert rig.names == {("unknown", name): 1}
    [last] = rig.telemetry.last_refusals(1)
    assert last.topic == topic
    assert rig.found.due(0.0) == [(topic, right)]
    rig.say(topic, right)
    assert rig.names == {("unknown", name): 1}


def test_the_hubs_own_will_is_put_right_and_a_second_one_is_somebody_elses(rig: Rig) -> None:
    rig.hear(HUB, OFFLINE)
    assert rig.names == {}
    assert rig.found.due(0.0) == [(HUB, ONLINE)]
    rig.hear(HUB, OFFLINE)
    assert rig.names == {("unknown", "overwritten"): 1}


def test_what_the_hub_said_before_it_was_restarted_is_replaced_and_no_attempt(rig: Rig) -> None:
    rig.hear(DIRECTOR, b"long ago", retained=True)
    rig.hear(HUB, encode(HubState(online=True, at=1.0)), retained=True)
    assert rig.names == {}
    assert dict(rig.found.due(0.0)) == {DIRECTOR: b"B", HUB: ONLINE}


@pytest.mark.parametrize("retained", [False, True])
def test_a_forged_acknowledgement_is_named_and_taken_away(rig: Rig, retained: bool) -> None:  # noqa: FBT001  # a case
    rig.hear(ACK, encode(Ack(boot=1, seqs=[7])), retained=retained)
    assert rig.names == {("station-1", "forged-ack"): 1}
    assert rig.found.due(0.0) == [(ACK, b"")]


def test_topics_that_nobody_has_made_are_named(rig: Rig) -> None:
    for topic in ("trust/other", "cohorts/x/evil", "cohorts/UPPER/director", "devices/x/down/run"):
        rig.hear(f"fleetloop/v1/{topic}", b"x")
    assert rig.names == {("unknown", "topic-injection"): 4}
    assert rig.found.due(9.0) == []


def test_who_overwrites_all_the_time_does_not_make_the_hub_publish_all_the_time(rig: Rig) -> None:
    for n in range(1_000):
        rig.hear(DIRECTOR, f"forged {n}".encode(), at=n / 100)
        for topic, payload in rig.found.due(n / 100):
            rig.say(topic, payload)
    assert rig.names == {("unknown", "overwritten"): 1_000}
    assert rig.found._echoes.total() == 0
    rig.hear(DIRECTOR, b"forged", at=100.0)
    assert rig.found.due(100.0) == [(DIRECTOR, b"B")]
    rig.hear(DIRECTOR, b"forged", at=100.1)
    assert rig.found.due(100.1) == []
    assert rig.found.due(100.0 + RESTORE_S) == [(DIRECTOR, b"B")]


def test_a_flood_of_names_and_topics_fills_no_memory_and_no_table(rig: Rig) -> None:
    for n in range(3_000):
        rig.hear(Topic.DIRECTOR.at(cohort=f"c{n}"), b"x", at=n)
        rig.hear(Topic.ACK.at(device=f"d{n}"), b"x", at=n)
        rig.found.said(ACK, str(n).encode() * 4, retained=False)
    assert len(rig.telemetry.refusals()) == 2
    assert len(rig.found._due) <= 1_000
    assert len(rig.found._said) <= 10_000


def test_what_devices_say_is_handed_on_untouched(rig: Rig) -> None:
    said = [Received(Topic.DRIFT.at(device="station-1"), b"x", retained=False)]
    assert rig.found.listen(said, 0.0) == said


@pytest.mark.parametrize(("apart_s", "told"), [(5.0, 1), (40.0, 0)])
def test_a_hub_that_is_thrown_out_again_and_again_says_so(
    rig: Rig, apart_s: float, told: int
) -> None:
    for number in (1, 2):
        rig.found.connected(number * apart_s)
    assert rig.names.get(("unknown", "second-client"), 0) == told
