"""The console page: what it shows, and that nothing in it can be made to run."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fleetloop_hub.judging.weigh import weigh
from fleetloop_hub.spec.judge_table import JudgeTable
from fleetloop_hub.web import words
from fleetloop_hub.web.drawings import sparkline
from support.hubrecords import (
    START,
    a_decision,
    a_device,
    a_drift,
    a_gate,
    a_quarantine,
    a_rollout,
    a_version,
    an_event,
)
from support.hubweb import WebHub, fill, show_up, tell, web_hub
from support.judged import device

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


def page(hub: WebHub, path: str = "/") -> str:
    response = hub.client().get(path)
    assert response.status_code == 200
    return response.text


def test_an_empty_console_gives_the_next_commands(hub: WebHub) -> None:
    text = page(hub)
    assert "Nothing here yet" in text
    for command in ("fleetloop train SPEC.toml", "fleetloop token", "fleetloop rollouts start"):
        assert command in text


def test_a_filled_console_shows_devices_versions_rollout_drift_and_decisions(hub: WebHub) -> None:
    fill(hub)
    text = page(hub)
    for shown in (
        "1 of 1 devices online, all on rain v1",
        "rain v1",
        "champion",
        "0.790 to 0.830",
        "2 of 2 gates passed",
        "11.0 kB",
        "phase 1 of 2: 1 well",
        "3 of 4 devices see drift",
        "keeps rain v1",
        '<a href="/rollouts" class="stop">',
        '<a class="button" href="/rollouts/rollout-1">',
    ):
        assert shown in text
    listed = page(hub, "/devices")
    for shown in (
        "station-1",
        "serving v1",
        "80.0 %",
        'aria-label="Drift ratio of the last 1 windows, now 0.50; an alarm from 1"',
    ):
        assert shown in listed


def test_the_console_marks_waived_gates(hub: WebHub) -> None:
    fill(hub)
    waived = msgspec.structs.replace(a_gate("champion", passed=False), waived=True)
    hub.catalog.put(msgspec.structs.replace(a_version(2), gates=[a_gate(), waived]))
    text = page(hub)
    assert "2 of 2 gates passed, 1 waived" in text
    assert "gates passed by v2, 1 waived" in text


def test_what_was_taken_back_stands_in_quarantine(
    hub: WebHub,
) -> None:
    fill(hub)
    compared = weigh([device("a", labels_correct=5)], [device("b"), device("c")], JudgeTable())
    harmful = msgspec.structs.replace(a_rollout(), judgement=compared, started_at=START + 9e9)
    hub.catalog.put(harmful, msgspec.structs.replace(a_quarantine(), reason=SCRIPT))
    text = page(hub)
    assert "1 version is offered to a type of hardware no more" in text
    assert SCRIPT not in text
    lifted = msgspec.structs.replace(a_quarantine(), lifted="ann: mended", lifted_at=START)
    hub.catalog.put(lifted)
    assert "in quarantine" not in page(hub)


def test_script_in_what_devices_and_people_write_is_only_text(hub: WebHub) -> None:
    fill(hub)
    hub.catalog.put(msgspec.structs.replace(a_device(), key=SCRIPT, hardware=SCRIPT))
    hub.catalog.put(
        msgspec.structs.replace(
            a_decision(SCRIPT),
            reasons=[SCRIPT],
            evidence={SCRIPT: 1.0},
            outcome=SCRIPT,
            devices=[SCRIPT],
        )
    )
    show_up(hub.telemetry, SCRIPT, error=SCRIPT, refusals={SCRIPT: 1})
    tell(hub.telemetry, an_event(9, SCRIPT), a_drift(1, 2.0, device=SCRIPT))
    hub.telemetry.refuse(SCRIPT, SCRIPT, SCRIPT)
    hub.actions.training = SCRIPT
    reader, shown = hub.client(), 0
    for path in ("/", "/devices", "/attempts", "/system"):
        text = reader.get(path).text
        shown += text.count("&lt;script&gt;alert(1)&lt;/script&gt;")
        assert SCRIPT not in text
    assert shown >= 20


@pytest.mark.parametrize(
    "path", ["/", "/trust", "/shadows", "/system", "/attempts", "/devices", "/nowhere"]
)
def test_a_page_has_nothing_inline_and_asks_no_other_host(hub: WebHub, path: str) -> None:
    fill(hub)
    response = hub.client().get(path, headers={"Accept": "text/html"})
    text = response.text
    assert response.content_type.startswith("text/html")
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text) == []
    assert re.findall(r'(?:src|href|hx-get)="(?:https?:)?//', text) == []


def test_vendored_files_are_there_and_ask_no_other_host(hub: WebHub) -> None:
    text = page(hub)
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', text):
        with hub.client().get(path) as response:
            assert response.status_code == 200
    with hub.client().get("/static/console.css") as response:
        assert re.findall(r"@import|url\(", response.get_data(as_text=True)) == []


def test_htmx_is_sent_the_changing_part_of_a_page_alone(hub: WebHub) -> None:
    fill(hub)
    part = hub.client().get("/", headers={"HX-Request": "true"})
    assert part.text.startswith('<div id="live"')
    assert '<nav class="menu"' not in part.text
    assert "HX-Request" in part.headers["Vary"]
    assert "station-1" in part.text


def test_every_column_and_section_has_its_heading(hub: WebHub) -> None:
    fill(hub)
    hub.telemetry.refuse("station-9", "undecodable", "no message")
    text = page(hub)
    assert '<html lang="en">' in text
    assert 'href="#main"' in text
    assert text.count("<main") == text.count("<h1") == 1
    assert len(re.findall(r"<th(?!ead)", text)) == text.count('<th scope="')
    labels = re.findall(r'aria-labelledby="([^"]+)"', text)
    assert labels
    assert all(f' id="{label}"' in text for label in labels)
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for anchor in re.findall(r'href="#([^"]+)"', text):
        assert anchor in ids


def test_a_time_is_shown_relative_with_the_exact_one_in_reach(hub: WebHub) -> None:
    fill(hub)
    exact = re.search(r'<time datetime="([^"]+)" title="([^"]+)">\d+ d ago</time>', page(hub))
    assert exact is not None
    assert exact[2] == words.exactly(START + 9) or exact[2].endswith("UTC")


def test_a_page_that_is_not_there_says_so_and_leads_back(hub: WebHub) -> None:
    response = hub.client().get("/nowhere", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert "Not Found" in response.text
    assert 'href="/"' in response.text


@pytest.mark.parametrize(
    ("passed_s", "text"),
    [
        (-5, "0 s ago"),
        (0, "0 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3_599, "59 min ago"),
        (3_600, "1 h ago"),
        (86_399, "23 h ago"),
        (86_400, "1 d ago"),
    ],
)
def test_time_passed_is_told_in_the_largest_whole_unit(passed_s: float, text: str) -> None:
    assert words.ago(1_000_000.0, 1_000_000.0 + passed_s) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (12_345, "12.3 kB"), (5e6, "5.0 MB"),
     (2e9, "2.0 GB"), (3e12, "3.0 TB")],
)  # fmt: skip
def test_sizes_are_told_in_the_unit_that_leaves_a_readable_number(count: float, text: str) -> None:
    assert words.size(count) == text


def test_numbers_keep_the_digits_that_help() -> None:
    assert words.number(1_234.0) == "1,234"
    assert words.number(0.123456) == "0.123"


def test_a_sparkline_stays_in_its_frame_and_marks_an_alarm() -> None:
    assert sparkline([]) == ""
    drawn = sparkline([0.1, 50.0, 0.0, 1.0])
    ys = [float(y) for y in re.findall(r"[\d.]+,([\d.]+)", drawn)]
    assert len(ys) == 4
    assert min(ys) >= 0
    assert max(ys) <= 26
    assert 'class="over"' in drawn
    assert 'class="under"' in sparkline([0.99])
