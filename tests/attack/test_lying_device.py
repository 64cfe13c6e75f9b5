"""A device that lies: about its clock, its versions, its counts and its samples."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fleetloop_hub.monitoring.event_times import EventTimes
from fleetloop_hub.monitoring.ingest import Ingest
from fleetloop_hub.monitoring.vetting import Rules, Vetting
from fleetloop_hub.records import VersionState
from fleetloop_shared.codec import decode, encode, encode_compressed
from fleetloop_shared.link import Received
from fleetloop_shared.messages import Ack
from fleetloop_shared.reports import (
    DriftReport,
    HealthReport,
    Label,
    LabelReport,
    ProfileReport,
    Report,
    Sample,
    SampleReport,
)
from fleetloop_shared.sampling import SamplingPolicy
from fleetloop_shared.shadow_report import ShadowReport
from fleetloop_shared.system import ClockOffset
from fleetloop_shared.topics import Topic
from support.examples import MESSAGES
from support.hubparts import Parts, parts
from support.hubrecords import a_version

NOW = 1_790_000_000.0
IN_2038 = 2_147_483_647.0
DAY_S = 86_400.0
POLICY = SamplingPolicy(random_share=1.0, bytes_per_day=10_000, never=["wind"])
EXAMPLES = {type(message): message for message in MESSAGES}
TOPICS = {t.row.message: t for t in Topic if t.row.message is not None}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        ready = msgspec.structs.replace(a_version(1), state=VersionState.RELEASED)
        archived = msgspec.structs.replace(a_version(2), state=VersionState.ARCHIVED)
        made.catalog.put(ready, archived)
        yield made


def ingest(kept: Parts, policy: SamplingPolicy | None = POLICY) -> Ingest:
    rules = Rules(lambda _device: policy, lambda _model: ["temp", "wind"])
    return Ingest(kept.telemetry, vet=Vetting(kept.catalog, kept.telemetry, rules).check)


def said(report: Report) -> Received:
    topic = TOPICS[type(report)]
    payload = encode_compressed(report) if topic.row.compressed else encode(report)
    return Received(topic.at(device=report.device), payload, retained=False)


def a_sample(number: int = 1, **changes: object) -> Sample:
    plain = Sample(
        prediction_id=f"s1.1.{number}",
        at=NOW - 10,
        values=[1.5, None],
        score=0.5,
        label=1,
        version=1,
    )
    return msgspec.structs.replace(plain, **changes)


def samples(seq: int, *rows: Sample, at: float = NOW) -> SampleReport:
    return SampleReport(device="s1", boot=1, seq=seq, at=at, model="rain", samples=list(rows))


def labels(seq: int, *ids: str, at: float = NOW) -> LabelReport:
    told = [Label(prediction_id=name, label=1, at=at) for name in ids]
    return LabelReport(device="s1", boot=1, seq=seq, at=at, labels=told)


def of_version(kind: type[Report], number: int) -> Report:
    report = EXAMPLES[kind]
    assert isinstance(report, Report)
    return msgspec.structs.replace(report, device="s1", model="rain", version=number)


@pytest.mark.parametrize("kind", [DriftReport, ProfileReport, HealthReport])
def test_a_version_that_was_never_released_is_believed_to_nobody(
    kept: Parts, kind: type[Report]
) -> None:
    outcome = ingest(kept).take([said(of_version(kind, 99))], NOW)
    assert outcome.stored == 0
    assert len(outcome.acks) == 1, "acknowledged: sending it again would not make it true"
    assert kept.telemetry.refusals() == {("s1", "unknown-version"): 1}
    assert ingest(kept).take([said(of_version(kind, 1))], NOW).stored == 1


@pytest.mark.parametrize(("kind", "stored"), [(DriftReport, 0), (ProfileReport, 0)])
def test_what_is_said_of_a_retired_version_moves_nothing(
    kept: Parts, kind: type[Report], stored: int
) -> None:
    assert ingest(kept).take([said(of_version(kind, 2))], NOW).stored == stored
    assert kept.telemetry.refusals() == {("s1", "retired-version"): 1}


def test_a_shadow_of_a_version_that_was_never_released_is_no_evidence(kept: Parts) -> None:
    report = EXAMPLES[ShadowReport]
    assert isinstance(report, ShadowReport)
    counts = msgspec.structs.replace(report.counts, model="rain", champion=1, challenger=77)
    made_up = msgspec.structs.replace(report, device="s1", counts=counts)
    assert ingest(kept).take([said(made_up)], NOW).stored == 0
    assert ("s1", "unknown-version") in kept.telemetry.refusals()


def test_a_device_that_still_runs_a_retired_version_is_still_heard(kept: Parts) -> None:
    assert ingest(kept).take([said(of_version(HealthReport, 2))], NOW).stored == 1


def test_samples_of_a_version_that_it_cannot_run_are_refused(kept: Parts) -> None:
    both = samples(1, a_sample(1), a_sample(2, version=7))
    assert ingest(kept).take([said(both)], NOW).stored == 0
    assert kept.telemetry.refusals() == {("s1", "unknown-version"): 1}


def test_a_clock_in_2038_makes_no_row_of_the_future(kept: Parts) -> None:
    taking = ingest(kept)
    taking.take(
        [said(samples(1, a_sample(at=IN_2038), at=IN_2038)), said(labels(2, "s1.1.1"))], NOW
    )
    (found,) = kept.telemetry.labelled("rain")
    assert found.sample.at == NOW
    assert kept.telemetry.refusals() == {("s1", "wrong-clock"): 1}
    taking.take([said(samples(3, a_sample(2))), said(labels(4, "s1.1.2", at=IN_2038))], NOW + 1)
    found_at = {x.label.prediction_id: x.label.at for x in kept.telemetry.labelled("rain")}
    assert found_at == {"s1.1.1": NOW, "s1.1.2": NOW + 1}


@pytest.mark.parametrize("wrong_s", [IN_2038 - NOW, -NOW, 3_600.0, -3_600.0])
def test_the_known_offset_of_a_clock_is_taken_off(kept: Parts, wrong_s: float) -> None:
    times = EventTimes(kept.telemetry)
    health = EXAMPLES[HealthReport]
    assert isinstance(health, HealthReport)
    clock = ClockOffset(offset_s=wrong_s, uncertain_s=0.1)
    times.note(msgspec.structs.replace(health, device="s1", clock=clock))
    assert times.bounded("s1", NOW - 60 + wrong_s, NOW) == pytest.approx(NOW - 60)
    assert times.bounded("s1", IN_2038 * 2, NOW) == NOW
    assert times.bounded("other", NOW - 60, NOW) == NOW - 60


def test_samples_that_nobody_asked_for_are_not_kept(kept: Parts) -> None:
    outcome = ingest(kept, None).take([said(samples(1, a_sample()))], NOW)
    assert (outcome.stored, kept.telemetry.report_count()) == (0, 0)
    assert decode(outcome.acks[0][1], Ack).seqs == [1]
    assert kept.telemetry.refusals() == {("s1", "unasked-samples"): 1}


def test_a_value_that_is_never_to_leave_a_device_is_not_kept(kept: Parts) -> None:
    leak = samples(1, a_sample(1), a_sample(2, values=[1.5, 7.25]))
    assert ingest(kept).take([said(leak)], NOW).stored == 0
    assert kept.telemetry.refusals() == {("s1", "forbidden-field"): 1}
    assert list(kept.telemetry.reports("samples")) == []


def test_a_flood_of_samples_is_bounded_by_the_budget_and_counted(kept: Parts) -> None:
    reports = [samples(n, *(a_sample(100 * n + k) for k in range(50))) for n in range(1, 41)]
    size_bytes = len(encode(reports[0]))
    taking = ingest(kept)
    stored = sum(taking.take([said(r)], NOW).stored for r in reports)
    assert 7 * 10_000 - size_bytes - 2_000 < stored * size_bytes <= 7 * 10_000
    assert kept.telemetry.refusals() == {("s1", "over-budget"): 40 - stored}
    assert taking.take([said(reports[0])], NOW).stored == 1, "one that comes again costs nothing"
    again = ingest(kept)
    assert again.take([said(reports[-1])], NOW).stored == 0, "a restart of the hub fills nothing"
    assert again.take([said(reports[-1])], NOW + 2 * DAY_S).stored == 1


def test_one_liar_does_not_use_up_the_budget_of_another(kept: Parts) -> None:
    taking = ingest(kept)
    for n in range(1, 60):
        taking.take([said(samples(n, *(a_sample(100 * n + k) for k in range(50))))], NOW)
    honest = msgspec.structs.replace(samples(1, a_sample(1)), device="s2")
    assert taking.take([said(honest)], NOW).stored == 1
