"""ETags: what is known is not sent again, and what has changed is not changed blindly."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from support.hubrecords import a_rollout, a_version
from support.hubweb import ADMIN, WebHub, fill, problem, web_hub

WHO = {"by": "ann", "reason": "why"}
ROLLOUT = "/api/v1/rollouts/rollout-1"
VERSION = "/api/v1/versions/rain/1"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        fill(hub)
        yield hub


@pytest.mark.parametrize("path", ["runs", "devices", "rollouts/rollout-1", "versions/rain/1"])
def test_what_is_known_already_is_not_sent_again(hub: WebHub, path: str) -> None:
    first = hub.client().get(f"/api/v1/{path}")
    known = {"If-None-Match": f'"x", W/{first.headers["ETag"]}'}
    again = hub.client().get(f"/api/v1/{path}", headers=known)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert first.headers["Cache-Control"] == again.headers["Cache-Control"] == "private, no-cache"
    assert hub.client().get(f"/api/v1/{path}", headers={"If-None-Match": '"x"'}).data == first.data


def test_another_answer_has_another_name(hub: WebHub) -> None:
    first = hub.client().get(ROLLOUT).headers["ETag"]
    hub.catalog.put(replace(a_rollout(), text="something else"))
    assert hub.client().get(ROLLOUT).headers["ETag"] != first


def test_what_fails_and_what_changes_has_no_name(hub: WebHub) -> None:
    assert "ETag" not in hub.client().get("/api/v1/runs/none").headers
    assert "ETag" not in hub.client().post(f"{ROLLOUT}/pause", json=WHO, headers=ADMIN).headers


@pytest.mark.parametrize(
    ("record", "act", "body"),
    [
        (ROLLOUT, f"{ROLLOUT}/pause", WHO),
        (VERSION, "/api/v1/models/rain/versions/1/tag", {"key": "note", "value": "good"}),
        (VERSION, "/api/v1/models/rain/versions/1/alias", {"name": "golden"}),
    ],
)
def test_what_was_changed_meanwhile_is_not_changed_blindly(
    hub: WebHub, record: str, act: str, body: dict[str, str]
) -> None:
    seen = hub.client().get(record).headers["ETag"]
    hub.catalog.put(replace(a_rollout(), text="changed"), replace(a_version(), tags={"a": "b"}))
    refused = hub.client().post(act, json=body, headers=ADMIN | {"If-Match": seen})
    assert "Read it again" in problem(refused, 412)["detail"]
    assert hub.actions.asked == []
    now = hub.client().get(record).headers["ETag"]
    assert hub.client().post(act, json=body, headers=ADMIN | {"If-Match": now}).status_code < 300


@pytest.mark.parametrize("match", ["*", '"x", {}', "W/{}"])
def test_any_of_several_names_will_do(hub: WebHub, match: str) -> None:
    seen = hub.client().get(ROLLOUT).headers["ETag"]
    headers = ADMIN | {"If-Match": match.format(seen)}
    assert hub.client().post(f"{ROLLOUT}/pause", json=WHO, headers=headers).status_code == 200


def test_what_is_not_there_is_not_found_rather_than_changed(hub: WebHub) -> None:
    headers = ADMIN | {"If-Match": '"x"'}
    path = "/api/v1/models/rain/versions/9/tag"
    body = {"key": "note", "value": "good"}
    problem(hub.client().post(path, json=body, headers=headers), 404)
