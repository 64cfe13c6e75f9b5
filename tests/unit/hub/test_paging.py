"""Lists a page at a time: nothing twice, nothing left out, and no cursor that was not given."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.remote import Remote
from fleetloop_hub.tracking.summaries import RunSummary
from fleetloop_hub.web.server import WebServer
from support.hubrecords import START, a_run
from support.hubweb import WebHub, problem, web_hub

PATH = "/api/v1/runs"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        add(hub, range(7))
        yield hub


def add(hub: WebHub, numbers: range) -> None:
    """Runs; each two begin in the same second."""
    runs = [replace(a_run(f"rain-{n:02}"), started_at=START + n // 2) for n in numbers]
    hub.catalog.put(*runs)


def pages(hub: WebHub, limit: int) -> Iterator[list[str]]:
    address: str | None = f"{PATH}?limit={limit}"
    while address is not None:
        answer = hub.client().get(address)
        told = answer.get_json()
        yield [run["key"] for run in told["runs"]]
        link = answer.headers.get("Link")
        assert (link is None) == (told["next"] is None)
        address = None if link is None else link.partition(">")[0].removeprefix("<")


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_pages_are_the_list_cut_in_order_newest_first(hub: WebHub, limit: int) -> None:
    found = list(pages(hub, limit))
    assert [key for page in found for key in page] == [
        *("rain-06", "rain-04", "rain-05", "rain-02", "rain-03", "rain-00", "rain-01"),
    ]
    assert all(len(page) == limit for page in found[:-1])


def test_what_comes_meanwhile_hides_nothing_and_shows_nothing_twice(hub: WebHub) -> None:
    reading = pages(hub, 3)
    first = next(reading)
    add(hub, range(7, 20))
    assert [*first, *(key for page in reading for key in page)] == [
        *("rain-06", "rain-04", "rain-05", "rain-02", "rain-03", "rain-00", "rain-01"),
    ]


def test_the_query_goes_with_the_page(hub: WebHub) -> None:
    link = hub.client().get(f"{PATH}?limit=2&model=rain&state=finished").headers["Link"]
    assert "model=rain" in link
    assert "state=finished" in link
    assert link.endswith('>; rel="next"')


def foreign(hub: WebHub) -> str:
    """A cursor of another list."""
    hub.catalog.put(a_run("snow-1"))
    cursor: str = hub.client().get(f"{PATH}?limit=1").get_json()["next"]
    return cursor


@pytest.mark.parametrize(
    "cursor", ["x", "!!", "bnVsbA", "W10", "WzEsMl0", "WyJyZWFkaW5nX3J1bnMucnVucyIsICJhIl0", "ö"]
)
def test_a_cursor_that_nobody_was_given_is_refused(hub: WebHub, cursor: str) -> None:
    told = problem(hub.client().get(PATH, query_string={"cursor": cursor}), 422)
    assert "begin without one" in told["detail"]


def test_a_cursor_of_another_list_is_refused(hub: WebHub) -> None:
    problem(hub.client().get(f"/api/v1/devices?cursor={foreign(hub)}"), 422)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "state=null",
        "state=nix",
        "limit=1&limit=2",
        "nonsense=1",
    ],
)
def test_a_query_that_is_none_is_refused(hub: WebHub, query: str) -> None:
    problem(hub.client().get(f"{PATH}?{query}"), 400)


def test_the_command_line_follows_pages(hub: WebHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetloop_hub.remote._PAGE", 3)
    server = WebServer("127.0.0.1", 0)
    server.start(hub.client().application)
    try:
        remote = Remote(server.url, None)
        assert len(remote.listed("/runs", "runs", RunSummary)) == 7
        assert len(remote.listed("/runs?model=rain", "runs", RunSummary, 4)) == 4
        assert remote.listed("/runs?model=snow", "runs", RunSummary) == []
    finally:
        server.stop()
