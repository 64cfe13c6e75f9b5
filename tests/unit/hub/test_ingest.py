"""Ingest: what is taken in is durable before it is acknowledged; what is not is counted."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetloop_firmware_sim.network import matches
from fleetloop_hub.monitoring.ingest import FILTERS, Ingest
from fleetloop_shared.codec import decode, encode, encode_compressed
from fleetloop_shared.link import Received
from fleetloop_shared.messages import Ack, ChunkRequest, DeviceState, ReportedState
from fleetloop_shared.reports import Report
from fleetloop_shared.topics import Topic
from support.examples import DEVICE, MESSAGES
from support.hubparts import Parts, parts

REPORTS = [m for m in MESSAGES if isinstance(m, Report)]
TOPICS = {t.row.message: t for t in Topic if t.row.message is not None}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        yield made


def received(message: object, device: str = DEVICE) -> Received:
    topic = TOPICS[type(message)]  # type: ignore[index]  # examples are messages
    payload = encode_compressed(message) if topic.row.compressed else encode(message)
    return Received(topic.at(device=device), payload, retained=False)


@pytest.mark.parametrize("report", REPORTS, ids=[type(r).__name__ for r in REPORTS])
def test_a_report_is_stored_and_then_acknowledged(kept: Parts, report: Report) -> None:
    outcome = Ingest(kept.telemetry).take([received(report)], now=12.5)
    assert kept.telemetry.report_count(DEVICE) == 1
    [(topic, payload)] = outcome.acks
    assert topic == Topic.ACK.at(device=DEVICE)
    assert decode(payload, Ack) == Ack(boot=report.boot, seqs=[report.seq], at=12.5)


def test_a_report_that_comes_twice_is_stored_once_and_acknowledged_twice(kept: Parts) -> None:
    ingest = Ingest(kept.telemetry)
    assert ingest.take([received(REPORTS[0])]).acks == ingest.take([received(REPORTS[0])]).acks
    assert kept.telemetry.report_count() == 1


def test_a_report_in_another_device_s_name_is_refused(kept: Parts) -> None:
    outcome = Ingest(kept.telemetry).take([received(REPORTS[0], device="thief")])
    assert not outcome.acks
    assert kept.telemetry.report_count() == 0
    assert kept.telemetry.refusals() == {("thief", "impersonation"): 1}


def test_one_bad_message_does_not_take_the_good_ones_with_it(kept: Parts) -> None:
    bad = Received(Topic.DRIFT.at(device=DEVICE), b"{", retained=False)
    outcome = Ingest(kept.telemetry).take([bad, received(REPORTS[0]), bad])
    assert outcome.stored == 1
    assert kept.telemetry.refusals() == {(DEVICE, "undecodable"): 2}


def test_requests_for_chunks_are_handed_on(kept: Parts) -> None:
    request = next(m for m in MESSAGES if isinstance(m, ChunkRequest))
    assert Ingest(kept.telemetry).take([received(request)]).requests == [(DEVICE, request)]


def test_the_last_word_of_a_device_is_kept(kept: Parts) -> None:
    reported = next(m for m in MESSAGES if isinstance(m, ReportedState))
    Ingest(kept.telemetry).take([received(reported)])
    [pulse] = kept.telemetry.pulses()
    assert pulse.reported == encode(reported)


BIRTH = DeviceState(online=True, boot=2, conn=5, agent="0.1.0", hardware="pi4")
WILL = msgspec.structs.replace(BIRTH, online=False, conn=0)


@pytest.mark.parametrize(
    "late",
    [msgspec.structs.replace(WILL, boot=1), msgspec.structs.replace(BIRTH, conn=4)],
    ids=["the will of an earlier boot", "the birth of an earlier connection"],
)
def test_what_comes_late_changes_nothing(kept: Parts, late: DeviceState) -> None:
    Ingest(kept.telemetry).take([received(BIRTH), received(late)])
    Ingest(kept.telemetry).take([received(late)])
    [pulse] = kept.telemetry.pulses()
    assert pulse.state == encode(BIRTH)


def test_the_will_of_the_present_boot_puts_a_device_offline(kept: Parts) -> None:
    Ingest(kept.telemetry).take([received(BIRTH), received(WILL)])
    [pulse] = kept.telemetry.pulses()
    assert pulse.state == encode(WILL)


def test_the_birth_after_a_will_puts_it_online_again(kept: Parts) -> None:
    again = msgspec.structs.replace(BIRTH, conn=6)
    Ingest(kept.telemetry).take([received(BIRTH), received(WILL), received(again)])
    [pulse] = kept.telemetry.pulses()
    assert pulse.state == encode(again)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(topic=st.sampled_from([t for t in Topic if "device" in t.row.path]), payload=st.binary())
def test_no_bytes_on_any_topic_stop_the_hub(kept: Parts, topic: Topic, payload: bytes) -> None:
    ingest = Ingest(kept.telemetry)
    outcome = ingest.take(
        [Received(topic.at(device=DEVICE, sha256="ab" * 32, index=0), payload, retained=False)]
    )
    assert outcome.stored == 0


def test_the_hub_listens_to_everything_that_devices_say() -> None:
    said = [t.at(device=DEVICE) for t in Topic if t.row.path.startswith("devices/{device}/up/")]
    assert all(any(matches(f, topic) for f in FILTERS) for topic in said)
    others = [t.every() for t in Topic if not t.row.path.startswith("devices/{device}/up/")]
    assert not any(matches(f, topic) for f in FILTERS for topic in others)


def test_of_a_device_that_has_not_enrolled_only_a_count_is_kept(kept: Parts) -> None:
    messages = [received(m, device=f"ghost-{n}") for n in range(50) for m in (BIRTH, REPORTS[0])]
    outcome = Ingest(kept.telemetry, lambda device: device == DEVICE).take(messages)
    assert (outcome.acks, outcome.stored, kept.telemetry.pulses()) == ([], 0, [])
    assert kept.telemetry.refusals() == {("unknown", "unknown-device"): 100}


@pytest.mark.parametrize("name", ["STATION-1", "a b", "..", "", "x" * 65, "station-1\n", "é"])
def test_a_name_that_is_none_makes_no_device(kept: Parts, name: str) -> None:
    topic = f"fleetloop/v1/devices/{name}/up/state"
    Ingest(kept.telemetry).take([Received(topic, encode(BIRTH), retained=False)])
    assert kept.telemetry.pulses() == []
    assert kept.telemetry.refusals() == {("unknown", "topic-injection"): 1}


def test_a_start_that_leaps_or_lies_before_the_last_is_told_and_stands(kept: Parts) -> None:
    forged = msgspec.structs.replace(BIRTH, boot=10**9)
    Ingest(kept.telemetry).take([received(BIRTH), received(forged), received(BIRTH)])
    assert kept.telemetry.pulses()[0].state == encode(BIRTH)
    assert kept.telemetry.refusals() == {(DEVICE, "impersonation"): 2}


@pytest.mark.parametrize(("pause_s", "told"), [(5.0, 1), (15.0, 0)])
def test_a_device_that_is_thrown_out_again_and_again_is_told(
    kept: Parts, pause_s: float, told: int
) -> None:
    ingest = Ingest(kept.telemetry)
    for conn in range(1, 9):
        ingest.take([received(msgspec.structs.replace(BIRTH, conn=conn))], now=conn * pause_s)
    assert kept.telemetry.refusals().get((DEVICE, "second-client"), 0) == told


def test_a_device_whose_births_do_not_come_through_is_told_by_its_wills(kept: Parts) -> None:
    ingest = Ingest(kept.telemetry)
    ingest.take([received(BIRTH)], now=0.0)
    for number in range(6):
        ingest.take([received(WILL)], now=5.0 * number)
    assert kept.telemetry.refusals() == {(DEVICE, "second-client"): 1}
