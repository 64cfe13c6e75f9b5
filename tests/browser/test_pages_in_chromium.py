"""Pages as a browser has them: live, by keys, in both lights, narrow, and without a script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fleetloop_hub.people_records import Role
from fleetloop_hub.records import Model
from fleetloop_hub.web.app import create_app
from fleetloop_hub.web.server import WebServer
from support.browser import CHROMIUM, Browser, browser
from support.hubrecords import START, a_run
from support.hubweb import ADMIN_TOKEN, WebHub, fill, web_hub
from support.learnable import SPEC

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")

PAGES = ("/", "/devices", "/rollouts/rollout-1", "/models/rain/1", "/runs", "/labels", "/audit")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        fill(hub)
        text = hub.blobs.put(SPEC.replace('"toy"', '"rain"').encode())
        hub.catalog.put(Model(key="rain", spec=text, floor=0, added_at=START))
        yield hub


@pytest.fixture
def shown(hub: WebHub) -> Iterator[Browser]:
    server = WebServer("127.0.0.1", 0)
    server.start(create_app(hub, ADMIN_TOKEN, "127.0.0.1", Role.ADMIN))
    try:
        with browser(server.url) as window:
            yield window
    finally:
        server.stop()


def test_the_console_is_live_led_by_keys_and_fit_for_everybody(hub: WebHub, shown: Browser) -> None:
    page = shown.page
    shown.go("/runs")
    expect(page.locator("#mark-word")).to_have_text("live")
    expect(page.get_by_role("link", name="rain-run-77")).to_have_count(0)
    hub.catalog.put(a_run("rain-run-77"))
    expect(page.get_by_role("link", name="rain-run-77")).to_be_visible(timeout=20_000)

    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.locator("#search").blur()
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(f"{page.url.split('/runs')[0].rstrip('/')}/rollouts")

    page.locator("#theme").click()
    chosen = page.evaluate("() => document.documentElement.dataset.theme")
    shown.go("/devices")
    assert page.evaluate("() => document.documentElement.dataset.theme") == chosen
    page.evaluate("() => localStorage.clear()")

    wrong = {}
    for path in PAGES:
        shown.go(path)
        for dark, width in ((False, 1280), (True, 320)):
            shown.look(dark=dark, width=width)
            found = [*shown.findings(), *(["too wide"] if shown.is_too_wide() else [])]
            if found:
                wrong[f"{path} {width}"] = found
    assert wrong == {}
    assert shown.complaints == []
    page.set_content("<html lang=en><title>x</title><main><img src=x><a href=/></a></main>")
    assert shown.findings(), "what looks for faults finds none where there are some"
