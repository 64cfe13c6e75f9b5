"""The pages of rollouts: what they show, and what is asked of the hub from them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from werkzeug.test import TestResponse

from fleetloop_hub.fleet_records import Cohort, LabelCohort, Quarantine, Rollout, RolloutState
from fleetloop_hub.judging.weigh import weigh
from fleetloop_hub.people_records import Role
from fleetloop_hub.records import Model, VersionState
from fleetloop_hub.spec.judge_table import JudgeTable
from fleetloop_hub.web.app import create_app
from support.hubrecords import SHA, START, a_device, a_quarantine, a_rollout, a_version
from support.hubweb import ADMIN, ADMIN_TOKEN, WebHub, fill, show_up, web_hub
from support.judged import device
from support.learnable import SPEC

SCRIPT = "<script>alert(1)</script>"
WORD = {"reason": "too many errors"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        fill(hub)
        text = hub.blobs.put(SPEC.replace('"toy"', '"rain"').encode())
        hub.catalog.put(Model(key="rain", spec=text, floor=0, added_at=START))
        yield hub


def as_(hub: WebHub, role: Role) -> FlaskClient:
    return create_app(hub, ADMIN_TOKEN, "127.0.0.1", role).test_client()


def send(hub: WebHub, path: str, **form: str) -> TestResponse:
    return hub.client().post(path, data=form, headers=ADMIN)


def test_every_rollout_is_listed_those_under_way_first(hub: WebHub) -> None:
    ended = replace(a_rollout(state=RolloutState.DONE), key="old", started_at=START + 50)
    hub.catalog.put(ended)
    text = hub.client().get("/rollouts").text
    assert text.index("/rollouts/rollout-1") < text.index("/rollouts/old")
    only = hub.client().get("/rollouts?state=under way").text
    assert "/rollouts/rollout-1" in only
    assert "/rollouts/old" not in only
    told = hub.client().get("/rollouts?format=csv").text.splitlines()
    assert told[0].startswith("key,model,version")
    assert [line.split(",")[0] for line in told[1:]] == ["rollout-1", "old"]


def test_without_rollouts_the_next_command_is_told(hub: WebHub) -> None:
    text = hub.client().get("/rollouts?state=expired").text
    assert "No rollout is expired" in text


def test_a_rollout_shows_its_devices_one_by_one(hub: WebHub) -> None:
    devices = [a_device(f"station-{n}") for n in range(1, 4)]
    hub.catalog.put(
        *devices, replace(a_rollout(), bucket=10_000), Cohort(key="default", sequence=1)
    )
    show_up(hub.telemetry, "station-1")
    show_up(hub.telemetry, "station-2", artifact="e" * 64, quarantined=[SHA])
    text = hub.client().get("/rollouts/rollout-1").text
    assert text.index(">station-2</a>") < text.index(">station-1</a>")  # who failed comes first
    for told in ("1 with it", "1 on the way", "1 failed", "Phase 1, the canary", "25.0 %"):
        assert told in text, told
    assert hub.client().get("/rollouts/nobody").status_code == 404


def test_a_viewer_is_offered_no_act_and_an_operator_no_approval(hub: WebHub) -> None:
    assert "What you can do" not in hub.client().get("/rollouts/rollout-1").text
    operator = as_(hub, Role.OPERATOR).get("/rollouts/rollout-1").text
    assert 'action="/rollouts/rollout-1/pause"' in operator
    assert 'action="/rollouts/rollout-1/resume"' not in operator  # it is not paused
    hub.catalog.put(replace(a_rollout(), state=RolloutState.WAITING))
    assert "/approve" not in as_(hub, Role.OPERATOR).get("/rollouts/rollout-1").text
    assert "/approve" in as_(hub, Role.APPROVER).get("/rollouts/rollout-1").text


def test_pausing_asks_the_hub_and_shows_the_rollout_again(hub: WebHub) -> None:
    answer = send(hub, "/rollouts/rollout-1/pause", **WORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/rollouts/rollout-1")
    assert hub.actions.asked == [
        ("pause", "rollout-1", "pause by admin token: too many errors"),
    ]
    (entry,) = hub.audit.entries()
    assert (entry.action, entry.reason) == ("act on a rollout", "too many errors")


@pytest.mark.parametrize("act", ["abort", "withdraw"])
def test_what_ends_a_rollout_wants_its_name_typed(hub: WebHub, act: str) -> None:
    for typed in ("", "rain@2"):
        answer = send(hub, f"/rollouts/rollout-1/{act}", confirm=typed, **WORD)
        assert answer.status_code == 422
        assert "rain@1" in answer.text
    assert hub.actions.asked == []
    assert send(hub, f"/rollouts/rollout-1/{act}", confirm="rain@1", **WORD).status_code == 303
    assert [asked[0] for asked in hub.actions.asked] == [act]


def test_an_act_without_a_reason_or_that_there_is_not_is_refused(hub: WebHub) -> None:
    assert send(hub, "/rollouts/rollout-1/pause").status_code == 422
    assert send(hub, "/rollouts/rollout-1/explode", **WORD).status_code == 404
    assert send(hub, "/rollouts/nobody/pause", **WORD).status_code == 404
    assert as_(hub, Role.OPERATOR).post("/rollouts/rollout-1/approve", data=WORD).status_code in {
        401,
        403,
    }
    assert hub.actions.asked == []


def test_a_new_rollout_is_planned_before_it_is_begun(hub: WebHub) -> None:
    hub.catalog.put(replace(a_version(4), state=VersionState.READY))
    path = "/rollouts/new?which=rain@4&cohort=default"
    text = as_(hub, Role.OPERATOR).get(path).text
    for told in ("nothing has begun", "1 of 2 devices", "barred", 'value="rain@4"', "rollout-0"):
        assert told in text, told
    assert [asked[0] for asked in hub.actions.asked] == ["plan"]
    form = {"which": "rain@4", "cohort": "default", "reason": "better"}
    assert send(hub, "/rollouts/new", **form).status_code == 422
    assert send(hub, "/rollouts/new", **form, confirm="rain@4").status_code == 303
    assert hub.actions.asked[-1] == ("rollout", "rain", 4, "default")


@pytest.mark.parametrize("which", ["rain", "rain@", "@3", "rain@x", "rain@1234567890", SCRIPT])
def test_what_is_no_version_is_said_to_be_none(hub: WebHub, which: str) -> None:
    text = as_(hub, Role.OPERATOR).get("/rollouts/new", query_string={"which": which}).text
    assert "is no version" in text
    assert SCRIPT not in text


def test_a_part_of_a_cohort_gets_a_name_and_loses_it(hub: WebHub) -> None:
    part = {"name": "roofs", "home": "default", "where": 'site = "roof"'}
    assert send(hub, "/cohorts", **part).status_code == 303
    hub.catalog.put(LabelCohort(key="roofs", home="default", where='site = "roof"'))
    assert "roofs" in hub.client().get("/cohorts").text
    assert send(hub, "/cohorts/roofs/remove", **WORD).status_code == 422
    assert send(hub, "/cohorts/roofs/remove", confirm="roofs", **WORD).status_code == 303
    assert [asked[0] for asked in hub.actions.asked] == ["define", "undefine"]


def test_a_quarantine_is_lifted_by_an_approver_who_types_the_hardware(hub: WebHub) -> None:
    hub.catalog.put(replace(a_quarantine(), reason=SCRIPT))
    text = as_(hub, Role.APPROVER).get("/quarantine").text
    assert SCRIPT not in text
    assert f'action="/quarantine/{SHA}/pi4/lift"' in text
    assert "/lift" not in hub.client().get("/quarantine").text
    path = f"/quarantine/{SHA}/pi4/lift"
    assert send(hub, path, **WORD).status_code == 422
    assert send(hub, path, confirm="pi4", **WORD).status_code == 303
    (told,) = hub.client().get("/quarantine?format=json").get_json()["quarantine"]
    assert (told["hardware"], told["reason"]) == ("pi4", SCRIPT)
    assert hub.catalog.all(Quarantine)


def test_names_from_elsewhere_are_only_text(hub: WebHub) -> None:
    evil = replace(a_rollout(), place=SCRIPT, text=SCRIPT, approval=SCRIPT)
    hub.catalog.put(evil)
    assert hub.catalog.find(Rollout, "rollout-1") == evil
    for path in ("/rollouts", "/rollouts/rollout-1"):
        assert SCRIPT not in as_(hub, Role.ADMIN).get(path).text


def test_a_shadow_is_begun_and_stopped_from_its_page(hub: WebHub) -> None:
    assert "No version has run beside" in hub.client().get("/shadows").text
    ask = {"which": "rain@4", "cohort": "default"}
    assert send(hub, "/shadows", **ask).status_code == 303
    assert send(hub, "/shadows/stop", **ask).status_code == 422
    assert send(hub, "/shadows/stop", **ask, confirm="rain@4").status_code == 303
    assert [asked[0] for asked in hub.actions.asked] == ["shadow", "stop shadow"]


def test_a_rollout_shows_how_its_devices_do_beside_the_others(hub: WebHub) -> None:
    compared = weigh([device("a", labels_correct=5)], [device("b"), device("c")], JudgeTable())
    hub.catalog.put(replace(a_rollout(), judgement=compared))
    text = hub.client().get("/rollouts/rollout-1").text
    assert "labelled rows answered rightly" in text
    assert "10.00 %" in text
