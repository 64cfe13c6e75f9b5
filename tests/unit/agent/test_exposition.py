"""What a device tells Prometheus of itself, parsed with Prometheus' own library."""

import msgspec
import pytest

from fleetloop_agent.http_config import HttpConfig
from fleetloop_agent.serving.api import LocalApi
from fleetloop_agent.serving.exposition import CONTENT_TYPE, MOST_FEATURES, Exposition, _Lines
from fleetloop_agent.serving.metric_table import FAMILIES
from fleetloop_agent.serving.refusals import Refusals, Seen
from fleetloop_agent.serving.routes import Routes
from fleetloop_agent.serving.totals import MOST_VERSIONS, Totals
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.latency import quantile_us
from support.agent_board import Bench
from support.agent_rig import AgentRig
from support.http_client import RawClient
from support.hubside import Hubside
from support.scraped import Series, parsed, series
from support.serving_rig import WINDOW_ROWS, model, named, predictor, rows

HUB = Hubside()
ONE = HUB.ship(1)
ROW = {"temperature": 0.5, "pressure": -0.25}
NOBODY = Seen(requests=0, connections=0, refused={}, dropped=0, shut_out=0)


@pytest.fixture
def rig() -> AgentRig:
    rig = AgentRig(HUB, Bench(Flash()))
    rig.bench.link.connect()
    return rig


def exposition(rig: AgentRig) -> Exposition:
    return Exposition(rig.agent.reports.totals, lambda: rig.agent.status, lambda: 30_000_000)


def told(rig: AgentRig) -> Series:
    return series(parsed(exposition(rig).text(NOBODY).decode()))


def test_a_device_without_a_model_says_so(rig: AgentRig) -> None:
    said = told(rig)
    assert said["fleetloop_agent_update_state{state=serving}"] == 1
    assert not any(name.startswith("fleetloop_agent_model_loaded") for name in said)
    assert said["process_resident_memory_bytes{}"] == 30_000_000


def test_answers_errors_and_times_are_counted_by_version_and_only_grow(rig: AgentRig) -> None:
    rig.direct(ONE, 1, soak_rows=0)
    rig.run()
    version = f"{{model={ONE.manifest.model},version=1}}"
    for calls in (3, 7):
        for _ in range(calls):
            rig.agent.predictor.predict([ROW])
        rig.run(130)  # two health reports, which begin to count anew
    said = told(rig)
    assert said[f"fleetloop_agent_model_loaded{version}"] == 1
    assert said[f"fleetloop_agent_predictions_total{version}"] == 10
    assert said[f"fleetloop_agent_prediction_errors_total{version}"] == 0
    assert said[f"fleetloop_agent_prediction_duration_seconds_count{version}"] == 10
    assert said["fleetloop_agent_connected{}"] == 1
    assert said["fleetloop_agent_outbox_reports{}"] > 0


def test_the_histogram_is_that_of_the_health_reports(rig: AgentRig) -> None:
    rig.direct(ONE, 1, soak_rows=0)
    rig.run()
    for _ in range(20):
        rig.agent.predictor.predict([ROW])
    rig.run(1)
    (total,) = rig.agent.reports.totals.by_version().values()
    said = told(rig)
    median_us = quantile_us(total.latency_counts, 0.5)
    assert median_us is not None
    below = {
        float(name.split("le=")[1].split(",")[0]): count
        for name, count in said.items()
        if "prediction_duration_seconds_bucket" in name
    }
    assert below[float("inf")] == 20
    assert list(below.values()) == sorted(below.values())
    end_s = min(end for end, count in below.items() if count >= 10)
    assert end_s / 2**0.5 <= median_us / 1e6 <= end_s


def test_drift_is_told_by_feature() -> None:
    served, totals = predictor(), Totals()
    given = rows(WINDOW_ROWS, seed=3)
    given[:, 0] += 30
    served.predict(named(given))
    collected = served.collect()
    totals.note(collected, served.manifest)
    (total,) = totals.by_version().values()
    assert (total.rows, total.windows, total.alarms) == (WINDOW_ROWS, 1, 1)
    assert totals.last is not None
    ratios = {f.name: f.ratio for f in totals.last[1].features}
    assert ratios["wind"] > 1 > ratios["rain"]


def test_drift_of_many_features_is_bounded(rig: AgentRig, monkeypatch: pytest.MonkeyPatch) -> None:
    served, totals = predictor(), rig.agent.reports.totals
    given = rows(WINDOW_ROWS, seed=3)
    given[:, 1] += 30
    served.predict(named(given))
    totals.note(served.collect(), served.manifest)
    said = told(rig)
    assert said["fleetloop_agent_drift_ratio{feature=rain}"] > 1
    monkeypatch.setattr("fleetloop_agent.serving.exposition.MOST_FEATURES", 1)
    said = told(rig)
    assert "fleetloop_agent_drift_ratio{feature=rain}" not in said
    assert said["fleetloop_agent_drift_ratio{feature=other}"] > 1
    assert MOST_FEATURES == 64


def test_versions_of_long_ago_make_room() -> None:
    served, totals = predictor(), Totals()
    collected = served.collect()
    for version in range(1, MOST_VERSIONS + 3):
        totals.note(collected, msgspec.structs.replace(model()[0], version=version))
    kept = [version for _, version in totals.by_version()]
    assert kept == list(range(3, MOST_VERSIONS + 3))


def test_every_line_is_of_the_table(rig: AgentRig) -> None:
    rig.direct(ONE, 1, soak_rows=0)
    rig.run()
    rig.agent.predictor.predict([ROW])
    rig.run(1)
    counts = Refusals()
    text = exposition(rig).text(counts.seen()).decode()
    known = {f.exposed.removesuffix("_total"): f for f in FAMILIES.values()}
    for family in parsed(text):
        entry = known[family.name]
        assert (family.type, family.documentation) == (entry.kind, entry.text)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(entry.labels)


def test_over_http_it_is_there_only_where_it_is_switched_on(rig: AgentRig) -> None:
    assert not HttpConfig().metrics
    config = HttpConfig(port=0)
    replies = []
    for metrics in (None, exposition(rig).text):
        routes = Routes(rig.agent.predictor, lambda: rig.agent.status, config, metrics)
        api = LocalApi(routes, config)
        api.start()
        try:
            with RawClient(api.address) as client:
                replies.append(client.ask("GET", "/metrics"))
        finally:
            api.stop()
    off, on = replies
    assert (off.status, on.status) == (404, 200)
    assert on.headers["content-type"] == CONTENT_TYPE
    assert series(parsed(on.body.decode()))["fleetloop_agent_http_requests_total{}"] == 1


def test_what_stands_in_a_label_cannot_end_it() -> None:
    lines = _Lines()
    lines.put("drift_ratio", 0.5, feature='a"b\\c\nd 1')
    (family,) = parsed(lines.text().decode())
    assert family.samples[0].labels == {"feature": 'a"b\\c\nd 1'}
