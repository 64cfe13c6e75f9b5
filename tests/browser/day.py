"""The daily jobs, done in a browser on a hub with a broker and agents: each as a person does it."""

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from support.browser import CHROMIUM, Browser, browser
from support.console_fleet import MODEL, ODD, ConsoleFleet

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(400),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
    pytest.mark.filterwarnings("default::ResourceWarning"),
]

PASSWORD = "correct horse battery"
WHY = "a test of the console"
_SLOW_MS = 60_000.0
_DRAWN_MS = 500.0
_TOUR = Path(__file__).parents[2] / "docs" / "tour.md"
PAGES = {
    "overview": "/",
    "devices": "/devices",
    "device": "/devices/ODD",
    "enrol": "/enrol",
    "rollouts": "/rollouts",
    "rollout": "/rollouts/ROLLOUT",
    "rollout-new": "/rollouts/new?which=MODEL@1",
    "cohorts": "/cohorts",
    "quarantine": "/quarantine",
    "shadow": "/shadows",
    "monitoring": "/monitoring",
    "feature": "/monitoring/MODEL/temperature_f?device=ODD",
    "fairness": "/fairness",
    "accuracy": "/accuracy/MODEL/1",
    "alerts": "/alerts",
    "channels": "/settings/channels",
    "data": "/data",
    "dataset": "/data/MODEL/DATA",
    "labels": "/labels",
    "runs": "/runs",
    "run": "/runs/RUN",
    "compare": "/runs/compare?run=RUN&run=rain-0001",
    "models": "/models",
    "model": "/models/MODEL",
    "version": "/models/MODEL/2",
    "why": "/why/MODEL/2",
    "decisions": "/decisions",
    "retraining": "/retraining",
    "attempts": "/attempts",
    "audit": "/audit",
    "keys": "/trust",
    "system": "/system",
    "settings": "/settings",
    "people": "/settings/people",
    "tokens": "/settings/tokens",
    "account": "/account",
}
"""Every page, by its name in the tour."""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[ConsoleFleet]:
    made = ConsoleFleet(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.close()


def test_every_daily_job_is_done_without_the_command_line(fleet: ConsoleFleet) -> None:
    with browser(fleet.url) as shown:
        signs_in_and_chooses_a_password(shown, fleet)
        enrols_a_device(shown, fleet)
        trains(shown, fleet, 1)
        approves(shown, 1)
        rolls_out(shown, fleet, 1)
        watches_it_end(shown, fleet, 1)
        fleet.change_the_spec()
        trains(shown, fleet, 2)
        compares_the_runs(shown)
        approves(shown, 2)
        rolls_out(shown, fleet, 2)
        aborts(shown, fleet, 2)
        labels_a_row(shown)
        finds_the_odd_device(shown, fleet)
        acknowledges_an_alert(shown, fleet)
        reads_what_was_done(shown)
        every_page_is_fit_for_everybody(shown, fleet)
        assert shown.complaints == []


def signs_in_and_chooses_a_password(shown: Browser, fleet: ConsoleFleet) -> None:
    page = shown.page
    page.goto("/rollouts")
    expect(page).to_have_url(re.compile("/sign-in"))
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(fleet.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/account"))
    page.get_by_label("Old password").fill(fleet.password)
    page.get_by_label(re.compile("^New, ")).fill(PASSWORD)
    page.get_by_label("New once more").fill(PASSWORD)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()


def enrols_a_device(shown: Browser, fleet: ConsoleFleet) -> None:
    page = shown.page
    shown.go("/enrol")
    page.get_by_label("Name").fill("roof-9")
    page.get_by_label("Hardware type").fill("x86-64")
    page.get_by_role("button", name="Make a token").click()
    token = page.get_by_text("Or only the token").locator("[data-copy]").get_attribute("data-copy")
    assert token is not None
    fleet.device("roof-9", token)
    expect(page.locator(".health.good")).to_be_visible(timeout=_SLOW_MS)
    fleet.devices(4)
    fleet.until("/devices", lambda told: sum(d["online"] for d in told["devices"]) == 6)


def trains(shown: Browser, fleet: ConsoleFleet, number: int) -> None:
    page = shown.page
    shown.go("/runs")
    page.get_by_label("Why").fill(WHY)
    page.get_by_role("button", name="Train it").click()
    expect(page.get_by_text("has begun, or waits")).to_be_visible()
    fleet.until("/versions", lambda told: len(told["versions"]) == number)


def approves(shown: Browser, number: int) -> None:
    page = shown.page
    shown.go("/models")
    page.get_by_role("link", name=f"{MODEL} v{number}").click()
    card = page.locator(".card", has=page.get_by_role("button", name="Approve"))
    card.get_by_label("Why").fill(WHY)
    card.get_by_role("button", name="Approve").click()
    expect(page.get_by_text(f"{MODEL} v{number} is ready now.")).to_be_visible()


def rolls_out(shown: Browser, fleet: ConsoleFleet, number: int) -> None:
    page = shown.page
    page.get_by_role("link", name="Roll out").click()
    page.get_by_role("button", name="What would happen?").click()
    expect(page.get_by_text("6 of 6 devices")).to_be_visible()
    page.get_by_label("Why").fill(WHY)
    page.get_by_label(re.compile("To begin, type")).fill(f"{MODEL}@{number}")
    page.get_by_role("button", name="Begin the rollout").click()
    expect(page.get_by_text("has begun.")).to_be_visible()


def watches_it_end(shown: Browser, fleet: ConsoleFleet, number: int) -> None:
    expect(shown.page.locator(".health.good")).to_be_visible(timeout=_SLOW_MS)
    expect(shown.page.locator(".legend").first).to_contain_text("6 with it")


def compares_the_runs(shown: Browser) -> None:
    page = shown.page
    shown.go("/runs")
    for box in page.locator("input[name=run]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare the ticked runs").click()
    expect(page.get_by_role("heading", name="2 runs side by side")).to_be_visible()


def aborts(shown: Browser, fleet: ConsoleFleet, number: int) -> None:
    page = shown.page
    page.locator("summary", has_text="Abort").click()
    form = page.locator(".confirm[open]")
    expect(form).to_contain_text(re.compile(r"This touches \d+ devices? of 6"))
    form.get_by_label("Why").fill(WHY)
    form.get_by_label(re.compile("To go on, type")).fill(f"{MODEL}@{number}")
    form.get_by_role("button", name="Abort").click()
    expect(page.locator(".health")).to_contain_text("Aborted")


def labels_a_row(shown: Browser) -> None:
    page = shown.page
    shown.go("/labels")
    row = page.locator("article.card").first
    told = row.locator("strong").first.inner_text()
    row.get_by_role("button", name="1", exact=True).click()
    expect(page.get_by_text(f"{told} is labelled.")).to_be_visible()


def finds_the_odd_device(shown: Browser, fleet: ConsoleFleet) -> None:
    fleet.until(
        "/overview", lambda told: any(d["alarm"] for d in told["devices"] if d["device"] == ODD)
    )
    shown.go(f"/devices/{ODD}")
    expect(shown.page.locator("main")).to_contain_text("temperature_f")


def acknowledges_an_alert(shown: Browser, fleet: ConsoleFleet) -> None:
    page = shown.page
    fleet.until("/alerts", lambda told: any(a["state"] == "open" for a in told["alerts"]))
    shown.go("/alerts")
    page.locator("tbody a").first.click()
    form = page.locator("form", has=page.get_by_role("button", name="I see to it"))
    form.get_by_label("What you will do").fill(WHY)
    form.get_by_role("button", name="I see to it").click()
    expect(page.locator("main")).to_contain_text(f"admin says: {WHY}")


def reads_what_was_done(shown: Browser) -> None:
    shown.go("/audit")
    for deed in ("roll out", "approve", "train", "act on a rollout", "tell labels"):
        expect(shown.page.locator("tbody")).to_contain_text(deed)
    expect(shown.page.locator("tbody")).to_contain_text(WHY)


def every_page_is_fit_for_everybody(shown: Browser, fleet: ConsoleFleet) -> None:
    rollout = fleet.hub.remote.get("/rollouts", dict[str, Any])["rollouts"][0]["key"]
    data = fleet.hub.remote.get("/data", dict[str, Any])["datasets"][0]["key"][:12]
    run = fleet.hub.remote.get("/runs", dict[str, Any])["runs"][0]["key"]
    named = {"ROLLOUT": rollout, "DATA": data, "RUN": run, "ODD": ODD, "MODEL": MODEL}
    wrong: dict[str, list[str]] = {}
    for name, pattern in PAGES.items():
        path = re.sub("|".join(named), lambda found: named[found[0]], pattern)
        shown.go(path)
        shown.page.wait_for_timeout(_DRAWN_MS)
        for dark, width in ((False, 1280), (True, 320)):
            shown.look(dark=dark, width=width)
            keep(shown, f"{name}-{'dark' if dark else 'light'}")
            found = shown.findings()
            if shown.is_too_wide():
                found.append(f"it has to be scrolled sideways at {width} px")
            if found:
                wrong[f"{path} {width}"] = found
    assert wrong == {}


def keep(shown: Browser, name: str) -> None:
    """A picture that the tour shows, with few colours, where FLEETLOOP_TOUR names a folder."""
    folder = os.environ.get("FLEETLOOP_TOUR")
    if folder and f"tour/{name}.png" in _TOUR.read_text("utf-8"):
        picture = Image.open(io.BytesIO(shown.page.screenshot()))
        picture.convert("RGB").quantize(96).save(Path(folder) / f"{name}.png", optimize=True)
