"""The console of a big installation: how soon pages answer and are painted, what watching costs.

5,000 devices, 500 versions, 2,000 runs and a month of telemetry (`support/big_hub.py`), kept in
build/bench and made anew when it is older than half a day; a real `fleetloop serve` on it. Every
page that the application has is asked for; one whose address needs a name that is not known here
ends the benchmark. While all is measured, devices report as often as they did in that month.
"""

import json
import math
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fleetloop_hub.web.admin_token import ADMIN_TOKEN_FILE
from support.big_catalog import Scale
from support.big_hub import make
from support.console_pages import Page, names_in, pages
from support.console_paint import first_paints
from support.console_watchers import Watchers
from support.hub_process import HubProcess
from support.live_fleet import LiveFleet
from support.raw_mosquitto import RawMosquitto
from support.timed_answers import Answer, Site, timed

Figure = dict[str, Any]

STATE = Path(__file__).parents[2] / "build" / "bench" / "big-hub"
FRESH_S = 12 * 3_600.0
SCALE = Scale()
ASKED = 40
SERVER_MS, PAINT_MS, OVERVIEW_KB, CORE_PERCENT = 200.0, 1_000.0, 100.0, 10.0
WATCHERS = 50
WATCHED_S = 60.0
LISTED = 6
_FINE = frozenset({200, 302, 303})


def run() -> list[Figure]:
    """All figures."""
    with ExitStack() as stack:
        broker = RawMosquitto(STATE.with_name("big-hub-broker"))
        stack.callback(broker.close)
        broker.start()
        _ready()
        names = names_in(STATE)
        fleet = LiveFleet(STATE, broker.address)
        hub = HubProcess(STATE, broker.address)
        stack.callback(hub.close)
        began = time.monotonic()
        hub.start()
        started_s = time.monotonic() - began
        site = Site(hub.url, (STATE / ADMIN_TOKEN_FILE).read_text("ascii").strip())
        first = timed(site, ["/"], 1)["/"][0]
        looked_s = time.monotonic() - began
        stack.enter_context(fleet)
        hub.settle()
        shown = pages(names | _alerts(site))
        answers = timed(site, [page.path for page in shown], ASKED)
        figures = _answered(shown, answers)
        figures += _weighed(site, answers["/"][0])
        figures += _painted(site, shown)
        figures += _watched(hub, site, shown)
        hub.stop()
    return [*figures, _start(started_s, looked_s, first)]


def _ready() -> None:
    made = STATE / "telemetry.sqlite"
    if made.exists() and time.time() - made.stat().st_mtime < FRESH_S:
        return
    shutil.rmtree(STATE, ignore_errors=True)
    make(STATE, SCALE)


def _alerts(site: Site) -> dict[str, str]:
    """The alert that was opened last; only a hub that runs has some."""
    answer = timed(site, ["/api/v1/alerts"], 1)["/api/v1/alerts"][0]
    return {"alerts key": json.loads(answer.text)["alerts"][0]["key"]}


def _answered(shown: list[Page], answers: dict[str, list[Answer]]) -> list[Figure]:
    late = {path: _share([a.took_ms for a in found], 0.95) for path, found in answers.items()}
    wrong = {
        path: found[0].status for path, found in answers.items() if found[0].status not in _FINE
    }
    if wrong:
        raise ValueError(f"pages that are not there: {wrong}")
    slowest = sorted(late, key=lambda path: -late[path])
    beside = {path: f"{late[path]:.0f} ms" for path in slowest[:LISTED]}
    middle = _share([a.took_ms for found in answers.values() for a in found], 0.5)
    return [
        _figure(
            f"slowest of {len(shown)} pages, p95 of {ASKED} answers",
            max(late.values()),
            "ms",
            SERVER_MS,
            {"median of all": f"{middle:.0f} ms", **beside},
        )
    ]


def _weighed(site: Site, overview: Answer) -> list[Figure]:
    files = timed(site, overview.files, 1)
    all_bytes = overview.wire_bytes + sum(found[0].wire_bytes for found in files.values())
    return [
        _figure(
            "overview, the document as it travels",
            overview.wire_bytes / 1_000,
            "kB",
            OVERVIEW_KB,
            {"as it is read": f"{overview.body_bytes / 1_000:.0f} kB"},
        ),
        _figure(
            "overview with every file it names, as they travel at first",
            all_bytes / 1_000,
            "kB",
            OVERVIEW_KB,
            {"files": len(files), "kept by the browser from then on": "all but the document"},
        ),
    ]


def _painted(site: Site, shown: list[Page]) -> list[Figure]:
    paints = first_paints(site, [page.path for page in shown])
    slowest = sorted(paints, key=lambda path: -paints[path])
    return [
        _figure(
            f"slowest of {len(shown)} pages, first paint in headless Chromium, nothing kept",
            paints[slowest[0]],
            "ms",
            PAINT_MS,
            {path: f"{paints[path]:.0f} ms" for path in slowest[:LISTED]},
        )
    ]


def _watched(hub: HubProcess, site: Site, shown: list[Page]) -> list[Figure]:
    without = hub.cpu_share(WATCHED_S / 2)
    with Watchers(site, shown, WATCHERS) as watchers:
        hub.cpu_share(WATCHED_S / 6)  # their first parts
        began = watchers.fetched
        share = hub.cpu_share(WATCHED_S)
        fetched = watchers.fetched - began
    before = (without + hub.cpu_share(WATCHED_S / 2)) / 2
    return [
        _figure(
            f"{WATCHERS} open live pages cost the hub, of a core",
            100 * (share - before),
            "%",
            CORE_PERCENT,
            {
                "hub without them": f"{100 * before:.1f} %",
                "with them": f"{100 * share:.1f} %",
                "different pages": watchers.different,
                "fetched anew": f"{fetched / WATCHED_S:.1f} a second",
            },
        )
    ]


def _start(started_s: float, looked_s: float, first: Answer) -> Figure:
    beside = {"first overview": f"{first.took_ms / 1_000:.1f} s", "both": f"{looked_s:.1f} s"}
    return _figure("from starting the hub to its first answer", started_s, "s", None, beside)


def _share(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _figure(
    metric: str, value: float, unit: str, target: float | None, peers: dict[str, Any]
) -> Figure:
    return {
        "metric": metric,
        "value": round(value, 1),
        "unit": unit,
        "op": "" if target is None else "<=",
        "target": target,
        "peers": peers,
    }
