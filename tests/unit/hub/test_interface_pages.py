"""The pages of the API and of search: whole, linked, and nothing of them is markup."""

import re
import shlex
from collections.abc import Iterator

import msgspec
import pytest
from flask.testing import FlaskClient

from fleetloop_hub.alert_records import Alert, AlertKind, AlertLevel, AlertState
from fleetloop_hub.web.finding import find
from fleetloop_hub.web.menu import serves
from support.hubrecords import START, a_device, a_run, a_version
from support.hubweb import WebHub, fill, problem, web_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHub]:
    with web_hub(tmp_path_factory.mktemp("hub")) as hub:
        fill(hub)
        yield hub


@pytest.fixture(scope="module")
def client(hub: WebHub) -> FlaskClient:
    return hub.client()


def test_every_route_and_every_form_has_a_page_and_every_link_leads_somewhere(
    hub: WebHub, client: FlaskClient
) -> None:
    document = client.get("/api/v1/openapi.json").get_json()
    names = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    texts = [client.get("/api").text]
    assert all(f"/api/routes/{name}" in texts[0] for name in names)
    texts += [client.get(f"/api/routes/{name}").text for name in names[::6]]
    texts.append(client.get("/api/schemas/Rollout").text)
    forms = {form for text in texts for form in re.findall(r"/api/schemas/([\w.]+)", text)}
    assert forms <= set(document["components"]["schemas"])
    assert len(forms) > 10


def test_a_route_is_shown_with_a_command_that_asks_it(hub: WebHub, client: FlaskClient) -> None:
    text = client.get("/api/routes/changing_rollouts_happen").text
    assert "Needs the role operator" in text
    [command] = re.findall(r"<pre[^>]*><code>(.*?)</code>", text, re.DOTALL)
    words = shlex.split(command.replace("\\\n", " ").replace("&#34;", '"').replace("&#39;", "'"))
    assert words[:2] == ["curl", "http://localhost/api/v1/rollouts/rain-2/pause"]
    assert "Authorization: Bearer $FLEETLOOP_TOKEN" in words
    assert set(msgspec.json.decode(words[-1])) == {"by", "reason"}


@pytest.mark.parametrize("path", ["/api/routes/nix", "/api/schemas/nix"])
def test_a_page_of_what_is_not_there_says_where_to_look(client: FlaskClient, path: str) -> None:
    assert "the page of the API" in problem(client.get(path), 404)["detail"]


@pytest.mark.parametrize(
    ("sought", "kind", "name"),
    [
        ("station-1", "device", "station-1"),
        ("STAT", "device", "station-1"),
        ("rain", "model", "rain"),
        ("rain@1", "version", "rain@1"),
        ("rain/1", "version", "rain@1"),
        ("run-1", "run", "run-1"),
        ("rollout", "rollout", "rollout-1"),
        ("dddd", "dataset", "dddddddddddd"),
        ("decision", "decision", "decision-1"),
        ("silent", "alert", "silent-device station-9"),
    ],
)
def test_a_thing_is_found_by_the_beginning_of_its_name(
    hub: WebHub, client: FlaskClient, sought: str, kind: str, name: str
) -> None:
    hub.catalog.put(an_alert())
    first = client.get("/api/v1/search", query_string={"q": sought}).get_json()["found"][0]
    assert (first["kind"], first["name"]) == (kind, name)


def test_the_exact_name_comes_first_and_a_kind_takes_no_more_than_its_part(
    hub: WebHub, client: FlaskClient
) -> None:
    hub.catalog.put(*(a_device(f"pump-{number}") for number in range(100)), a_run("pump-1"))
    found = find(hub.catalog, "pump-1")
    assert [one.name for one in found[:2]] == ["pump-1", "pump-1"]
    assert sum(one.kind == "device" for one in found) <= 20
    assert len(find(hub.catalog, "pump", most=3)) == 3


def test_what_is_found_is_shown_by_kind_and_leads_to_pages_that_are_there(
    hub: WebHub, client: FlaskClient
) -> None:
    text = client.get("/search?q=r").text
    app = client.application
    for path in re.findall(r'<a href="(/(?:devices|rollouts|models|runs|data)/[^"]+)"', text):
        assert serves(app, path)
    assert "rollout-1" in text


def test_a_name_of_markup_is_shown_as_text(hub: WebHub, client: FlaskClient) -> None:
    hub.catalog.put(a_version(7, run="<script>alert(1)</script>"), a_run("<img onerror=x>"))
    text = client.get("/search", query_string={"q": '"><script>alert(1)</script>'}).text
    text += client.get("/search?q=%3Cimg").text
    assert "<script>alert" not in text
    assert "<img" not in text


@pytest.mark.parametrize("query", ["", "q=", f"q={'x' * 201}", "q=a&limit=51", "q=a&more=1"])
def test_a_search_for_nothing_or_too_much_is_refused(client: FlaskClient, query: str) -> None:
    problem(client.get(f"/api/v1/search?{query}"), 400)
    assert client.get(f"/search?{query}").status_code == 200


def an_alert() -> Alert:
    return Alert(
        key="a-1",
        kind=AlertKind.SILENT_DEVICE,
        subject="station-9",
        level=AlertLevel.WARN,
        state=AlertState.OPEN,
        text="it says nothing",
        page="/devices/station-9",
        opened_at=START,
        changed_at=START,
    )
