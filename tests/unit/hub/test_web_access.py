from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.people_records import Role
from fleetloop_hub.web import access
from fleetloop_hub.web.app import create_app
from support.hubweb import ADMIN, ADMIN_TOKEN, WebHub, problem, web_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/runs", "/api/v1/devices"])
def test_whoever_does_not_say_who_they_are_reads_nothing_unless_the_hub_is_open(
    hub: WebHub, path: str
) -> None:
    shut = create_app(hub, ADMIN_TOKEN, "127.0.0.1").test_client()
    assert "Authorization" in problem(shut.get(path), 401)["detail"]
    assert shut.get(path, headers=ADMIN).status_code == 200
    assert hub.client().get(path).status_code == 200


def test_a_token_that_nobody_knows_is_refused_even_where_reading_is_open(hub: WebHub) -> None:
    wrong = {"Authorization": "Bearer guessed"}
    assert "not known" in problem(hub.client().get("/api/v1/status", headers=wrong), 401)["detail"]


def test_who_may_only_read_is_told_what_an_act_needs(hub: WebHub) -> None:
    answer = hub.client().post("/api/v1/runs", json={"model": "rain"})
    assert "operator" in problem(answer, 401)["detail"]
    assert hub.actions.asked == []


def test_a_rollout_is_approved_by_an_approver_alone(hub: WebHub) -> None:
    app = create_app(hub, ADMIN_TOKEN, "127.0.0.1", Role.OPERATOR)
    told = {"by": "ann", "reason": "why"}
    path = "/api/v1/rollouts/rollout-1/"
    assert app.test_client().post(f"{path}pause", json=told).status_code == 200
    assert problem(app.test_client().post(f"{path}approve", json=told), 401)
    assert [asked[0] for asked in hub.actions.asked] == ["pause"]


def test_a_route_that_says_nothing_of_who_may_call_it_keeps_the_hub_from_starting(
    hub: WebHub,
) -> None:
    app = create_app(hub, ADMIN_TOKEN, "127.0.0.1")
    app._got_first_request = False
    app.add_url_rule("/open", "open", lambda: "for all")
    with pytest.raises(RuntimeError, match="open"):
        access.check_declared(app)
