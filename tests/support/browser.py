"""Debian's Chromium under Playwright: one page, what it complains of, and axe-core's findings."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files

from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE_MS = 60_000.0
_GRAVE = {"serious", "critical"}


@dataclass
class Browser:
    """A window with one page.

    Attributes:
        page: It.
        complaints: Errors that scripts have thrown, and what the policy has blocked.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page of the hub; it has to be one."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.ok, f"{path} is {answer.status}: {self.page.inner_text('body')[:500]}"

    def look(self, *, dark: bool, width: int) -> None:
        """See the page in this light and width."""
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        self.page.set_viewport_size({"width": width, "height": 900})

    def findings(self) -> list[str]:
        """What axe-core finds that is serious or critical, by WCAG 2.2 A and AA."""
        if not self.page.evaluate("() => typeof axe !== 'undefined'"):
            self.page.evaluate(_axe())
        told = self.page.evaluate(
            "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', "
            "'wcag22aa']})"
        )
        return [
            f"{found['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
            for found in told["violations"]
            if found["impact"] in _GRAVE
            for node in found["nodes"][:3]
        ]

    def is_too_wide(self) -> bool:
        """Whether the page has to be scrolled sideways."""
        return bool(
            self.page.evaluate(
                "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )


@contextmanager
def browser(url: str) -> Iterator[Browser]:
    """A window on a hub; nothing is kept of it."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        context = chromium.new_context(base_url=url, viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        expect.set_options(timeout=_PATIENCE_MS)
        shown = Browser(page)
        page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                shown.complaints.append(f"{page.url}: {said.text}")
                if "Content Security Policy" in said.text
                else None
            ),
        )
        try:
            yield shown
        finally:
            context.close()
            chromium.close()


def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
