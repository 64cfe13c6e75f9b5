"""Numbers that cannot be are refused and counted; they reach no count, page or decision."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetloop_hub.errors import ImplausibleError
from fleetloop_hub.monitoring import plausible
from fleetloop_hub.monitoring.ingest import Ingest
from fleetloop_hub.monitoring.merging import merged
from fleetloop_shared.codec import decode, encode, encode_compressed
from fleetloop_shared.link import Received
from fleetloop_shared.messages import Ack
from fleetloop_shared.profile import LiveProfile
from fleetloop_shared.reports import (
    CorrelationDrift,
    DriftReport,
    HealthReport,
    ProfileReport,
    Report,
)
from fleetloop_shared.system import ClockOffset, SystemHealth
from fleetloop_shared.topics import Topic
from support.examples import DEVICE, MESSAGES, PROFILE
from support.hubparts import Parts, parts

[DRIFT] = [m for m in MESSAGES if isinstance(m, DriftReport)]
[WINDOW] = [m for m in MESSAGES if isinstance(m, ProfileReport)]
[HEALTH] = [m for m in MESSAGES if isinstance(m, HealthReport)]
FEATURE = DRIFT.features[0]


def profile(**changes: Any) -> ProfileReport:  # noqa: ANN401  # any field
    return replace(WINDOW, profile=replace(PROFILE, **changes))


def feature(**changes: Any) -> DriftReport:  # noqa: ANN401  # any field
    return replace(DRIFT, features=[replace(FEATURE, **changes)])


IMPOSSIBLE: dict[str, Report] = {
    "a window without rows": replace(DRIFT, rows=0),
    "a window of more rows than can be": replace(DRIFT, rows=10**12),
    "a window before the first row": replace(DRIFT, first_row=0),
    "drift since a row that is yet to come": replace(DRIFT, since_row=10_000),
    "an early word about nothing": replace(DRIFT, closed=False, alarm=False),
    "a negative statistic": feature(ratio=-1.0),
    "an absurd statistic": feature(anderson_darling=1e99),
    "more missing than there is": feature(missing_ratio=1.5),
    "more unlisted than there is": feature(unlisted_ratio=1.5),
    "a correlation beyond one": replace(
        DRIFT, correlations=[CorrelationDrift(a="t", b="p", reference=0.0, live=-2.0, ratio=1.0)]
    ),
    "more features than there can be": replace(DRIFT, features=[FEATURE] * 5_000),
    "a profile without rows": profile(rows=0),
    "counts that do not add up": profile(counts=[[1, 4], [0, 2]]),
    "a negative count": profile(counts=[[-1, 5], [0, 2]]),
    "a feature too few": profile(missing=[0]),
    "products of another number of features": profile(near_products=[1]),
    "bins without end": profile(counts=[[4, *[0] * 5_000], [0, 2]]),
    "scores in other bins": profile(score_counts=[4]),
    "scores of other rows": profile(score_counts=[0] * 31 + [5]),
    "more out of range than rows": profile(out_of_range=[5, 0]),
    "a negative square": profile(near_products=[-5, 0, 2]),
    "a mean that the squares do not allow": profile(near_sums=[100, 0]),
    "products that no rows have": profile(near_products=[1_000, 0, 0]),
    "products in no steps": profile(near_step=0),
    "an absurd sum": profile(sums=[10**200, 0]),
    "a smallest value above the largest": profile(low=[3.0, None], high=[2.0, None]),
    "negative rows": replace(HEALTH, rows=-1),
    "more right answers than labels": replace(HEALTH, labels_correct=11),
    "more rows than can be": replace(HEALTH, rows=10**10),
    "answer times in other bins": replace(HEALTH, latency_counts=[1, 2]),
    "fewer answers than none": replace(HEALTH, latency_counts=[-1, *HEALTH.latency_counts[1:]]),
    "a time that runs backwards": replace(HEALTH, latency_p99_ms=-1.0),
    "colder than cold": replace(HEALTH, system=SystemHealth(temperature_c=-300.0)),
    "memory below nothing": replace(HEALTH, system=SystemHealth(memory_total_bytes=-1)),
    "a clock in another age": replace(HEALTH, clock=ClockOffset(offset_s=-1e40, uncertain_s=0.0)),
}
TOPICS = {DriftReport: Topic.DRIFT, ProfileReport: Topic.PROFILE, HealthReport: Topic.HEALTH}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        yield made


def received(report: Report) -> Received:
    topic = TOPICS[type(report)]
    payload = encode_compressed(report) if topic.row.compressed else encode(report)
    return Received(topic.at(device=DEVICE), payload, retained=False)


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_report_is_refused_and_not_asked_for_again(kept: Parts, name: str) -> None:
    report = IMPOSSIBLE[name]
    outcome = Ingest(kept.telemetry).take([received(report), received(HEALTH)])
    assert kept.telemetry.report_count() == 1
    assert kept.telemetry.refusals() == {(DEVICE, "implausible"): 1}
    [(_, ack)] = outcome.acks
    assert set(decode(ack, Ack).seqs) == {report.seq, HEALTH.seq}
    [refusal] = kept.telemetry.last_refusals(9)
    assert refusal.text.endswith(": the report was not taken in")


@pytest.mark.parametrize("report", [DRIFT, WINDOW, HEALTH], ids=lambda r: type(r).__name__)
def test_what_devices_say_in_earnest_is_believed(report: Report) -> None:
    plausible.check(report)


def test_values_at_the_edge_of_what_a_float_can_hold_are_believed() -> None:
    plausible.check(profile(sums=[2**53, 0]))


_numbers = st.integers(-(10**19), 10**19) | st.floats(allow_nan=False, allow_infinity=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.data())
def test_no_numbers_stop_the_hub_or_a_merge(kept: Parts, data: st.DataObject) -> None:
    """Any field of any list of a profile is some other number."""
    plain = msgspec.to_builtins(WINDOW)
    name = data.draw(st.sampled_from(sorted(plain["profile"])))
    held = plain["profile"][name]
    if isinstance(held, list):
        held[data.draw(st.integers(0, len(held) - 1))] = data.draw(_numbers)
    else:
        plain["profile"][name] = data.draw(_numbers)
    payload = encode_compressed(plain)
    topic = Topic.PROFILE.at(device=DEVICE)
    Ingest(kept.telemetry).take([Received(topic, payload, retained=False)])
    for stored in kept.telemetry.reports("profile"):
        assert isinstance(stored.report, ProfileReport)
        together = merged([stored.report.profile] * 3)
        assert together.rows == 3 * stored.report.profile.rows


@given(st.integers(1, 5))
def test_merged_profiles_are_as_plausible_as_their_parts(times: int) -> None:
    whole: LiveProfile = merged([PROFILE] * times)
    plausible.check(replace(WINDOW, profile=whole))
    with pytest.raises(ImplausibleError):
        plausible.check(replace(WINDOW, profile=replace(whole, rows=whole.rows + 1)))
