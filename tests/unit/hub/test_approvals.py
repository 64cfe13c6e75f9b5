"""What people say to versions: what it changes, what is recorded, and what is refused."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from fleetloop_hub.audit_records import Deed
from fleetloop_hub.errors import AbsentError, AuditError, GateError
from fleetloop_hub.ports import Audit
from fleetloop_hub.records import Alias, Version, VersionState
from fleetloop_hub.storage.audit import LOG
from fleetloop_hub.tracking.approvals import Words
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.version_parts import Saying
from fleetloop_shared.codec import encode
from fleetloop_shared.errors import DiskFullError
from support.examples import MANIFEST
from support.hubrecords import a_gate, a_rollout, a_version
from support.hubweb import ADMIN, WebHub, web_hub
from support.learnable import SPEC


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as made:
        yield made


def kept(hub: WebHub, *failed: str, needs_approval: bool = False) -> Version:
    """A version in the catalog whose gates of these names have failed."""
    gates = [a_gate(), *(a_gate(name, passed=False) for name in failed)]
    state = VersionState.BLOCKED if failed else VersionState.WAITING
    version = replace(
        a_version(3),
        gates=gates,
        state=state,
        manifest=None,
        manifest_bytes=0,
        needs_approval=needs_approval,
        unsigned=hub.blobs.put(encode(MANIFEST)),
    )
    hub.catalog.put(version)
    return version


def say(hub: WebHub, saying: str, gate: str = "", reason: str = "seen in the field") -> Version:
    words = Words(saying=Saying(saying), by="ann", reason=reason, gate=gate)
    return hub.approvals.say("rain", 3, words, 100.0)


def registry(hub: WebHub, folder: Path) -> Registry:
    return Registry(hub.catalog, hub.blobs)


def test_a_version_waits_until_it_is_approved_and_is_signed_then(
    hub: WebHub, tmp_path: Path
) -> None:
    kept(hub, needs_approval=True)
    versions = registry(hub, tmp_path)
    with pytest.raises(GateError, match=r"waits for a person: `fleetloop approve rain@3"):
        versions.releasable("rain", 3)
    approved = say(hub, "approve")
    assert approved.state is VersionState.READY
    assert versions.manifest(versions.releasable("rain", 3)) == MANIFEST
    assert hub.catalog.find(Alias, "rain/challenger") == Alias(key="rain/challenger", version=3)
    (approval,) = approved.approvals
    assert (approval.by, approval.reason, approval.at) == ("ann", "seen in the field", 100.0)
    (entry,) = hub.audit.entries()
    assert (entry.by, entry.action, entry.subject) == ("ann", "approve", "rain@3")
    assert entry.hash == approval.audit


def test_a_waiver_lifts_one_gate_and_no_other(hub: WebHub, tmp_path: Path) -> None:
    kept(hub, "latency", "memory")
    assert say(hub, "waive", "latency").state is VersionState.BLOCKED
    with pytest.raises(GateError, match="is blocked"):
        registry(hub, tmp_path).releasable("rain", 3)
    waived = say(hub, "waive", "memory")
    assert waived.state is VersionState.READY
    assert [(g.name, g.passed, g.waived) for g in waived.gates] == [
        ("floor", True, False),
        ("latency", False, True),
        ("memory", False, True),
    ]
    assert [e.details for e in hub.audit.entries()] == [{"gate": "latency"}, {"gate": "memory"}]


def test_a_waived_version_still_waits_for_an_approval(hub: WebHub) -> None:
    kept(hub, "latency", needs_approval=True)
    with pytest.raises(GateError, match="an approval does not lift a gate"):
        say(hub, "approve")
    assert say(hub, "waive", "latency").state is VersionState.WAITING
    assert say(hub, "approve").state is VersionState.READY


def test_a_rejected_version_is_never_released(hub: WebHub, tmp_path: Path) -> None:
    kept(hub, needs_approval=True)
    say(hub, "approve")
    rejected = say(hub, "reject", reason="wrong labels in May")
    assert rejected.state is VersionState.REJECTED
    assert rejected.manifest is None
    with pytest.raises(GateError, match="was rejected by ann: wrong labels in May"):
        registry(hub, tmp_path).releasable("rain", 3)
    with pytest.raises(GateError, match="is rejected: nothing can be said to it any more"):
        say(hub, "approve")


def test_a_rejected_version_is_the_challenger_no_longer(hub: WebHub) -> None:
    kept(hub, needs_approval=True)
    say(hub, "approve")
    path = "/api/v1/versions/rain/challenger"
    assert hub.client().get(path).status_code == 200
    say(hub, "reject")
    assert "rain has no version challenger; there are: rain@3" in hub.client().get(path).text
    (shown,) = msgspec.json.decode(hub.client().get("/api/v1/versions").data)["versions"]
    assert shown["aliases"] == []


def test_a_rejection_leaves_another_challenger_alone(hub: WebHub) -> None:
    kept(hub, needs_approval=True)
    hub.catalog.put(Alias(key="rain/challenger", version=2))
    say(hub, "reject")
    assert hub.catalog.find(Alias, "rain/challenger") == Alias(key="rain/challenger", version=2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (Words(saying=Saying.APPROVE, by=" ", reason="x"), "say who you are and why"),
        (Words(saying=Saying.REJECT, by="ann", reason=""), "say who you are and why"),
        (Words(saying=Saying.WAIVE, by="ann", reason="x", gate="floor"), "it is by: latency"),
        (Words(saying=Saying.WAIVE, by="ann", reason="x"), "not blocked by a gate ''"),
    ],
)
def test_what_cannot_be_said_changes_and_logs_nothing(hub: WebHub, words: Words, told: str) -> None:
    before = kept(hub, "latency")
    with pytest.raises(GateError, match=told):
        hub.approvals.say("rain", 3, words, 1.0)
    assert hub.catalog.find(Version, "rain/3") == before
    assert hub.audit.entries() == []


def test_what_needs_no_approval_or_is_not_there_cannot_be_approved(hub: WebHub) -> None:
    hub.catalog.put(replace(kept(hub), state=VersionState.READY))
    with pytest.raises(GateError, match="needs no approval"):
        say(hub, "approve")
    hub.catalog.put(replace(kept(hub), state=VersionState.RELEASED))
    with pytest.raises(GateError, match="is released: nothing can be said"):
        say(hub, "reject")
    with pytest.raises(AbsentError, match="rain has no version 9"):
        hub.approvals.say("rain", 9, Words(saying=Saying.REJECT, by="a", reason="b"), 1.0)


def test_a_version_that_is_on_its_way_to_devices_is_left_alone(hub: WebHub) -> None:
    before = replace(kept(hub), state=VersionState.READY)
    rollout = replace(a_rollout(), model="rain", version=3, ended_at=None)
    hub.catalog.put(before, rollout)
    with pytest.raises(GateError, match="is being rolled out to"):
        say(hub, "reject")
    assert hub.catalog.find(Version, "rain/3") == before
    hub.catalog.put(replace(rollout, ended_at=9.0))
    assert say(hub, "reject").state is VersionState.REJECTED


class _Refusing(Audit):
    """A log that cannot be written."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def record(self, deed: Deed, now: float) -> str:
        raise self._error

    def entries(self) -> list[object]:  # type: ignore[override]  # never asked
        return []


@pytest.mark.parametrize("error", [DiskFullError("no room"), AuditError("changed")])
def test_what_cannot_be_logged_is_not_done(hub: WebHub, error: Exception) -> None:
    before = kept(hub, needs_approval=True)
    hub.approvals._audit = _Refusing(error)
    with pytest.raises(type(error)):
        say(hub, "approve")
    assert hub.catalog.find(Version, "rain/3") == before


# --- over HTTP ------------------------------------------------------------------------------------


def post(hub: WebHub, path: str, body: object, **headers: str) -> tuple[int, dict[str, object]]:
    answer = hub.client().post(f"/api/v1{path}", json=body, headers=ADMIN | headers)
    return answer.status_code, msgspec.json.decode(answer.data)


def test_sayings_need_the_admin_token_a_name_and_a_reason(hub: WebHub) -> None:
    kept(hub, needs_approval=True)
    body = {"saying": "approve", "by": "ann", "reason": "good"}
    path = "/versions/rain/3/sayings"
    assert hub.client().post(f"/api/v1{path}", json=body).status_code == 401
    assert post(hub, path, {**body, "reason": "  "})[0] == 400
    assert post(hub, path, {**body, "by": ""})[0] == 400
    assert post(hub, path, body) == (201, {"state": "ready"})
    assert post(hub, path, body)[0] == 409
    assert hub.client().get("/api/v1/audit").status_code == 401
    answer = hub.client().get("/api/v1/audit", headers=ADMIN)
    (entry,) = msgspec.json.decode(answer.data)["entries"]
    assert (entry["by"], entry["reason"]) == ("ann", "good")


def test_what_people_ask_of_the_hub_is_logged_before_it_is_done(hub: WebHub) -> None:
    who = {"Fleetloop-By": "ann"}
    post(hub, "/tokens", {"cohort": "north"}, **who)
    post(hub, "/models", {"spec": "s" * 300, "folder": "/data"}, **who)
    post(hub, "/runs", {"model": "rain", "reason": "new rows"}, **who)
    post(hub, "/rollouts", {"model": "rain", "version": 9, "cohort": "north"})
    told = [(e.by, e.action, e.subject, e.reason) for e in hub.audit.entries()]
    assert told == [
        ("ann", "make a token", "north", ""),
        ("ann", "add a model", "models", ""),
        ("ann", "train", "rain", "new rows"),
        ("admin token", "roll out", "rain@9", ""),
    ]
    assert hub.audit.entries()[1].details["spec"].startswith("sha256 ")


def test_rows_are_logged_under_their_model_and_a_cancel_under_its_run(hub: WebHub) -> None:
    post(hub, "/data", {"spec": SPEC, "folder": "/nowhere"})
    post(hub, "/runs/run-1/cancel", {})
    told = [(e.action, e.subject) for e in hub.audit.entries() if "refused" not in e.action]
    assert told == [("add rows", "toy"), ("cancel a run", "run-1")]


def test_what_is_long_or_no_text_is_logged_in_brief(hub: WebHub) -> None:
    labels = [{"device": "d1", "prediction_id": "p1", "label": 1, "at": 1}]
    post(hub, "/labels", {"labels": labels})
    (entry, *_) = hub.audit.entries()
    assert entry.action == "tell labels"
    assert "p1" in entry.details["labels"]


def test_a_refused_request_is_logged_as_refused(hub: WebHub) -> None:
    hub.actions.error = GateError("rain@9 is blocked")
    status, _ = post(hub, "/rollouts", {"model": "rain", "version": 9})
    assert status == 409
    assert [e.action for e in hub.audit.entries()] == ["roll out", "roll out: refused"]


def test_with_a_damaged_log_nothing_is_done(hub: WebHub, tmp_path: Path) -> None:
    post(hub, "/tokens", {})
    (tmp_path / LOG).write_bytes(b"{}\n")
    status, problem = post(hub, "/tokens", {})
    assert status == 500
    assert "the audit log was changed or damaged" in str(problem["detail"])
    assert [asked[0] for asked in hub.actions.asked] == ["token"]


def test_enrolling_never_writes_its_token_into_the_log(hub: WebHub) -> None:
    body = {"device": "d1", "token": "secret.fingerprint", "hardware": "sim", "agent": "1"}
    hub.client().post("/api/v1/enrol", json=body)
    assert hub.audit.entries() == []
