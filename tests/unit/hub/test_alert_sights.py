"""Each kind of condition: when it stands, and when it does not."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from fleetloop_hub.alert_records import AlertKind, AlertLevel
from fleetloop_hub.alerting import hub_sight, model_sight
from fleetloop_hub.alerting.catalog_sight import RECENT_S, CatalogSight
from fleetloop_hub.alerting.condition import Condition
from fleetloop_hub.alerting.fleet_sight import SILENT_S, UNHEARD_S, FleetSight
from fleetloop_hub.alerting.terms import TERMS
from fleetloop_hub.config import DAY_S, Lives
from fleetloop_hub.fleet_records import RolloutState
from fleetloop_hub.records import Alias, RunState, VersionState
from fleetloop_hub.trust.shown import Threshold, TrustView, Waiting
from fleetloop_hub.trust.terms import Repository, Role
from fleetloop_hub.verdict_records import FleetVerdict, Odd, Who
from fleetloop_shared.estimate.records import LabelEvidence
from fleetloop_shared.reports import HealthReport
from support import accuracy
from support.hubrecords import START, a_device, a_drift, a_health, a_rollout, a_run, a_version
from support.hubweb import WebHub, show_up, tell, web_hub

SEEN_AT = START + 100


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


def brief(found: list[Condition]) -> list[tuple[AlertKind, str, AlertLevel, int]]:
    return [(c.kind, c.subject, c.level, c.count) for c in found]


def a_fleet(hub: WebHub, count: int, *, online: bool = True) -> list[str]:
    names = [f"station-{number}" for number in range(1, count + 1)]
    hub.catalog.put(*(a_device(name) for name in names))
    for name in names:
        show_up(hub.telemetry, name, online=online)
    return names


def test_devices_that_drift_are_one_condition_with_a_count(hub: WebHub) -> None:
    sight = FleetSight(hub.catalog, hub.telemetry)
    a_fleet(hub, 5)
    assert sight.look(SEEN_AT) == []
    tell(hub.telemetry, a_drift(1, 2.5), a_drift(1, 1.5, device="station-2"))
    tell(hub.telemetry, a_drift(1, 0.5, device="station-3"))
    (found,) = sight.look(SEEN_AT)
    assert brief([found]) == [(AlertKind.DRIFT, "rain@default", AlertLevel.WARN, 2)]
    assert "2 of 5 devices" in found.text
    assert "temperature on station-1: 2.5 times" in found.text
    tell(hub.telemetry, a_drift(2, 1.5, device="station-3"))
    assert sight.look(SEEN_AT)[0].level is AlertLevel.BAD


def test_drift_is_over_with_a_quiet_window_or_another_version(hub: WebHub) -> None:
    sight = FleetSight(hub.catalog, hub.telemetry)
    a_fleet(hub, 2)
    tell(hub.telemetry, a_drift(1, 2.5), a_drift(1, 2.5, device="station-2"))
    assert sight.look(SEEN_AT)[0].count == 2
    tell(hub.telemetry, a_drift(2, 0.5))
    assert sight.look(SEEN_AT)[0].names == ("station-2",)
    show_up(hub.telemetry, "station-2", version=2)
    assert sight.look(SEEN_AT) == []


def test_a_device_that_nobody_has_enrolled_is_no_condition(hub: WebHub) -> None:
    show_up(hub.telemetry, "stranger", online=False)
    tell(hub.telemetry, a_drift(1, 2.5, device="stranger"))
    assert FleetSight(hub.catalog, hub.telemetry).look(SEEN_AT + 2 * UNHEARD_S) == []


@pytest.mark.parametrize(
    ("online", "after_s", "silent"),
    [
        (False, SILENT_S - 1, False),
        (False, SILENT_S, True),
        (True, UNHEARD_S - 1, False),
        (True, UNHEARD_S, True),
    ],
)
def test_a_device_is_silent_after_its_time(
    hub: WebHub, *, online: bool, after_s: float, silent: bool
) -> None:
    hub.catalog.put(a_device("station-0"), *(a_device(f"station-{n}") for n in (7, 8)))
    show_up(hub.telemetry, "station-0", online=online)
    found = FleetSight(hub.catalog, hub.telemetry).look(SEEN_AT + after_s)
    kinds = [(AlertKind.SILENT_DEVICE, "default", AlertLevel.WARN, 1)]
    assert brief(found) == (kinds if silent else [])
    assert not silent or found[0].page == "/devices/station-0"


def test_labels_on_a_device_that_contradict_its_gate_are_told(hub: WebHub) -> None:
    a_fleet(hub, 1)
    evidence = LabelEvidence(
        labels=240,
        metric="accuracy",
        value=0.5,
        demanded=0.8,
        demanded_by="gate",
        e_value=200.0,
        largest=200.0,
        alarm=True,
    )
    health = a_health(1)
    assert isinstance(health, HealthReport)
    tell(hub.telemetry, replace(health, evidence=evidence))
    sight = FleetSight(hub.catalog, hub.telemetry)
    assert brief(sight.look(SEEN_AT)) == [(AlertKind.ACCURACY, "rain@devices", AlertLevel.WARN, 1)]
    tell(hub.telemetry, a_health(2))
    assert sight.look(SEEN_AT) == []


@pytest.mark.parametrize(
    ("state", "kind", "level"),
    [
        (RolloutState.PAUSED, AlertKind.ROLLOUT_STOPPED, AlertLevel.WARN),
        (RolloutState.HALTING, AlertKind.ROLLOUT_STOPPED, AlertLevel.BAD),
        (RolloutState.REVERTED, AlertKind.ROLLOUT_STOPPED, AlertLevel.BAD),
        (RolloutState.EXPIRED, AlertKind.ROLLOUT_STOPPED, AlertLevel.WARN),
        (RolloutState.WAITING, AlertKind.APPROVAL_WAITING, AlertLevel.WARN),
        (RolloutState.ABORTED, None, None),
        (RolloutState.DONE, None, None),
        (RolloutState.OPEN, None, None),
    ],
)
def test_the_last_rollout_of_a_place_that_stopped_or_waits_is_told(
    hub: WebHub, state: RolloutState, kind: AlertKind | None, level: AlertLevel | None
) -> None:
    hub.catalog.put(a_rollout(state=state))
    sight = CatalogSight(hub.catalog)
    expected = [] if kind is None else [(kind, "rain@default", level, 1)]
    assert brief(sight.look(START + 10)) == expected
    newer = replace(a_rollout(), key="rollout-2", started_at=START + 1)
    hub.catalog.put(newer)
    assert sight.look(START + 10) == []


def test_what_has_ended_badly_is_told_for_seven_days(hub: WebHub) -> None:
    hub.catalog.put(a_rollout(state=RolloutState.REVERTED), a_run(state=RunState.FAILED))
    sight = CatalogSight(hub.catalog)
    assert len(sight.look(START + RECENT_S)) == 2
    assert sight.look(START + RECENT_S + 10) == []


def test_the_last_run_of_a_model_that_failed_is_told_and_a_failed_reproduction_is_not(
    hub: WebHub,
) -> None:
    failed = a_run("run-1", state=RunState.FAILED, error="no room")
    hub.catalog.put(failed, replace(failed, key="run-2", started_at=START + 5, reproduces="run-0"))
    (found,) = CatalogSight(hub.catalog).look(START)
    assert (found.subject, found.page, "no room" in found.text) == ("rain", "/runs/run-1", True)
    hub.catalog.put(replace(a_run("run-3"), started_at=START + 9))
    assert CatalogSight(hub.catalog).look(START) == []


def test_versions_and_runs_that_wait_for_a_person_are_told(hub: WebHub) -> None:
    waiting = [a_version(number, state=VersionState.WAITING) for number in (2, 3)]
    hub.catalog.put(*waiting, a_version(1), a_run(state=RunState.WAITING))
    run, versions = CatalogSight(hub.catalog).look(START)
    assert (run.subject, "fleetloop retrain approve run-1" in run.text) == ("rain@run", True)
    assert (versions.subject, versions.count) == ("rain", 2)
    assert "rain@2 and rain@3 wait" in versions.text
    assert "fleetloop approve rain@3" in versions.text


def test_only_what_no_accident_explains_is_an_attack_and_only_for_a_minute(hub: WebHub) -> None:
    look = hub_sight.attacks(hub.telemetry)
    hub.telemetry.refuse("station-1", "undecodable", "no JSON")
    hub.telemetry.refuse("station-1", "impersonation", "x" * 5_000, "topic")
    hub.telemetry.refuse("station-2", "impersonation", "the last", "topic")
    (found,) = look(SEEN_AT)
    assert brief([found]) == [(AlertKind.ATTACK, "impersonation", AlertLevel.BAD, 2)]
    assert len(found.text) < 400
    assert look(SEEN_AT + hub_sight.RECENT_S) == []


@pytest.mark.parametrize(
    ("left_s", "by_people", "level"),
    [
        (31 * DAY_S, True, None),
        (29 * DAY_S, True, AlertLevel.WARN),
        (29 * DAY_S, False, None),
        (-1.0, True, AlertLevel.BAD),
    ],
)
def test_what_people_must_sign_is_told_before_it_ends(
    left_s: float, level: AlertLevel | None, *, by_people: bool
) -> None:
    threshold = Threshold(
        repository=Repository.IMAGE,
        role=Role.ROOT,
        threshold=2,
        keys=3,
        by_people=by_people,
        expires_at=START + left_s,
    )
    view = TrustView(keys=[], thresholds=[threshold], waiting=[], notices=[])
    found = hub_sight.keys(lambda _: view, Lives())(START)
    expected = [] if level is None else [(AlertKind.KEYS_ENDING, "image-root", level, 1)]
    assert brief(found) == expected


def test_what_waits_for_signatures_of_people_is_told() -> None:
    waiting = Waiting(
        repository=Repository.IMAGE,
        role=Role.TARGETS,
        version=3,
        text="",
        before="",
        roots=[],
        progress="1 of 2",
        missing=["ann"],
        missing_ids=["a"],
    )
    view = TrustView(keys=[], thresholds=[], waiting=[waiting], notices=[])
    (found,) = hub_sight.keys(lambda _: view, Lives())(START)
    assert (found.kind, found.subject) == (AlertKind.APPROVAL_WAITING, "keys@image-targets")
    assert "1 of 2" in found.text


@pytest.mark.parametrize(
    ("free_bytes", "level"),
    [
        (1_000_000_000, None),
        (999_999_999, AlertLevel.WARN),
        (200_000_000, AlertLevel.WARN),
        (199_999_999, AlertLevel.BAD),
    ],
)
def test_scarce_room_is_told(free_bytes: int, level: AlertLevel | None) -> None:
    found = hub_sight.disk(lambda: free_bytes)(START)
    assert [c.level for c in found] == ([] if level is None else [level])


def test_a_champion_that_is_unfair_on_devices_is_told_and_no_other_version(hub: WebHub) -> None:
    hub.catalog.put(a_version(1), a_version(2), Alias(key="rain/champion", version=2))
    asked: list[list[int]] = []

    def broken(versions: list[object]) -> list[str]:
        asked.append([v.number for v in versions])  # type: ignore[attr-defined] # versions
        return ["rain v2"]

    (found,) = model_sight.unfair(hub.catalog, broken)(START)  # type: ignore[arg-type] # takes more
    assert asked == [[2]]
    assert (found.kind, found.subject) == (AlertKind.FAIRNESS, "rain")


@pytest.mark.parametrize(
    ("who", "names"),
    [(Who.DEVICES, ["station-7"]), (Who.COHORTS, ["roof"]), (Who.FLEET, None), (Who.NOBODY, None)],
)
def test_who_stands_apart_is_told(who: Who, names: list[str] | None) -> None:
    odd = [Odd(name=n, rows=1, ratio=2.0, differences=[]) for n in names or []]
    verdict = FleetVerdict(
        model="rain",
        version=1,
        who=who,
        text="said",
        reasons=[],
        devices=odd if who is Who.DEVICES else [],
        cohorts=odd if who is Who.COHORTS else [],
        ratio=0.25,
        moved=[],
        judged=8,
        rows=1,
        unjudged=[],
    )
    found = model_sight.odd(lambda: [verdict])(START)
    assert [list(c.names) for c in found] == ([] if names is None else [names])
    assert [c.page for c in found] == (
        [] if names is None else ["/devices/station-7" if who is Who.DEVICES else "/monitoring"]
    )


def test_labels_that_prove_a_champion_worse_than_its_gate_are_told(hub: WebHub) -> None:
    sight = model_sight.ChampionSight(hub.catalog, hub.telemetry, hub.blobs)
    hub.catalog.put(a_version(1), Alias(key="rain/champion", version=1))  # it has no manifest
    accuracy.keep(hub.catalog, hub.blobs)
    accuracy.label(hub.telemetry, "station-1", 400, wrong=2, version=2)
    assert sight.look(START) == []
    accuracy.label(hub.telemetry, "station-2", 400, wrong=2)
    (found,) = sight.look(START)
    assert brief([found]) == [(AlertKind.ACCURACY, "storm", AlertLevel.BAD, 1)]
    assert "accuracy 0.5 by 400 labels" in found.text


def test_a_manifest_that_is_gone_or_damaged_demands_nothing(hub: WebHub) -> None:
    sight = model_sight.ChampionSight(hub.catalog, hub.telemetry, hub.blobs)
    for manifest in ("0" * 64, hub.blobs.put(b"no manifest")):
        hub.catalog.put(
            replace(a_version(1), manifest=manifest), Alias(key="rain/champion", version=1)
        )
        assert sight.look(START) == []


def test_every_kind_has_its_terms() -> None:
    assert set(TERMS) == set(AlertKind)
    assert all(msgspec.to_builtins(t.for_s) >= 0 and t.clear_s >= 0 for t in TERMS.values())
