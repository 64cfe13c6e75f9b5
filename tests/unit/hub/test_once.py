"""Requests that bear an Idempotency-Key: done once, and answered as the first time."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fleetloop_firmware_sim.flash import Flash
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.people_records import Role
from fleetloop_hub.storage import answers
from fleetloop_hub.storage.answers import KEPT_S, KeptAnswer, KeptAnswers
from fleetloop_hub.web.app import create_app
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.errors import DiskFullError
from support.hubweb import ADMIN, ADMIN_TOKEN, WebHub, problem, web_hub

RUN = {"model": "rain", "reason": "to see"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


def post(
    client: FlaskClient, key: str, path: str = "runs", body: dict[str, object] | None = None
) -> TestResponse:
    headers = ADMIN | {"Idempotency-Key": key}
    return client.post(f"/api/v1/{path}", json=RUN if body is None else body, headers=headers)


def test_what_is_sent_again_is_not_done_again_and_answered_the_same(hub: WebHub) -> None:
    client = hub.client()
    first, second = post(client, "a"), post(client, "a")
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(hub.actions.asked) == 1
    assert len(hub.audit.entries()) == 1
    assert post(client, "b").status_code == 201
    assert len(hub.actions.asked) == 2


def test_the_key_outlives_the_hub(hub: WebHub, tmp_path: Path) -> None:
    first = post(hub.client(), "a")
    hub.answers.__init__(RealDisk(tmp_path))  # type: ignore[misc]  # as after a start
    again = post(hub.client(), "a")
    assert again.data == first.data
    assert len(hub.actions.asked) == 1


@pytest.mark.parametrize(
    ("path", "body"), [("runs", RUN | {"reason": "other"}), ("runs/rain-1/cancel", {})]
)
def test_the_key_of_another_request_is_refused(
    hub: WebHub, path: str, body: dict[str, object]
) -> None:
    client = hub.client()
    post(client, "a")
    assert "draw a new one" in problem(post(client, "a", path, body), 422)["detail"]
    assert len(hub.actions.asked) == 1


def test_what_was_refused_may_be_sent_again_under_its_key(hub: WebHub) -> None:
    client = hub.client()
    hub.actions.error = TrainingError("a run is under way: wait for it")
    problem(post(client, "a"), 409)
    hub.actions.error = None
    assert post(client, "a").status_code == 201


@dataclass
class Slow:
    """Trains only once it may."""

    inside: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def train(self, model: str, trigger: str, reason: str, by: str) -> str:
        self.inside.set()
        self.go.wait(10)
        return "rain-run-9"


@pytest.mark.parametrize(
    ("same", "says"), [(True, "is still being done"), (False, "begun before the hub was stopped")]
)
def test_while_the_first_is_being_done_the_second_is_told_so(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch, *, same: bool, says: str
) -> None:
    slow, app = Slow(), hub.client().application
    monkeypatch.setattr(hub.actions, "train", slow.train)
    thread = threading.Thread(target=post, args=(app.test_client(), "a"))
    thread.start()
    try:
        slow.inside.wait(10)
        if not same:
            hub.apps.clear()  # as after a start
        client = app.test_client() if same else hub.client()
        answer = post(client, "a")
        assert says in problem(answer, 409)["detail"]
        assert answer.headers.get("Retry-After") == ("1" if same else None)
    finally:
        slow.go.set()
        thread.join()
    assert post(app.test_client(), "a").json == {"run": "rain-run-9"}


def test_a_secret_is_not_kept_for_whoever_asks_again(hub: WebHub, tmp_path: Path) -> None:
    client = hub.client()
    asked: dict[str, object] = {"cohort": "plains"}
    assert post(client, "a", "tokens", asked).json == {"token": "secret.fingerprint"}
    assert "is not kept" in problem(post(client, "a", "tokens", asked), 409)["detail"]
    assert len(hub.actions.asked) == 1
    kept = [path.read_bytes() for path in (tmp_path / "answers").iterdir()]
    assert kept
    assert all(b"secret.fingerprint" not in one for one in kept)


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "ä", "a b"])
def test_a_key_that_is_none_is_refused_before_anything_is_done(hub: WebHub, key: str) -> None:
    problem(post(hub.client(), key), 400)
    assert hub.actions.asked == []


def test_keys_of_others_are_others(hub: WebHub) -> None:
    app = create_app(hub, ADMIN_TOKEN, "127.0.0.1", Role.OPERATOR)
    key = {"Idempotency-Key": "a"}
    app.test_client().post("/api/v1/runs", json=RUN, headers=key)
    app.test_client().post("/api/v1/runs", json=RUN, headers=key | ADMIN)
    assert len(hub.actions.asked) == 2


def test_after_a_day_a_key_is_forgotten() -> None:
    kept = KeptAnswers(Flash())
    assert kept.begin("a", "x", 1_000.0) is None
    kept.end("a", 201, "text/plain", b"done")
    found = KeptAnswer(asked="x", at=1_000.0, status=201, kind="text/plain", body=b"done")
    assert kept.begin("a", "x", 999.0 + KEPT_S) == found
    assert kept.begin("a", "x", 1_001.0 + KEPT_S) is None


def test_of_a_day_no_more_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST", 3)
    flash = Flash()
    kept = KeptAnswers(flash)
    for name in "abc":
        kept.begin(name, "x", 1_000.0)
    with pytest.raises(DiskFullError, match="nothing was done"):
        kept.begin("d", "x", 1_000.0)
    kept.forget("b")
    assert kept.begin("d", "x", 1_000.0) is None
    assert flash.names(answers.FOLDER) == ["a", "c", "d"]


def test_of_a_long_answer_is_kept_that_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LONGEST_BYTES", 3)
    kept = KeptAnswers(Flash())
    kept.begin("a", "x", 1.0)
    kept.end("a", 201, "text/plain", b"done")
    found = kept.begin("a", "x", 2.0)
    assert found is not None
    assert (found.status, found.body) == (201, None)


def test_what_a_cut_has_left_is_taken_away() -> None:
    flash = Flash()
    for name in ("part", "whole"):
        flash.write(answers.FOLDER / name, b"{half")
    kept = KeptAnswers(flash)
    assert kept.begin("a", "x", 1_000_000.0) is None
    assert flash.names(answers.FOLDER) == ["a"]
