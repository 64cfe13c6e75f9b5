"""The pages of models, versions and decisions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from werkzeug.test import TestResponse

from fleetloop_hub.people_records import Role
from fleetloop_hub.records import Alias, Model, Version, VersionState
from fleetloop_hub.version_parts import Approval, Saying
from fleetloop_hub.web.app import create_app
from support.hubrecords import START, a_decision, a_version
from support.hubweb import ADMIN, ADMIN_TOKEN, WebHub, fill, web_hub
from support.learnable import SPEC

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        fill(hub)
        text = hub.blobs.put(SPEC.replace('"toy"', '"rain"').encode())
        hub.catalog.put(Model(key="rain", spec=text, floor=0, added_at=START))
        yield hub


def seen_by(hub: WebHub, role: Role, path: str) -> str:
    return create_app(hub, ADMIN_TOKEN, "127.0.0.1", role).test_client().get(path).text


def send(hub: WebHub, path: str, **form: str) -> TestResponse:
    return hub.client().post(path, data=form, headers=ADMIN)


def test_models_are_listed_with_their_champion_and_what_waits(hub: WebHub) -> None:
    hub.catalog.put(replace(a_version(2), state=VersionState.WAITING))
    text = hub.client().get("/models").text
    assert 'href="/models/rain/1">v1</a>' in text
    assert "waits for an approval" in text
    assert hub.client().get("/models/snow").status_code == 404
    assert hub.client().get("/models/rain/9").status_code == 404


def test_a_model_lists_its_versions_by_state_and_shows_its_spec(hub: WebHub) -> None:
    hub.catalog.put(replace(a_version(2), state=VersionState.BLOCKED))
    text = hub.client().get("/models/rain?state=blocked").text
    assert 'href="/models/rain/2"' in text
    assert "champion" in text
    assert "[model]" in text
    told = hub.client().get("/models/rain?format=csv").text.splitlines()
    assert len(told) == 3


def test_a_version_shows_gates_lineage_and_what_people_said(hub: WebHub) -> None:
    said = [Approval(saying=Saying.WAIVE, by=SCRIPT, reason=SCRIPT, at=START, gate="floor")]
    hub.catalog.put(replace(a_version(2), approvals=said, tags={SCRIPT: SCRIPT}))
    text = hub.client().get("/models/rain/2").text
    assert SCRIPT not in text
    assert "<svg" in text
    assert "<style" not in text
    assert "&lt;script&gt;" in text
    assert "What you can do" not in text
    assert "champion" in hub.client().get("/models/rain/champion").text


def test_who_may_approve_is_offered_what_the_state_allows(hub: WebHub) -> None:
    hub.catalog.put(replace(a_version(2), state=VersionState.WAITING))
    path = "/models/rain/2"
    assert 'value="approve"' in seen_by(hub, Role.APPROVER, path)
    assert 'value="approve"' not in seen_by(hub, Role.OPERATOR, path)
    assert "/rollouts/new" not in seen_by(hub, Role.OPERATOR, path)
    assert "/rollouts/new?which=rain%401" in seen_by(hub, Role.OPERATOR, "/models/rain/1")


def test_an_approval_is_given_with_a_name_and_a_reason(hub: WebHub) -> None:
    waits = replace(a_version(2), state=VersionState.WAITING, needs_approval=True, manifest=None)
    hub.catalog.put(replace(waits, unsigned=hub.blobs.put(b"manifest")))
    path = "/models/rain/2/say"
    assert send(hub, path, saying="approve").status_code == 422
    assert send(hub, path, saying="reject", reason="seen").status_code == 422  # no name typed
    assert send(hub, path, saying="approve", reason="seen on the bench").status_code == 303
    (said,) = (hub.catalog.find(Version, "rain/2") or a_version(2)).approvals
    assert (said.by, said.reason) == ("admin token", "seen on the bench")
    assert hub.audit.entries()[-1].action == "approve"


def test_a_version_gets_a_name_and_a_note_from_its_page(hub: WebHub) -> None:
    assert send(hub, "/models/rain/1/alias", name="golden").status_code == 303
    assert hub.catalog.find(Alias, "rain/golden") == Alias(key="rain/golden", version=1)
    assert send(hub, "/models/rain/1/alias", name="champion").status_code == 409
    assert send(hub, "/models/rain/1/tag", key="note", value="seen").status_code == 303
    assert send(hub, "/models/rain/1/archive", confirm="no").status_code == 422


def test_decisions_are_filtered_and_lead_to_their_story(hub: WebHub) -> None:
    hub.catalog.put(replace(a_decision("d-2"), reasons=[SCRIPT]))
    text = hub.client().get("/decisions?verdict=retrain").text
    assert "/decisions/d-2" in text
    assert SCRIPT not in text
    assert "Nothing that matches" in hub.client().get("/decisions?model=snow").text
    assert "d-2" in hub.client().get("/decisions?format=csv").text
    assert hub.client().get("/decisions/d-2").status_code == 200
    assert hub.client().get("/decisions/d-9").status_code == 404


def test_the_policy_is_shown_with_its_rules(hub: WebHub) -> None:
    text = hub.client().get("/retraining").text
    assert "min_labels" in text
    assert "the version before is better" in text
    assert hub.client().get("/retraining?model=snow").status_code == 404


def test_policies_are_replayed_at_the_word_of_an_operator(hub: WebHub) -> None:
    assert "Replay it" not in hub.client().get("/retraining").text
    assert "Replay it" in seen_by(hub, Role.OPERATOR, "/retraining")
    assert hub.client().get("/retraining/rain/policies.svg").status_code == 404
    wrong = send(hub, "/retraining/rain/simulate", devices="0", unit="d", delay="1")
    assert wrong.status_code == 422
    assert send(hub, "/retraining/snow/simulate", devices="2", unit="d").status_code == 409
