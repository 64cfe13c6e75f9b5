"""Somebody with all rights at the broker against a real hub and real agents: each attempt is named.

The broker, the hub, the agents, their disks and the self-test's child processes are the real ones.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.people_records import Role
from fleetloop_hub.web.app import create_app
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.link import Received
from fleetloop_shared.messages import Ack, ChunkRequest, DeviceState, HubState
from fleetloop_shared.reports import EventKind, EventReport
from fleetloop_shared.topics import Topic
from support import bad_models
from support.attacked_fleet import AttackedFleet, attacked_fleet, director_topic
from support.hubside import Hubside, manifest_of

pytestmark = pytest.mark.integration

STRANGER = Hubside()
IMAGE, DIRECTOR, HUB = Topic.IMAGE.at(), director_topic(), Topic.HUB.at()
ONE, TWO = "station-1", "station-2"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[AttackedFleet]:
    with attacked_fleet(tmp_path, [ONE, TWO]) as made:
        made.release(STRANGER.ship(1))  # the models are the same, the keys are not
        yield made


def named(fleet: AttackedFleet, *names: tuple[str, str]) -> None:
    """Wait until the console names all of these: (whom, what)."""
    fleet.until(lambda: set(names) <= set(fleet.attempts()), f"{names}")


def on_both(name: str) -> list[tuple[str, str]]:
    return [(ONE, name), (TWO, name)]


def overheard(fleet: AttackedFleet, topic: str) -> bytes:
    """What stands on a topic, as the attacker reads it."""
    fleet.attacker.events()
    fleet.attacker.subscribe(topic)
    found: list[bytes] = []

    def look() -> bool:
        found.extend(
            e.payload
            for e in fleet.attacker.events()
            if isinstance(e, Received) and e.topic == topic
        )
        return bool(found)

    fleet.until(look, topic)
    fleet.attacker.unsubscribe(topic)
    return found[-1]


def test_every_attempt_is_refused_named_and_mended(fleet: AttackedFleet) -> None:
    old = overheard(fleet, DIRECTOR)
    fleet.release(STRANGER.ship(2))
    fleet.until(lambda: all(station.rests() for station in fleet.stations), "tidy disks")
    before = [station.models() for station in fleet.stations]
    assert fleet.attempts() == {}

    fleet.say(DIRECTOR, old)
    named(fleet, *on_both("rollback"), ("unknown", "replayed"))
    fleet.say(DIRECTOR, STRANGER.direct(STRANGER.desire(9, STRANGER.ship(9).release)))
    fleet.say(IMAGE, STRANGER.listing([STRANGER.ship(9)], 9))
    named(fleet, *on_both("arbitrary-software"), ("unknown", "overwritten"))
    fleet.say(IMAGE, b"junk")
    named(fleet, *on_both("undecodable"))
    fleet.say(DIRECTOR, zlib.compress(bytes(2**26), 9))
    named(fleet, *on_both("endless-data"))
    fleet.say(DIRECTOR, b"")
    named(fleet, ("unknown", "cleared"))
    fleet.say(Topic.ACK.at(device=ONE), encode(Ack(boot=1, seqs=[10**6])))
    named(fleet, (ONE, "forged-ack"))
    fleet.say("fleetloop/v1/devices/../up/state", b"{}")
    fleet.say("fleetloop/v1/trust/other", b"{}")
    named(fleet, ("unknown", "topic-injection"))
    state = DeviceState(online=True, boot=1, conn=1, agent="0.1.0", hardware="x")
    fleet.say(Topic.STATE.at(device="ghost"), encode(state))
    named(fleet, ("unknown", "unknown-device"))
    event = EventReport(device=TWO, boot=9, seq=1, at=0.0, kind=EventKind.FAULT, text="no")
    fleet.say(Topic.EVENTS.at(device=ONE), encode(event))
    named(fleet, (ONE, "impersonation"))
    fleet.say(Topic.GET.at(device=TWO), encode(ChunkRequest(sha256="0" * 64, missing=[0])))
    named(fleet, (TWO, "unknown-content"))
    fleet.say(HUB, encode(HubState(online=False)))
    fleet.until(lambda: decode(overheard(fleet, HUB), HubState).online, "the hub's own word")

    assert fleet.all_serve(2)
    assert [station.models() for station in fleet.stations] == before
    reader = create_app(fleet.running, "token", "127.0.0.1", Role.VIEWER).test_client()
    page = reader.get("/attempts").text
    for attempt in fleet.attempts().values():
        assert attempt.title.replace("'", "&#39;") in page
        assert attempt.topic in page
    fleet.release(STRANGER.ship(3))


def test_a_flood_makes_a_number_grow_and_nothing_else(fleet: AttackedFleet) -> None:
    for number in range(45):  # the broker holds messages back from whoever has 100 unread
        fleet.say(DIRECTOR, f"forged {number}".encode())
        fleet.say(Topic.STATE.at(device=f"ghost-{number}"), b"{}", retained=False)
        fleet.say(f"fleetloop/v1/cohorts/c{number}/director", b"x")
        fleet.pump()
    fleet.until(lambda: set(on_both("undecodable")) <= set(fleet.attempts()), "the devices' word")
    fleet.until(lambda: fleet.attempts()["unknown", "unknown-device"].count == 45, "all of them")
    assert set(fleet.attempts()) <= {
        *on_both("undecodable"),
        ("unknown", "overwritten"),
        ("unknown", "unknown-device"),
    }
    fleet.until(lambda: len(overheard(fleet, DIRECTOR)) > 100, "the hub's own word")
    for station in fleet.stations:
        assert station.outbox.counts()[0] < 50
    assert fleet.all_serve(1)
    fleet.release(STRANGER.ship(2))


def test_chunks_that_are_written_over_are_refused_asked_for_and_replaced(
    fleet: AttackedFleet,
) -> None:
    two = STRANGER.ship(2)
    fleet.offer(two)
    where = Topic.BLOB.at(sha256=two.release.manifest_sha256, index=0)

    def spoil() -> bool:
        fleet.say(where, b"spoilt" * 20)
        return set(on_both("corrupt-chunk")) <= set(fleet.attempts())

    fleet.until(spoil, "the devices' word")
    assert fleet.attempts()[ONE, "corrupt-chunk"].topic == where
    assert fleet.all_serve(1)
    fleet.until(lambda: fleet.all_serve(2), "the right chunk")


def test_a_signed_model_that_does_harm_stops_at_the_real_self_test(fleet: AttackedFleet) -> None:
    bomb = bad_models.gigabytes()
    evil = STRANGER.ship_bytes(manifest_of(bomb, 2), bomb)
    fleet.offer(evil)
    named(fleet, *on_both("self-test"))
    assert "bad_alloc" in fleet.attempts()[ONE, "self-test"].text
    assert fleet.all_serve(1)
    fleet.release(STRANGER.ship(3))
