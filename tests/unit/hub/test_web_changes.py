"""What pages are told of changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.web import changes
from fleetloop_hub.web.changes import MOST_STREAMS, Changes
from fleetloop_hub.web.problem import ProblemError
from support.hubrecords import a_run
from support.hubweb import WebHub, show_up, web_hub


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    monkeypatch.setattr(changes, "_LOOK_S", 0.0)
    return _Clock()


def test_a_stream_says_which_topic_has_changed(hub: WebHub, clock: _Clock) -> None:
    stream = Changes(hub.catalog, hub.telemetry, clock).stream(["models", "runs"])
    assert next(stream) == b"retry: 3000\nevent: beat\ndata: 0\n\n"
    hub.catalog.put(a_run())
    assert next(stream) == b"event: changed\ndata: runs\n\n"
    clock.now = 60.0
    assert next(stream) == b"event: beat\ndata: 0\n\n"


def test_what_devices_say_is_told_with_the_beat(hub: WebHub, clock: _Clock) -> None:
    stream = Changes(hub.catalog, hub.telemetry, clock).stream(["devices"])
    next(stream)
    show_up(hub.telemetry)
    clock.now = 60.0
    assert next(stream) == b"event: changed\ndata: devices\n\n"


def test_a_stream_ends_with_the_hub_and_gives_its_place_back(hub: WebHub, clock: _Clock) -> None:
    told = Changes(hub.catalog, hub.telemetry, clock)
    streams = [told.stream(["runs"]) for _ in range(MOST_STREAMS)]
    for stream in streams:
        next(stream)
    with pytest.raises(ProblemError, match="ask by itself") as refused:
        told.stream(["runs"])
    assert refused.value.headers["Retry-After"] == "10"
    streams[0].close()  # type: ignore[attr-defined]  # it is a generator
    next(told.stream(["runs"]))
    told.stop()
    assert list(streams[1]) == []


def test_topics_that_nobody_knows_are_left_out(hub: WebHub) -> None:
    with hub.client().get("/events/stream?topics=runs,../etc,%0Aevent") as answer:
        assert answer.content_type.startswith("text/event-stream")
        assert next(answer.iter_encoded()).startswith(b"retry")
