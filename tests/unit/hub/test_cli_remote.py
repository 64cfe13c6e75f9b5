"""Commands against a hub on another machine: by address and token, with no file of the hub's."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from fleetloop_hub import remote
from fleetloop_hub.cli.app import app
from fleetloop_hub.people_records import Role
from fleetloop_hub.remote import Remote
from fleetloop_hub.web.app import create_app
from fleetloop_hub.web.server import WebServer
from support.commands import Run, a_refusal, runner
from support.hubrecords import a_quarantine, a_run
from support.hubweb import ADMIN_TOKEN, WebHub, fill, web_hub
from support.learnable import line_text

READING = [
    "devices",
    "attempts",
    "drift",
    "health",
    "models",
    "models show rain@1",
    "models lineage rain",
    "runs list",
    "runs show run-1",
    "runs compare run-1 run-2",
    "data list",
    "data show rain",
    "labels list",
    "rollouts list",
    "rollouts show rollout-1",
    "rollouts plan rain@1",
    "cohorts list",
    "quarantine list",
    "shadow show",
    "keys list",
    "audit",
    "accuracy rain@1",
    "fairness rain@1",
    "why rain",
    "people list",
    "tokens list",
    "alerts list",
    "channels list",
    "channels dead",
]
WHO = "--by ann --reason seen"
CHANGING = [
    f"approve rain@1 {WHO}",
    f"reject rain@1 {WHO}",
    f"waive rain@1 --gate size {WHO}",
    "cohorts define roofs --where site=roof",
    f"cohorts remove roofs {WHO}",
    "keys revoke 0123abcd",
    "keys rotate image",
    "labels source bank",
    "models alias rain@1 golden",
    "models archive rain@1",
    "models retain rain --keep 1",
    "models tag rain@1 a=b",
    f"quarantine lift {'a' * 64} pi4 {WHO}",
    "retrain ask rain --reason seen",
    f"retrain approve run-1 {WHO}",
    "retrain reject run-1 --by ann",
    f"rollouts abort rollout-1 {WHO}",
    f"rollouts approve rollout-1 {WHO}",
    f"rollouts pause rollout-1 {WHO}",
    f"rollouts resume rollout-1 {WHO}",
    "rollouts start rain@1",
    "runs cancel run-1",
    "runs reproduce run-1",
    "shadow start rain@1",
    "shadow stop rain@1",
    "token",
    "people add ann",
    "people role ann --role approver",
    "people disable ann",
    "people enable ann",
    "people reset ann",
    "tokens make ci",
    "tokens revoke none",
    "alerts acknowledge none --reason seen",
    "alerts silence 8h --kind drift --reason known",
    "alerts unsilence none --reason over",
    "channels webhook web http://127.0.0.1:9/x",
    "channels email post a@example.org --server 127.0.0.1:9 --from hub@example.org",
    "channels mqtt",
    "channels test none",
    "channels again none",
    "channels remove none",
]
AS_THINGS_STAND = (
    r"is released: nothing|stays:|names no key|waits for a person|no .* 'none'|switched off|"
    r"private|no channel|there is no"
)
"""What the hub says of what cannot be done to what these tests keep."""
CLOSED = {"audit", "channels dead", "channels list", "people list", "rollouts plan rain@1"}
"""Reading that is not for viewers, or is a POST."""
FILES = {
    *("data add", "labels add", "models import", "train", "keys sign"),  # read some here
    *("predict", "export", "runs export", "runs plot", "models card", "models download"),  # write
    *("runs log", "models delays", "data diff", "alerts show"),  # need what these tests do not keep
}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path / "elsewhere") as hub:
        fill(hub)
        hub.catalog.put(a_quarantine(), a_run("run-2"))
        yield hub


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    here = tmp_path / "here"
    here.mkdir()
    return runner(monkeypatch, capsys, here)


@pytest.fixture
def served(
    hub: WebHub, run: Run, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The hub's address, which commands take for another machine's."""
    monkeypatch.setattr(remote, "_is_here", lambda url: False)
    server = WebServer("127.0.0.1", 0)
    server.start(create_app(hub, ADMIN_TOKEN, "127.0.0.1", getattr(request, "param", None)))
    monkeypatch.setenv("FLEETLOOP_HUB", server.url)
    yield server.url
    server.stop()


def typed() -> set[str]:
    """Every command that asks a hub, by what is typed."""
    found = set()

    def walk(group: typer.core.TyperGroup, before: str) -> None:
        for name, command in group.commands.items():
            if isinstance(command, typer.core.TyperGroup):
                walk(command, f"{before}{name} ")
            if any(option.name == "hub" for option in command.params):
                found.add(f"{before}{name}")

    root = typer.main.get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    walk(root, "")
    return found


def test_every_command_that_asks_a_hub_is_known_to_these_tests() -> None:
    every = typed()
    known = FILES | {
        name
        for name in every
        if any(line == name or line.startswith(f"{name} ") for line in READING + CHANGING)
    }
    assert every == known, "add it to READING, CHANGING or FILES above"


@pytest.mark.parametrize("served", [Role.VIEWER], indirect=True)
def test_whoever_may_read_reads_from_anywhere(run: Run, served: str) -> None:
    lines = [line for line in READING[::3] if line not in CLOSED]
    assert {line: told for line in lines if (told := run(*line.split())).code} == {}
    assert "operator" in a_refusal(run("audit"))
    assert list(Path().iterdir()) == []


def test_with_a_token_everything_is_read_from_anywhere(
    run: Run, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETLOOP_TOKEN", ADMIN_TOKEN)
    assert {line: told for line in READING if (told := run(*line.split())).code} == {}
    assert list(Path().iterdir()) == []


def test_without_a_token_it_is_said_where_one_goes(run: Run, served: str, hub: WebHub) -> None:
    for line in (READING + CHANGING)[::9]:
        told = a_refusal(run(*line.split()))
        assert "FLEETLOOP_TOKEN" in told, line
        assert served in told, line
    assert hub.actions.asked == []


def test_with_a_token_things_are_changed_from_anywhere(
    run: Run, served: str, hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETLOOP_TOKEN", ADMIN_TOKEN)
    for line in CHANGING:
        asked = len(hub.audit.entries())
        said = run(*line.split())
        assert said.code == 0 or re.search(AS_THINGS_STAND, said.err), (line, said)
        assert said.code or len(hub.audit.entries()) > asked or "retain" in line, line
    assert list(Path().iterdir()) == []


def test_the_admin_token_of_a_state_folder_goes_to_no_other_machine(
    run: Run, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = Path(".state/hub")
    state.mkdir(parents=True)
    (state / "admin.token").write_text(ADMIN_TOKEN)
    assert "FLEETLOOP_TOKEN is not set" in a_refusal(run("token"))
    assert "FLEETLOOP_TOKEN" in a_refusal(run("devices"))
    (state / "hub.url").write_text(served)
    assert run("token").code == 0
    assert run("devices").code == 0


def test_what_the_hub_is_to_read_must_lie_on_its_machine(
    run: Run, served: str, hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETLOOP_TOKEN", ADMIN_TOKEN)
    Path("spec.toml").write_text(line_text(), "utf-8")
    for line in ("train", "data add"):
        told = a_refusal(run(*line.split(), "spec.toml"))
        assert "on its own machine" in told
        assert "--folder DIR" in told
    assert hub.actions.asked == []


def test_an_answer_that_is_lost_is_asked_for_again_and_the_thing_done_once(
    served: str, hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, send, sent = Remote(served, ADMIN_TOKEN), Remote._send, []

    def lossy(self: Remote, what: remote._Asking) -> object:
        sent.append(what.headers["Idempotency-Key"])
        answer = send(self, what)
        if len(sent) == 1:
            raise ConnectionResetError
        return answer

    monkeypatch.setattr(Remote, "_send", lossy)
    asked = {"model": "rain", "reason": "to see"}
    assert asking.post("/runs", asked, dict[str, str]) == {"run": "rain-run-9"}
    assert len(sent) == 2
    assert len(set(sent)) == 1
    assert len(hub.actions.asked) == 1
