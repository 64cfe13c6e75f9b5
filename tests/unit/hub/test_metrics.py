"""What a scraper reads at the hub, parsed as Prometheus does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_agent.update.states import State
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.metrics import families, reported
from fleetloop_hub.metrics.families import (
    ANSWER_BOUNDS_S,
    FAMILIES,
    MOST_SERIES,
    PREDICTIONS,
    REFUSED,
    REQUESTS,
    Kind,
)
from fleetloop_hub.metrics.fleet import UPDATE_STATES
from fleetloop_hub.metrics.meter import Meter
from fleetloop_hub.web.app import create_app
from fleetloop_shared.latency import BINS, bin_of
from fleetloop_shared.reports import EventKind, EventReport, HealthReport
from fleetloop_shared.topics import Topic
from support.hubrecords import a_drift, a_health
from support.hubrig import hub_rig
from support.hubweb import ADMIN, ADMIN_TOKEN, WebHub, fill, problem, show_up, web_hub
from support.scraped import Series, parsed, parsed_open, series

OPEN_METRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


def scraped(hub: WebHub) -> Series:
    answer = hub.client().get("/metrics")
    assert answer.status_code == 200
    return series(parsed(answer.text))


def test_fleet_versions_runs_and_rollouts_are_counted_by_state(hub: WebHub) -> None:
    fill(hub)
    hub.catalog.put(
        Device(key="new-1", cohort="default", hardware="pi4", password="p", enrolled_at=0.0)
    )
    told = scraped(hub)
    cohort = hub.catalog.all(Device)[0].cohort
    assert told[f"fleetloop_devices{{cohort={cohort},state=online}}"] == 1
    assert told["fleetloop_devices{cohort=default,state=never-heard}"] == 1
    assert told["fleetloop_device_updates{state=serving}"] == 1
    assert told["fleetloop_device_updates{state=trial}"] == 0
    assert told["fleetloop_devices_serving{model=rain,version=1}"] == 1
    assert told["fleetloop_versions{state=released}"] == 1
    assert told["fleetloop_versions{state=blocked}"] == 0
    assert told["fleetloop_runs{state=finished}"] == 1
    assert told["fleetloop_rollouts{state=open}"] == 1
    assert told["fleetloop_decisions{verdict=retrain}"] == 1


def test_a_device_that_moves_on_is_counted_where_it_is_now(hub: WebHub) -> None:
    fill(hub)
    client = hub.client()
    client.get("/metrics")
    show_up(hub.telemetry, online=False, state="made-up", version=2)
    told = series(parsed(client.get("/metrics").text))
    assert told["fleetloop_devices_serving{model=rain,version=2}"] == 1
    assert "fleetloop_devices_serving{model=rain,version=1}" not in told
    assert told["fleetloop_device_updates{state=other}"] == 1
    assert sum(n for name, n in told.items() if "state=offline" in name) == 1


def test_whatever_is_refused_is_counted_by_reason_and_names_no_device(hub: WebHub) -> None:
    fill(hub)
    hub.telemetry.refuse("station-1", "malformed", "not JSON", count=3)
    hub.telemetry.refuse("station-2", "malformed", "not JSON")
    answer = hub.client().get("/metrics")
    assert series(parsed(answer.text))["fleetloop_refused_total{reason=malformed}"] == 4
    assert "station-" not in answer.text


def test_open_metrics_is_spoken_to_whoever_asks_for_it(hub: WebHub) -> None:
    fill(hub)
    answer = hub.client().get("/metrics", headers=OPEN_METRICS)
    assert answer.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
    found = parsed_open(answer.text)
    assert series(found)["fleetloop_runs{state=finished}"] == 1
    plain = hub.client().get("/metrics")
    assert plain.content_type.startswith("text/plain; version=")


def test_every_metric_is_exposed_under_its_name_kind_and_text(hub: WebHub) -> None:
    fill(hub)
    for family in FAMILIES:
        values = ["x"] * len(family.labels)
        if family.kind is Kind.HISTOGRAM:
            hub.meter.observe(family, 0.1, *values)
        elif family.kind is Kind.COUNTER:
            hub.meter.add(family, *values, by=0)
    found = {f.name: f for f in parsed(hub.client().get("/metrics").text)}
    unset = {
        families.STEPPED_AT,
        families.CONNECTED,
        families.BACKLOG,
        families.QUEUED,
        families.BUILD,
    }
    for family in [f for f in FAMILIES if f not in unset]:
        exposed = found[family.name.removesuffix("_total")]
        assert (exposed.type, exposed.documentation) == (family.kind, family.text)
    assert any(name.startswith("process_cpu") for name in found)


def test_who_has_not_said_who_they_are_reads_no_metrics(hub: WebHub) -> None:
    client = create_app(hub, ADMIN_TOKEN, "127.0.0.1").test_client()
    assert problem(client.get("/metrics"), 401)
    assert client.get("/metrics", headers=ADMIN).status_code == 200


def test_requests_are_counted_by_route_and_never_by_address(hub: WebHub) -> None:
    client = hub.client()
    client.get("/api/v1/runs/rain-1")
    client.get("/api/v1/runs/rain-2")
    client.get("/no/such/page")
    client.open("/no/such/page", method="BREW")
    told = scraped(hub)
    by_route = {n: v for n, v in told.items() if n.startswith("fleetloop_http_requests_total")}
    assert sum(v for n, v in by_route.items() if "route=/api/v1/runs/<key>" in n) == 2
    assert by_route["fleetloop_http_requests_total{method=GET,route=none,status=404}"] == 1
    assert sum(v for n, v in by_route.items() if "method=other" in n) == 1
    assert "BREW" not in str(by_route)
    assert told["fleetloop_http_request_duration_seconds_count{route=none}"] == 2


def test_beyond_so_many_series_the_rest_is_counted_together() -> None:
    meter = Meter()
    for number in range(MOST_SERIES + 5):
        meter.add(PREDICTIONS, "rain", str(number))
    meter.add(PREDICTIONS, "rain", "0")
    assert meter.value(PREDICTIONS, "rain", "0") == 2
    assert meter.value(PREDICTIONS, "other", "other") == 5
    assert meter.value(PREDICTIONS, "rain", str(MOST_SERIES)) == 0


def test_many_reasons_are_the_largest_and_the_sum_of_the_rest(hub: WebHub) -> None:
    for number in range(MOST_SERIES + 2):
        hub.telemetry.refuse("broker", f"reason-{number}", "so", count=number + 1)
    told = {n: v for n, v in scraped(hub).items() if n.startswith(REFUSED.name)}
    assert len(told) == MOST_SERIES + 1
    assert told["fleetloop_refused_total{reason=other}"] == 1 + 2


def test_states_of_updates_are_the_words_of_the_agent() -> None:
    assert frozenset(State) == UPDATE_STATES


@pytest.mark.parametrize("took_us", [1, 15, 17, 900, 70_000, 9_000_000])
def test_times_fall_below_the_end_of_their_bucket_and_not_below_the_one_before(
    took_us: int,
) -> None:
    counts = [0] * BINS
    counts[bin_of(took_us * 1_000)] = 1
    place = reported.in_buckets(counts).index(1)
    ends = [0.0, *ANSWER_BOUNDS_S, float("inf")]
    assert ends[place] <= took_us / 1e6 <= ends[place + 1]


def test_reports_are_counted_once_however_often_they_come(tmp_path: Path) -> None:
    with hub_rig(tmp_path) as rig:
        rig.device("station-1")
        rig.look()
        health = a_health(1, rows=70)
        assert isinstance(health, HealthReport)
        event = EventReport(
            device="station-1", boot=1, seq=3, at=1.0, kind=EventKind.COMMITTED, text="runs"
        )
        for _ in range(2):
            reported_twice = [(Topic.HEALTH, health), (Topic.EVENTS, event)]
            for topic, report in reported_twice:
                rig.say("station-1", topic, report)
            rig.look()
        meter = rig.hub._meter
        assert meter.value(families.REPORTS, "events") == 1
        assert meter.value(families.EVENTS, "committed") == 1
        assert meter.value(families.CONNECTED) == 1
        assert meter.value(families.EGRESS) == rig.hub.status()["egress_bytes"] > 0


def test_health_and_drift_add_up_by_version() -> None:
    meter = Meter()
    health = [a_health(1, rows=70), a_health(2, rows=30), a_health(3, rows=5, version=2)]
    drift = [a_drift(4, 0.5), a_drift(5, 1.5)]
    reported.note(meter, [("health", h) for h in health] + [("drift", d) for d in drift])
    assert meter.value(PREDICTIONS, "rain", "1") == 100
    assert meter.value(PREDICTIONS, "rain", "2") == 5
    assert meter.value(families.WINDOWS, "rain", "1") == 2
    assert meter.value(families.ALARMS, "rain", "1") == 1
    assert meter.value(families.REPORTS, "health") == 3


def test_a_hub_counts_what_is_told_of_requests_in_memory_alone(hub: WebHub) -> None:
    before = hub.telemetry.revision()
    for _ in range(3):
        scraped(hub)
    assert hub.telemetry.revision() == before
    assert hub.meter.value(REQUESTS, "/metrics", "GET", "200") == 3
