"""The HTTP API: who may do what, and what a request that is not served is told."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.errors import DataError, EnrolError, GateError, SpecError, TrainingError
from fleetloop_shared.errors import DiskFullError
from support.hubrecords import PASSWORD, a_version
from support.hubweb import ADMIN, WebHub, fill, problem, web_hub

BODIES: dict[str, dict[str, object]] = {
    "tokens": {"cohort": "plains", "expires_s": 60},
    "models": {"spec": "[model]", "folder": "/data"},
    "data": {"spec": "[model]", "folder": "/data"},
    "labels": {"labels": []},
    "labels/sources": {"name": "bank"},
    "runs": {"model": "rain", "reason": "to see"},
    "versions/rain-1/rain-1/sayings": {"saying": "approve", "by": "ann", "reason": "seen"},
    "rollouts": {"model": "rain", "version": 2},
    "shadows": {"model": "rain", "version": 2},
    "shadows/stop": {"model": "rain", "version": 2},
    "runs/rain-1/reproduce": {"by": "ann"},
    "runs/rain-1/cancel": {"by": "ann"},
    "runs/rain-1/allow": {"by": "ann", "reason": "seen"},
    "imports": {"spec": "[model]", "folder": "/data", "file": "/data/model.onnx"},
    "models/rain-1/versions/1/alias": {"name": "golden"},
    "models/rain-1/versions/1/tag": {"key": "note", "value": "good"},
    "models/rain-1/versions/1/archive": {},
    "models/rain-1/retain": {"keep": 3},
    "models/rain-1/policy/simulate": {"devices": 2},
    "rollouts/plan": {"model": "rain", "version": 1},
    "rollouts/rain-1/rain-1": {"by": "ann", "reason": "why"},
    "cohorts": {"name": "roofs", "where": 'site = "roof"'},
    "cohorts/rain-1/remove": {"by": "ann", "reason": "why"},
    "quarantine/rain-1/rain-1/lift": {"by": "ann", "reason": "why"},
    "alerts/rain-1/acknowledge": {"by": "ann", "reason": "why"},
    "silences": {"for_s": 60, "by": "ann", "reason": "why"},
    "silences/rain-1/end": {"by": "ann", "reason": "why"},
    "channels": {"name": "ops", "kind": "webhook", "url": "https://example.org/"},
    "channels/rain-1/remove": {},
    "channels/rain-1/test": {},
    "channels/rain-1/again": {},
    "people": {"name": "ann", "role": "operator"},
    "people/rain-1/role": {"role": "operator"},
    "people/rain-1/disable": {},
    "people/rain-1/enable": {},
    "people/rain-1/reset": {},
    "api-tokens": {"name": "ci"},
    "api-tokens/rain-1/revoke": {},
    "keys/rotations": {"repository": "image"},
    "keys/revocations": {"keyid": "0123abcd"},
    "keys/signatures": {
        "repository": "image",
        "role": "root",
        "version": 2,
        "keyid": "0123abcd",
        "signature": "00",
    },
}
FOR_VIEWERS = {"rollouts/plan", "api-tokens", "api-tokens/rain-1/revoke"}
ENROLMENT: dict[str, object] = {
    "token": "secret",
    "device": "station-1",
    "hardware": "pi4",
    "agent": "0.1.0",
}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


@pytest.mark.parametrize("path", [path for path in BODIES if path not in FOR_VIEWERS])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer the-admin-tokem"},
        {"Authorization": "Basic the-admin-token"},
        {"Authorization": "the-admin-token"},
        {"Authorization": "Bearer thé-admin-token"},
    ],
    ids=str,
)
def test_without_the_admin_token_nothing_is_changed(
    hub: WebHub, path: str, headers: dict[str, str]
) -> None:
    response = hub.client().post(f"/api/v1/{path}", json=BODIES[path], headers=headers)
    problem(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert hub.actions.asked == []


def test_every_route_that_changes_something_is_known_to_these_tests(hub: WebHub) -> None:
    rules = hub.client().application.url_map.iter_rules()
    posts = {
        re.sub("<[^>]+>", "rain-1", rule.rule.replace("<int:number>", "1"))
        for rule in rules
        if "POST" in (rule.methods or ()) and rule.rule.startswith("/api/")
    }
    assert posts == {f"/api/v1/{path}" for path in [*BODIES, "enrol"]}


@pytest.mark.parametrize(
    ("path", "answer", "asked"),
    [
        ("tokens", {"token": "secret.fingerprint"}, ("token", "plains", 60.0)),
        ("models", {"model": "rain"}, ("model", "[model]", Path("/data"))),
        ("runs", {"run": "rain-run-9"}, ("train", "rain", "person", "to see", "")),
        ("runs/rain-1/reproduce", {"run": "rain-run-10"}, ("reproduce", "rain-1", "ann")),
        ("rollouts", {"rollout": "rollout-1"}, ("rollout", "rain", 2, "default")),
    ],
)
def test_with_the_admin_token_it_is_done(
    hub: WebHub, path: str, answer: dict[str, str], asked: tuple[object, ...]
) -> None:
    response = hub.client().post(f"/api/v1/{path}", json=BODIES[path], headers=ADMIN)
    assert (response.status_code, response.json) == (201, answer)
    assert hub.actions.asked == [asked]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "Input data was truncated"),
        (b"{", "Input data was truncated"),
        (b"[" * 100_000, ""),
        (b'{"model": "rain"}', "missing required field `version`"),
        (b'{"model": "rain", "version": "2"}', "`$.version`"),
        (b'{"model": "rain", "version": 2, "force": true}', "unknown field `force`"),
        (b'{"model": "\xff", "version": 2}', "utf-8"),
    ],
    ids=["empty", "cut", "deep", "missing", "type", "unknown", "no-utf-8"],
)
def test_a_body_that_is_not_as_agreed_names_the_place(hub: WebHub, body: bytes, says: str) -> None:
    headers = ADMIN | {"Content-Type": "application/json"}
    with hub.client() as client:
        told = problem(client.post("/api/v1/rollouts", data=body[:16_000], headers=headers), 400)
    assert says in told["detail"]
    assert hub.actions.asked == []


@pytest.mark.parametrize("path", [*BODIES, "enrol"])
def test_an_oversized_body_is_refused_unread(hub: WebHub, path: str) -> None:
    body = json.dumps({"spec": "x" * 1_100_000}).encode()
    headers = ADMIN | {"Content-Type": "application/json"}
    problem(hub.client().post(f"/api/v1/{path}", data=body, headers=headers), 413)
    assert hub.actions.asked == []


def test_only_a_spec_may_be_long(hub: WebHub) -> None:
    long = " " * 20_000
    headers = ADMIN | {"Content-Type": "application/json"}
    for path, status in {"tokens": 413, "runs": 413, "rollouts": 413, "models": 201}.items():
        body = json.dumps(BODIES[path]) + long
        response = hub.client().post(f"/api/v1/{path}", data=body, headers=headers)
        assert response.status_code == status


@pytest.mark.parametrize("path", [*BODIES, "enrol"])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_of_another_site_cannot_post(hub: WebHub, path: str, kind: str) -> None:
    body = json.dumps({**BODIES, "enrol": ENROLMENT}[path])
    headers = ADMIN | {"Content-Type": kind}
    problem(hub.client().post(f"/api/v1/{path}", data=body, headers=headers), 415)
    assert hub.actions.asked == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SpecError("model.name is missing: add it"), 422),
        (DataError("rain.csv line 7: no number"), 422),
        (TrainingError("a run is under way: wait for it"), 409),
        (GateError("rain v2 is blocked"), 409),
        (DiskFullError("no room: free some space"), 507),
    ],
)
def test_what_the_hub_refuses_is_told_in_its_words(
    hub: WebHub, error: Exception, status: int
) -> None:
    hub.actions.error = error
    response = hub.client().post("/api/v1/runs", json=BODIES["runs"], headers=ADMIN)
    assert problem(response, status)["detail"] == str(error)


def test_an_unforeseen_error_shows_nothing_of_the_inside(hub: WebHub) -> None:
    hub.actions.error = ZeroDivisionError("secret inside")
    response = hub.client().post("/api/v1/runs", json=BODIES["runs"], headers=ADMIN)
    problem(response, 500)
    assert b"secret inside" not in response.data
    assert b"Traceback" not in response.data


@pytest.mark.parametrize("cohort", ["", "a/b", "Plains", "+", "#", "x" * 65])
def test_a_cohort_that_may_not_stand_in_a_topic_is_refused(hub: WebHub, cohort: str) -> None:
    for path in ("tokens", "rollouts"):
        body = BODIES[path] | {"cohort": cohort}
        problem(hub.client().post(f"/api/v1/{path}", json=body, headers=ADMIN), 422)
    assert hub.actions.asked == []


@pytest.mark.parametrize("expires_s", [0, -1, 604_801, 1e300])
def test_a_token_lives_for_a_week_at_most(hub: WebHub, expires_s: float) -> None:
    body = {"expires_s": expires_s}
    problem(hub.client().post("/api/v1/tokens", json=body, headers=ADMIN), 400)
    assert hub.actions.asked == []


def test_a_device_enrols_with_its_one_time_token_alone(hub: WebHub) -> None:
    response = hub.client().post("/api/v1/enrol", json=ENROLMENT)
    assert response.status_code == 201
    assert response.json is not None
    assert response.json["password"] == PASSWORD
    assert response.headers["Cache-Control"] == "no-store"


def test_who_guesses_enrolment_tokens_must_wait(hub: WebHub) -> None:
    client = hub.client()
    hub.actions.error = EnrolError("no such token: make one with `fleetloop token`")
    for _ in range(10):
        problem(client.post("/api/v1/enrol", json=ENROLMENT), 403)
    response = client.post("/api/v1/enrol", json=ENROLMENT)
    problem(response, 429)
    assert int(response.headers["Retry-After"]) > 0
    assert len(hub.actions.asked) == 10


def test_enrolling_a_fleet_in_one_go_is_not_guessing(hub: WebHub) -> None:
    client = hub.client()
    answers = [client.post("/api/v1/enrol", json=ENROLMENT).status_code for _ in range(50)]
    assert answers == [201] * 50


@pytest.mark.parametrize("path", ["devices", "versions", "models", "rollouts", "decisions", "runs"])
def test_lists_are_named_by_what_they_hold(hub: WebHub, path: str) -> None:
    assert hub.client().get(f"/api/v1/{path}").json == {path: [], "next": None}
    fill(hub)
    found = hub.client().get(f"/api/v1/{path}").json
    assert found is not None
    assert len(found[path]) == 1


def test_one_device_and_the_models_are_told_in_brief(hub: WebHub) -> None:
    fill(hub)
    client = hub.client()
    told = client.get("/api/v1/devices/station-1").get_json()
    assert told == client.get("/api/v1/devices").get_json()["devices"][0]
    assert "fleetloop devices" in problem(client.get("/api/v1/devices/nix"), 404)["detail"]
    hub.catalog.put(a_version(2))
    [model] = client.get("/api/v1/models").get_json()["models"]
    assert model == {"model": "rain", "versions": 2, "newest": 2, "champion": 1, "spec": ""}


def test_no_answer_ever_holds_a_device_password(hub: WebHub) -> None:
    fill(hub)
    client = hub.client()
    for rule in client.application.url_map.iter_rules():
        if rule.rule == "/events/stream":
            continue  # it has no end, and names topics only
        if "GET" in (rule.methods or set()) and not rule.arguments:
            sought = "?q=station" if rule.rule == "/api/v1/search" else ""
            response = client.get(f"{rule.rule}{sought}", headers=ADMIN)
            assert response.status_code == 200
            assert PASSWORD.encode() not in response.data


def test_status_and_health_say_that_the_hub_is_there(hub: WebHub) -> None:
    status = hub.client().get("/api/v1/status").json
    assert status == {
        "broker": "mqtt://127.0.0.1:1883",
        "broker_kind": "NATS server, run by the hub",
        "broker_retains": True,
        "egress_bytes": 1_000,
        "uptime_s": 12.0,
        "training": None,
        "reports_stored": 0,
    }
    assert hub.client().get("/healthz").json == {"uptime_s": 12.0}


def test_a_path_that_is_none_is_a_problem_too(hub: WebHub) -> None:
    problem(hub.client().get("/api/v1/nothing", headers={"Accept": "text/html"}), 404)
    wrong_method = hub.client().get("/api/v1/tokens")
    problem(wrong_method, 405)
    assert "POST" in wrong_method.headers["Allow"]
