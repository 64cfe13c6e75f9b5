"""When pages are first painted in Debian's headless Chromium."""

import statistics

from playwright.sync_api import sync_playwright

from support.timed_answers import Site

_CHROMIUM = "/usr/bin/chromium"
_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_TIMES = 3
_PAINT = """() => new Promise(done => {
  const told = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  if (told() !== undefined) return done(told());
  new PerformanceObserver(() => told() !== undefined && done(told()))
    .observe({type: "paint", buffered: true});
})"""


def first_paints(site: Site, paths: list[str]) -> dict[str, float]:
    """Median milliseconds from asking for a page to its first content, in a browser that is new.

    Args:
        site: The console.
        paths: The pages.
    """
    found: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_ARGS))
        for path in paths:
            for _ in range(_TIMES):
                context = browser.new_context(
                    viewport={"width": 1280, "height": 800}, extra_http_headers=site.headers
                )
                shown = context.new_page()
                shown.goto(f"{site.url}{path}", wait_until="load")
                found.setdefault(path, []).append(float(shown.evaluate(_PAINT)))
                context.close()
        browser.close()
    return {path: statistics.median(times) for path, times in found.items()}
