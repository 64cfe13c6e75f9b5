"""The pages of devices: the list and its filters, one device, and letting one in."""

import json
import re
import tomllib
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from fleetloop_hub.fleet_records import Device, Token
from fleetloop_hub.people_records import Role
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.messages import DeviceState
from fleetloop_shared.reports import EventKind
from support.hubrecords import START, a_device, a_drift, a_health, a_version, an_event
from support.hubweb import ADMIN, WebHub, fill, show_up, tell, web_hub

SCRIPT = "<script>alert(1)</script>"
FORM = {"device": "station-9", "hardware": "pi4", "cohort": "default", "expires_s": "3600"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def full(hub: WebHub) -> WebHub:
    fill(hub)
    hub.catalog.put(a_device("station-2"), replace(a_device("roof-1"), cohort="roof"))
    show_up(hub.telemetry, "station-2", online=False)
    tell(hub.telemetry, a_drift(1, 2.5, device="station-2"))
    return hub


def as_(hub: WebHub, role: Role) -> FlaskClient:
    return hub.client(role=role)


def shown(reader: FlaskClient, address: str) -> list[str]:
    """The devices in the table of a page."""
    answer = reader.get(address)
    assert answer.status_code == 200
    return re.findall(r'<a href="/devices/([^"?]+)">', answer.text)


def test_an_empty_list_says_how_to_begin(hub: WebHub) -> None:
    assert "fleetloop token" in hub.client().get("/devices").text
    assert "/enrol" not in hub.client().get("/devices").text
    assert "/enrol" in as_(hub, Role.OPERATOR).get("/devices").text


def test_the_address_says_which_devices_and_in_which_order(full: WebHub) -> None:
    reader, every = full.client(), ["roof-1", "station-1", "station-2"]
    for query, names in {
        "": every,
        "?state=offline": ["station-2"],
        "?cohort=roof": ["roof-1"],
        "?version=rain@1": ["station-1", "station-2"],
        "?alarm=drift": ["station-2"],
        "?text=ROOF": ["roof-1"],
        '?where=device != "roof-1"': ["station-1", "station-2"],
        "?sort=-drift": ["station-2", "station-1", "roof-1"],
        "?sort=password": every,
        "?page=999": every,
        "?cohort=nowhere": [],
        "?show=machines": every,
    }.items():
        assert (query, shown(reader, f"/devices{query}")) == (query, names)


def test_a_wrong_label_query_is_explained(full: WebHub) -> None:
    text = full.client().get("/devices?where=nonsense").text
    assert "No device is like this" in text
    assert "is expected at character" in text


def test_a_long_list_comes_in_pages_of_a_hundred(hub: WebHub) -> None:
    hub.catalog.put(*(a_device(f"d-{k:03}") for k in range(120)))
    reader = hub.client()
    assert len(shown(reader, "/devices")) == 100
    assert shown(reader, "/devices?page=2")[0] == "d-100"
    assert "1 to 100 of 120" in reader.get("/devices").text


def test_the_list_is_exported_as_it_is_filtered(full: WebHub) -> None:
    reader = full.client()
    told = reader.get("/devices?format=csv&cohort=default").text.splitlines()
    assert told[0].startswith("device,cohort,hardware,labels,online")
    assert [line.split(",")[0] for line in told[1:]] == ["station-1", "station-2"]
    rows = json.loads(reader.get("/devices?format=json").data)["devices"]
    assert [row["device"] for row in rows] == ["roof-1", "station-1", "station-2"]
    assert rows[1]["latency_p99_ms"] == 0.2
    assert "broker-password" not in json.dumps(rows)


def test_chosen_devices_can_be_rolled_out_to_and_named_by_an_operator(full: WebHub) -> None:
    address = "/chosen?device=station-1&device=roof-1"
    text = as_(full, Role.OPERATOR).get(address).text
    assert unescape(text).count("Plan a rollout to it") == 2
    assert "/rollouts/new?cohort=roof&amp;where=device%20%3D%20%22roof-1%22" in text
    assert 'action="/cohorts"' in text
    only = full.client().get(address).text
    assert "Plan a rollout" not in only
    assert "fleetloop rollouts plan MODEL@VERSION --cohort roof" in only


def test_a_device_is_told_at_length(full: WebHub, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(time=lambda: START + 200)
    monkeypatch.setattr("fleetloop_hub.web.pages.device.time", clock)
    full.catalog.put(a_version())
    tell(full.telemetry, an_event(4, "went back", EventKind.ROLLED_BACK))
    tell(full.telemetry, *(a_health(k) for k in range(5, 9)))
    full.telemetry.refuse("station-1", "rollback", "an older statement")
    text = full.client().get("/devices/station-1").text
    for piece in (
        "Online, serving v1",
        "keeps rain v1",
        "went back",
        "temperature",
        "Rollback: an old statement replayed",
        "fleetloop-agent status --config agent.toml",
        "80.0 %",
        "data-plot=",
        'class="over-time"',
        "0.1.0",
    ):
        assert piece in text
    plot = re.search(r"data-plot='([^']+)'", text)
    assert plot is not None
    assert json.loads(unescape(plot[1]))["x_is"] == "time"


def test_an_update_that_is_asked_for_is_pending_until_the_device_has_it(full: WebHub) -> None:
    text = full.client().get("/devices/station-2").text
    assert "pending" not in text  # the rollout's version is the one that it has loaded
    full.catalog.put(a_version())
    show_up(full.telemetry, "station-2", artifact="f" * 64)
    text = full.client().get("/devices/station-2").text
    assert 'update to <a href="/rollouts/rollout-1">rain v1</a> pending' in text


def test_a_device_that_never_connected_and_one_that_is_not_there(full: WebHub) -> None:
    text = full.client().get("/devices/roof-1").text
    assert "never heard of" in text
    assert "start its agent" in text
    missing = full.client().get("/devices/nobody", headers={"Accept": "text/html"})
    assert missing.status_code == 404
    assert "/devices lists those there are" in missing.text


def test_script_in_what_a_device_says_is_only_text(full: WebHub) -> None:
    said = DeviceState(
        online=True, boot=1, conn=1, agent=SCRIPT, hardware=SCRIPT, labels={"site": SCRIPT}
    )
    full.telemetry.pulse("station-1", state=encode(said), reported=None)
    show_up(full.telemetry, SCRIPT, error=SCRIPT, waits_for=SCRIPT, challenger_text=SCRIPT)
    tell(full.telemetry, an_event(9, SCRIPT))
    reader = full.client()
    for address in ("/devices", f"/devices?text={SCRIPT}&where={SCRIPT}", "/devices/station-1",
                    f"/chosen?device={SCRIPT}", "/devices/nobody<script>"):  # fmt: skip
        text = reader.get(address, headers={"Accept": "text/html"}).text
        assert "<script>alert" not in text
        assert not re.findall(r"<style|\sstyle=|\son[a-z]+=", text)


def test_a_token_is_shown_once_with_all_that_the_device_needs(full: WebHub) -> None:
    answer = full.client().post("/enrol", data=FORM, headers=ADMIN)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert full.actions.asked == [("token", "default", 3600.0)]
    written = re.search(r"&lt;&lt;&#39;END&#39;\n(.+?)END\n", answer.text, re.DOTALL)
    assert written is not None
    assert tomllib.loads(unescape(written[1])) == {
        "device": "station-9",
        "hardware": "pi4",
        "state_dir": "state",
        "hub_url": "http://localhost",
        "enrol_token": "secret.fingerprint",
    }
    assert '<svg viewBox="0 0 ' in answer.text
    assert 'class="qr"' in answer.text
    key = sha256_hex(b"secret")
    assert f'hx-get="/enrol?token={key}"' in answer.text
    assert "secret" not in full.client().get(f"/enrol?token={key}").text


def test_the_page_turns_green_when_the_device_has_come(full: WebHub) -> None:
    key = sha256_hex(b"secret")
    token = Token(key=key, cohort="default", created_at=START, expires_at=9e9, roots=(1, 1))
    steps, reader = [], full.client()
    for change in ({}, {"device": "roof-1"}, {"device": "station-1"}, {"expires_at": START}):
        full.catalog.put(replace(token, **change))
        text = reader.get(f"/enrol?token={key}", headers={"HX-Request": "true"}).text
        steps.append(re.findall(r'<section class="health (\w+)"', text))
    assert steps == [["busy"], ["busy"], ["good"], ["warn"]]
    assert "health" not in reader.get("/enrol?token=unknown").text.split("<main")[1]


def test_what_cannot_be_a_device_gets_no_token(full: WebHub) -> None:
    operator = full.client()
    for name, value, status in [
        ("device", "Station 9", 422),
        ("device", "station-1", 409),
        ("cohort", "../x", 422),
        ("hardware", 'pi4"\nhub_url = "http://evil', 422),
        ("hardware", "pi4\n", 422),
        ("expires_s", "nan", 422),
        ("expires_s", "604801", 422),
        ("unknown", "1", 422),
    ]:
        answer = operator.post("/enrol", data=FORM | {name: value}, headers=ADMIN)
        assert (value, answer.status_code) == (value, status)
    assert full.actions.asked == []


def test_only_an_operator_makes_tokens_and_the_log_does_not_hold_them(full: WebHub) -> None:
    refused = full.client().post("/enrol", data=FORM)
    assert refused.status_code == 401
    assert '<form method="post"' not in full.client().get("/enrol").text
    assert '<form method="post"' in as_(full, Role.OPERATOR).get("/enrol").text
    full.client().post("/enrol", data=FORM, headers=ADMIN)
    [entry] = full.audit.entries()
    assert (entry.action, entry.subject) == ("make a token", "default")
    assert "secret" not in encode(entry).decode()


def test_suggested_names_are_free(hub: WebHub) -> None:
    hub.catalog.put(a_device("device-1"), Device(key="device-2", cohort="x", hardware="pi4",
                                                  password="p", enrolled_at=START))  # fmt: skip
    assert 'value="device-3"' in as_(hub, Role.OPERATOR).get("/enrol").text
