"""The HTTP API of rollouts: what a person asks is passed on with who and why, and logged."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hubrecords import a_quarantine, a_rollout
from support.hubweb import ADMIN, WebHub, web_hub

WHO = {"by": "ann", "reason": "looked at it"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as made:
        made.catalog.put(a_rollout(), a_quarantine())
        yield made


def test_what_a_person_does_to_a_rollout_says_who_and_why_and_is_logged(hub: WebHub) -> None:
    client = hub.client()
    for event in ("approve", "pause", "resume", "abort", "withdraw"):
        answer = client.post(f"/api/v1/rollouts/rollout-1/{event}", json=WHO, headers=ADMIN)
        assert answer.status_code == 200
        assert hub.actions.asked[-1] == (event, "rollout-1", f"{event} by ann: looked at it")
    assert [e.by for e in hub.audit.entries()] == ["ann"] * 5


def test_nothing_is_done_without_the_token_a_reason_or_a_known_word(hub: WebHub) -> None:
    client = hub.client()
    where = "/api/v1/rollouts/rollout-1"
    assert client.post(f"{where}/pause", json=WHO).status_code == 401
    assert client.post(f"{where}/pause", json={"by": "ann"}, headers=ADMIN).status_code == 400
    assert client.post(f"{where}/explode", json=WHO, headers=ADMIN).status_code == 404
    assert hub.actions.asked == []


def test_parts_of_cohorts_quarantine_and_a_plan(hub: WebHub) -> None:
    client = hub.client()
    part = {"name": "roofs", "where": 'site = "roof"'}
    assert client.post("/api/v1/cohorts", json=part, headers=ADMIN).status_code == 201
    lift = client.post("/api/v1/quarantine/abab/pi4/lift", json=WHO, headers=ADMIN)
    assert lift.status_code == 200
    wanted = {"model": "rain", "version": 1}
    plan = client.post("/api/v1/rollouts/plan", json=wanted, headers=ADMIN).get_json()
    assert [p["devices"] for p in plan["phases"]] == [1, 2]
    assert hub.actions.asked[0] == ("define", "roofs", 'site = "roof"', "default")
    assert hub.actions.asked[1] == ("lift", "abab/pi4", "ann: looked at it")
    assert client.get("/api/v1/rollouts/rollout-1").get_json()["state"] == "open"
    assert len(client.get("/api/v1/quarantine").get_json()["quarantine"]) == 1
