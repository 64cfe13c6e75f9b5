"""Who has the same page open shares its changing part, as long as nothing on it has changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response, g

from fleetloop_hub.people_records import Role
from fleetloop_hub.web import access, fragments, guard, problem
from fleetloop_hub.web.access import Who, needs
from fleetloop_hub.web.changes import Changes
from fleetloop_hub.web.fragments import Fragments
from support.hubrecords import a_run
from support.hubweb import ADMIN, WebHub, show_up, web_hub

LIVE = {"HX-Request": "true", "Accept-Encoding": "identity"}


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Console:
    """An application with one page, which counts how often it was made."""

    def __init__(self, hub: WebHub, clock: Clock) -> None:
        self.made, self.role, self.token = 0, Role.VIEWER, False
        self.app = Flask(__name__)
        kept = Fragments(Changes(hub.catalog, hub.telemetry, clock))
        kept.keep_in(self.app)
        guard.register(self.app, "127.0.0.1", "")
        problem.register(self.app)
        access.register(self.app, [lambda: Who("", self.role, "anonymous")])
        kept.give_in(self.app)
        self.serve("/page", Role.VIEWER)
        self.serve("/other", Role.ADMIN)

    def serve(self, path: str, role: Role) -> None:
        def view() -> Response:
            return self.show()

        self.app.add_url_rule(path, path, needs(role)(view))

    def show(self) -> Response:
        self.made += 1
        g.topics = ("runs", "devices")
        if self.token:
            g.csrf_token = "of one session"
        return Response(f"made {self.made} times")

    def get(self, path: str = "/page", **headers: str) -> tuple[int, str]:
        answer = self.app.test_client().get(path, headers={**LIVE, **headers})
        return answer.status_code, answer.get_data(as_text=True)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def console(hub: WebHub, clock: Clock) -> Console:
    return Console(hub, clock)


def test_those_who_ask_for_the_same_part_share_one(console: Console) -> None:
    assert {console.get() for _ in range(5)} == {(200, "made 1 times")}
    answer = console.app.test_client().get("/page", headers=LIVE)
    assert answer.headers["Content-Security-Policy"]
    assert answer.content_type.startswith("text/html")


def test_a_part_of_which_something_has_changed_is_made_anew(
    console: Console, hub: WebHub, clock: Clock
) -> None:
    console.get()
    hub.catalog.put(a_run())
    assert console.get()[1] == "made 2 times"
    show_up(hub.telemetry)
    assert console.get()[1] == "made 2 times"  # nobody was told of it yet
    clock.now += 6.0
    assert console.get()[1] == "made 3 times"


def test_an_old_part_is_made_anew(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    console.get()
    monkeypatch.setattr(fragments, "_LONGEST_S", 0.0)
    assert console.get()[1] == "made 2 times"


def test_other_roles_addresses_and_forms_have_parts_of_their_own(console: Console) -> None:
    console.get()
    assert console.get("/page?sort=device")[1] == "made 2 times"
    console.role = Role.OPERATOR
    assert console.get()[1] == "made 3 times"
    assert console.get("/page", **{"Accept-Encoding": "gzip"})[1] == "made 4 times"


def test_a_whole_page_is_made_for_each(console: Console) -> None:
    client = console.app.test_client()
    for number in (1, 2):
        assert client.get("/page").get_data(as_text=True) == f"made {number} times"


def test_a_part_with_a_token_is_for_one_person_alone(console: Console) -> None:
    console.token = True
    assert [console.get()[1] for _ in "ab"] == ["made 1 times", "made 2 times"]


def test_nobody_is_given_what_their_role_may_not_see(console: Console) -> None:
    console.role = Role.ADMIN
    assert console.get("/other")[0] == 200
    console.role = Role.VIEWER
    assert console.get("/other")[0] == 401


def test_a_page_that_fails_holds_up_nobody(console: Console) -> None:
    console.app.get("/fails")(needs(Role.VIEWER)(failing))
    assert [console.get("/fails")[0] for _ in "ab"] == [500, 500]


def failing() -> Response:
    raise ZeroDivisionError


def test_parts_of_many_addresses_are_forgotten(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "_MOST", 2)
    for place in range(4):
        console.get(f"/page?page={place}")
    assert console.get("/page?page=0")[1] == "made 5 times"


def test_live_pages_of_the_console_are_shared(hub: WebHub) -> None:
    client = hub.client()
    texts = {client.get("/rollouts", headers={**ADMIN, **LIVE}).get_data() for _ in "abc"}
    assert len(texts) == 1  # each rendering tells its moment
