"""A rollout as one trace: what is told of it, of each device, and how it leaves the hub."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_agent.update.states import State
from fleetloop_hub.fleet_records import Device, Passage, Rollout, RolloutState
from fleetloop_hub.journeys import journeys, otlp
from fleetloop_hub.journeys.journeys import Journeys
from fleetloop_hub.journeys.spans import Span, Spans, name_of, trace_of
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_shared.messages import ReportedState
from support.hubrecords import a_rollout
from support.otlp_receiver import receiver

DEVICE = "station-1"


class Told(Spans):
    """Remembers spans."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.closed = False

    def end(self, span: Span) -> None:
        self.spans.append(span)

    def close(self) -> None:
        self.closed = True

    def titles(self) -> list[str]:
        return [span.title for span in self.spans]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[TinyDbCatalog]:
    catalog = TinyDbCatalog(tmp_path)
    yield catalog
    catalog.close()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def following(catalog: TinyDbCatalog, told: Told) -> Journeys:
    catalog.put(
        Device(key=DEVICE, cohort="stations", hardware="x", password="p", enrolled_at=0.0),
        rollout(),
    )
    return Journeys(catalog, told)


def rollout(state: RolloutState = RolloutState.OPEN, version: int = 2) -> Rollout:
    return replace(
        a_rollout(),
        key=f"rain-{version}",
        model="rain",
        version=version,
        cohort="stations",
        state=state,
        started_at=100.0,
        phase_since=110.0,
        ended_at=None,
        text="",
    )


def says(
    state: State,
    version: int | None = 1,
    target: int | None = 2,
    error: str | None = None,
) -> list[tuple[str, ReportedState]]:
    said = ReportedState(
        at=0.0,
        boot=1,
        sequence=1,
        state=state,
        model="rain",
        version=version,
        target=target,
        error=error,
    )
    return [(DEVICE, said)]


def test_a_device_is_followed_from_told_to_committed(following: Journeys, told: Told) -> None:
    steps = [State.PLANNED, State.FETCHING, State.FETCHING, State.STAGED, State.TRIAL]
    for at, state in enumerate(steps):
        following.heard(says(state), 120.0 + at)
    assert told.titles() == ["planned", "fetching", "staged"]
    following.heard(says(State.COMMITTED, version=2, target=None), 130.0)
    following.heard(says(State.SERVING, version=2, target=None), 131.0)
    assert told.titles() == ["planned", "fetching", "staged", "trial", f"device {DEVICE}"]
    fetching, whole = told.spans[1], told.spans[-1]
    assert (fetching.began_at, fetching.ended_at) == (121.0, 123.0)
    assert (whole.began_at, whole.ended_at, whole.fault) == (120.0, 130.0, None)
    assert {s.trace for s in told.spans} == {trace_of("rain-2")}
    assert {s.parent for s in told.spans[:-1]} == {whole.name}
    assert whole.parent == name_of("rain-2")
    assert len({s.name for s in told.spans}) == len(told.spans)
    assert whole.facts == {
        "fleetloop.rollout": "rain-2",
        "fleetloop.model": "rain",
        "fleetloop.version": 2,
        "fleetloop.device": DEVICE,
    }


@pytest.mark.parametrize("state", [State.ROLLED_BACK, State.QUARANTINED])
def test_a_device_that_goes_back_says_why(following: Journeys, told: Told, state: State) -> None:
    following.heard(says(State.TRIAL), 120.0)
    following.heard(says(state, error="failed on 3 of 9 rows"), 125.0)
    following.heard(says(State.SERVING, target=None), 126.0)
    assert told.titles() == ["trial", f"device {DEVICE}"]
    assert told.spans[-1].fault == "failed on 3 of 9 rows"


def test_a_device_that_is_wanted_elsewhere_ends_there_and_begins_anew(
    following: Journeys, told: Told, catalog: TinyDbCatalog
) -> None:
    following.heard(says(State.FETCHING), 120.0)
    catalog.put(rollout(version=3))
    following.heard(says(State.PLANNED, target=3), 121.0)
    following.heard(says(State.COMMITTED, version=3, target=None), 125.0)
    ways = [span for span in told.spans if span.title == f"device {DEVICE}"]
    assert [span.trace for span in ways] == [trace_of("rain-2"), trace_of("rain-3")]
    assert ways[0].fault is not None
    assert (ways[1].fault, ways[1].began_at) == (None, 121.0)


def test_a_way_that_was_over_before_it_was_heard_of_begins_with_its_phase(
    following: Journeys, told: Told
) -> None:
    following.heard(says(State.SERVING, version=1, target=None), 105.0)
    following.heard(says(State.SERVING, version=2, target=None), 111.0)
    (whole,) = told.spans
    assert (whole.title, whole.began_at, whole.ended_at) == (f"device {DEVICE}", 110.0, 111.0)


def test_a_device_that_was_there_already_is_no_journey(following: Journeys, told: Told) -> None:
    following.heard(says(State.SERVING, version=2, target=None), 111.0)
    following.heard([("stranger", says(State.FETCHING)[0][1])], 112.0)
    following.heard(says(State.FETCHING, target=7), 113.0)
    assert told.spans == []


def test_a_rollout_is_told_with_its_states_when_it_has_ended(
    following: Journeys, told: Told, catalog: TinyDbCatalog
) -> None:
    following.look()
    assert told.spans == []
    history = [
        Passage(at=at, state=state, text="")
        for at, state in ((110.0, RolloutState.OPEN), (150.0, RolloutState.SOAKING))
    ]
    ended = replace(rollout(RolloutState.REVERTED), history=history, ended_at=190.0, text="harm")
    catalog.put(ended)
    following.look()
    following.look()
    assert told.titles() == ["open", "soaking", "rollout of rain 2"]
    opened, soaking, root = told.spans
    assert (opened.began_at, opened.ended_at, soaking.ended_at) == (110.0, 150.0, 190.0)
    assert opened.parent == soaking.parent == root.name
    assert (root.parent, root.began_at, root.ended_at, root.fault) == (None, 100.0, 190.0, "harm")
    assert root.facts["fleetloop.outcome"] == "reverted"


def test_what_had_ended_before_the_hub_started_is_not_told_again(
    catalog: TinyDbCatalog, told: Told
) -> None:
    catalog.put(replace(rollout(RolloutState.DONE), ended_at=190.0))
    Journeys(catalog, told).look()
    assert told.spans == []


def test_states_are_the_words_of_the_agent() -> None:
    assert frozenset({State.ROLLED_BACK, State.QUARANTINED}) == journeys.FAILED
    assert (State.SERVING, State.COMMITTED) == (journeys.SERVING, journeys.COMMITTED)


def test_spans_reach_a_collector_with_their_names_and_times(
    following: Journeys, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    following.heard(says(State.TRIAL), 120.5)
    following.heard(says(State.QUARANTINED, error="no room"), 125.0)
    with receiver() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        sender = otlp.from_environment()
        assert sender is not None
        for span in told.spans:
            sender.end(span)
        sender.close()
    trial, whole = found.spans
    assert found.services == {"fleetloop-hub"}
    assert (trial.name, whole.name) == ("trial", f"device {DEVICE}")
    assert trial.trace_id.hex() == whole.trace_id.hex() == trace_of("rain-2")
    assert trial.parent_span_id == whole.span_id == bytes.fromhex(name_of("rain-2", DEVICE))
    assert trial.start_time_unix_nano == 120_500_000_000
    assert whole.end_time_unix_nano == 125_000_000_000
    assert (whole.status.code, whole.status.message) == (2, "no room")
    assert {f.key for f in whole.attributes} == set(told.spans[-1].facts)


def test_nothing_is_sent_where_nobody_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert otlp.from_environment({}) is None
    on = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    assert otlp.from_environment({**on, "OTEL_SDK_DISABLED": "true"}) is None
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.resources", None)
    with caplog.at_level(logging.WARNING):
        assert otlp.from_environment(on) is None
    assert "fleetloop-hub[traces]" in caplog.text
