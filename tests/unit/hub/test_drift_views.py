"""Who has moved and how machines are, on the page, over the API and in the terminal."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.monitoring import odd_words
from fleetloop_hub.monitoring.apart import Apart
from fleetloop_hub.monitoring.drift_words import moved_in
from fleetloop_hub.monitoring.overview import DeviceView
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.verdict_records import Difference, FleetVerdict, Odd, Who
from fleetloop_shared.latency import BINS, bin_of
from fleetloop_shared.reports import CorrelationDrift, DriftReport, HealthReport
from fleetloop_shared.system import ClockOffset, SystemHealth
from support.commands import Run, listening_hub, runner
from support.hubrecords import a_device, a_drift, a_health
from support.hubweb import WebHub, show_up, tell

SCRIPT = "<script>alert(1)</script>"
DIFFERENCE = Difference(
    feature="temperature",
    what="mean",
    size=4.25,
    here=18.5,
    there=14.25,
    unit="°C",
    chance=2e-9,
)
ODD = Odd(name="station-1", rows=1_024, ratio=3.0, differences=[DIFFERENCE])
VERDICT = odd_words.told(
    FleetVerdict(
        model="rain",
        version=1,
        who=Who.DEVICES,
        text="",
        reasons=[],
        devices=[ODD],
        cohorts=[],
        ratio=0.25,
        moved=["station-1"],
        judged=8,
        rows=8_192,
        unjudged=["station-9"],
    ),
    [],
    Apart({}, 1.0),
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as listening:
        listening.catalog.put(a_device())
        show_up(listening.telemetry)
        listening.actions.verdicts.append(VERDICT)
        yield listening


@pytest.fixture
def run(
    hub: WebHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    assert hub.actions.verdicts
    return runner(monkeypatch, capsys, tmp_path)


def drift(seq: int, ratio: float, *, closed: bool = True, name: str = "temperature") -> DriftReport:
    report = a_drift(seq, ratio)
    assert isinstance(report, DriftReport)
    [feature] = report.features
    moved = replace(feature, name=name, shift=4.5, shift_sd=1.2, missing_ratio=0.02)
    since = 1_025 if report.alarm else None
    return replace(report, features=[moved], closed=closed, since_row=since)


def health(seq: int) -> HealthReport:
    report = a_health(seq)
    assert isinstance(report, HealthReport)
    system = SystemHealth(
        agent_cpu_ratio=0.031,
        machine_cpu_ratio=0.2,
        memory_available_bytes=400_000_000,
        memory_total_bytes=1_000_000_000,
        disk_free_bytes=2_500_000_000,
        disk_total_bytes=8_000_000_000,
        temperature_c=61.4,
    )
    clock = ClockOffset(offset_s=-0.25, uncertain_s=0.04)
    counts = [0] * BINS
    counts[bin_of(100_000)] = 99
    counts[bin_of(2_000_000)] = 2
    return replace(
        report,
        latency_counts=counts,
        system=system,
        clock=clock,
        outbox=7,
        outbox_bytes=9_000,
        unkept=2,
    )


def only(hub: WebHub) -> DeviceView:
    reader = OverviewReader(hub.catalog, hub.telemetry, keep_s=0.0, moved=hub.actions.moved)
    [view] = reader.read().devices
    return view


def test_category_is_not_said_to_be_higher_or_lower() -> None:
    report = drift(1, 2.0, name="site")
    [moved] = report.features
    of = {"anderson_darling": 0.0, "shift": 0.0, "shift_sd": 0.0, "missing_ratio": 0.0}
    [view] = moved_in(replace(report, features=[replace(moved, **of)]))
    assert (view.name, view.words) == ("site", "other shares of its values")
    unlisted = replace(moved, **of, unlisted_ratio=0.196)
    [view] = moved_in(replace(report, features=[unlisted]))
    assert view.words == "19.6% unlisted"


def test_page_says_who_has_moved_in_what_and_by_how_much(hub: WebHub) -> None:
    tell(hub.telemetry, drift(1, 2.0))
    reader = hub.client()
    text = reader.get("/").text
    for shown in (
        "station-1 is odd",
        "temperature reads 4.25 °C higher (18.5 against 14.2)",
        "8 devices compared, 8,192 rows",
        "too few rows yet of station-9",
        "2e-09",
    ):
        assert shown in text, shown
    text = reader.get("/devices").text
    for shown in (
        "temperature: 4.5 higher (+1.2 sd), 2.0% missing",
        "since row 1,025",
        "apart from the others: temperature reads",
    ):
        assert shown in text, shown


def test_page_shows_how_machines_are_in_units_that_fit(hub: WebHub) -> None:
    tell(hub.telemetry, health(1))
    text = hub.client().get("/devices?show=machines").text
    for shown in ("100 µs", "200 µs", "3.1 % of a core", "20.0 %", "400.0 MB", "of 1.0 GB"):
        assert shown in text, shown
    for shown in ("2.5 GB", "61 °C", "9.0 kB", "2 in memory only", "-250 ms", "± 40 ms"):
        assert shown in text, shown


def test_answer_times_of_all_devices_are_those_of_all_their_calls(hub: WebHub, run: Run) -> None:
    for name in ("station-1", "station-2"):
        tell(hub.telemetry, replace(health(1), device=name))
    show_up(hub.telemetry, "station-2")
    said = "202 calls on all of them: median 108 µs, 99 of 100 within 1.72 ms"
    assert said in hub.client().get("/devices?show=machines").text
    assert "202 calls on all: median 108 µs" in run("health").out


def test_machine_that_says_nothing_of_itself_is_shown_all_the_same(hub: WebHub) -> None:
    tell(hub.telemetry, a_health(1))
    text = hub.client().get("/devices?show=machines").text
    assert "not said" in text
    assert "no sensor" in text
    assert "not known" in text


def test_names_of_features_cannot_be_made_to_run(hub: WebHub) -> None:
    tell(hub.telemetry, drift(1, 2.0, name=SCRIPT))
    bad = replace(ODD, differences=[replace(DIFFERENCE, feature=SCRIPT, unit=SCRIPT)])
    hub.actions.verdicts[0] = odd_words.told(replace(VERDICT, devices=[bad]), [], Apart({}, 1.0))
    text = hub.client().get("/").text
    assert SCRIPT not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4


def test_early_alarm_is_seen_before_its_window_is_over(hub: WebHub) -> None:
    tell(hub.telemetry, drift(1, 0.4), drift(2, 2.5, closed=False))
    view = only(hub)
    assert (view.alarm, view.drift_ratio, view.since_row) == (True, 2.5, 1_025)
    assert view.drift_history == [0.4]


def test_window_that_looks_quiet_as_a_whole_keeps_what_its_early_alarm_said(hub: WebHub) -> None:
    closing = replace(drift(3, 0.9), alarm=True, since_row=1_025)
    tell(hub.telemetry, drift(1, 0.4), drift(2, 2.5, closed=False), closing)
    view = only(hub)
    assert (view.alarm, view.drift_ratio) == (True, 2.5)
    assert [m.name for m in view.moved] == ["temperature"]
    assert view.drift_history == [0.4, 2.5]
    tell(hub.telemetry, drift(4, 0.3))
    view = only(hub)
    assert (view.alarm, view.drift_ratio, view.moved) == (False, 0.3, [])


def test_pair_that_has_moved_is_told_by_its_correlations(hub: WebHub) -> None:
    pair = CorrelationDrift(a="t", b="p", reference=0.6, live=-0.2, ratio=4.0)
    tell(hub.telemetry, replace(drift(1, 2.0), correlations=[pair]))
    [first, second] = only(hub).moved
    assert (first.name, first.words) == ("t with p", "correlation -0.20, 0.60 in training")
    assert second.name == "temperature"


def test_terminal_says_the_same_for_people_and_programs(hub: WebHub, run: Run) -> None:
    tell(hub.telemetry, drift(1, 2.0), health(2))
    said = run("drift").out
    assert "rain@1: station-1 is odd" in said
    assert "temperature reads 4.25 °C higher (18.5 against 14.2)" in said
    assert "1,025" in said
    told = json.loads(run("drift", "--json").out)
    assert told["moved"][0]["who"] == "devices"
    assert told["devices"][0]["odd"].startswith("temperature reads 4.25")
    assert "61 °C" in run("health").out
    machine = json.loads(run("health", "--json").out)["station-1"]
    assert machine["system"]["temperature_c"] == 61.4


def test_terminal_says_that_nothing_is_there_yet(hub: WebHub, run: Run) -> None:
    hub.actions.verdicts.clear()
    assert "No device has reported a whole window of a champion's rows yet" in run("drift").out
    assert "No device has reported its health yet" in run("health").out


def test_terminal_is_not_moved_by_what_a_feature_is_called(hub: WebHub, run: Run) -> None:
    tell(hub.telemetry, drift(1, 2.0, name="\x1b[2Jt"))
    assert "\x1b" not in run("drift").out
    assert len(hub.actions.verdicts) == 1
