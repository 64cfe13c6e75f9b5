"""Who comes in: foreign Host names, guessed tokens, and the headers of every answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.web.guard import Attempts
from fleetloop_hub.web.problem import ProblemError
from support.hubweb import WebHub, problem, web_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


def test_failed_attempts_are_forgotten_after_their_time_and_apart_by_source() -> None:
    now = [0.0]
    attempts = Attempts(2, 60.0, lambda: now[0])
    attempts.failed("a")
    now[0] = 30.0
    attempts.failed("a")
    with pytest.raises(ProblemError, match="try again in 30 s"):
        attempts.check("a")
    attempts.check("b")
    now[0] = 61.0
    attempts.check("a")


def test_many_sources_of_failure_do_not_fill_the_memory() -> None:
    attempts = Attempts(1, 60.0, lambda: 0.0)
    for number in range(5_000):
        attempts.failed(f"source-{number}")
    assert len(attempts._failures) == 1_000


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "192.168.1.5", "127.0.0.1.evil.example", ""]
)
@pytest.mark.parametrize("path", ["/", "/api/v1/overview", "/static/console.css", "/healthz"])
def test_a_page_that_rebinds_its_name_to_the_hub_learns_nothing(
    hub: WebHub, host: str, path: str
) -> None:
    response = hub.client().get(path, environ_overrides={"HTTP_HOST": host})
    problem(response, 421)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "hub.lan:8080"]
)
def test_the_hub_answers_to_its_own_names(hub: WebHub, host: str) -> None:
    client = hub.client(bound_host="hub.lan")
    assert client.get("/healthz", environ_overrides={"HTTP_HOST": host}).status_code == 200


def test_bound_to_every_address_it_answers_to_addresses_but_to_no_foreign_name(
    hub: WebHub,
) -> None:
    client = hub.client(bound_host="0.0.0.0")  # noqa: S104  # what is tested
    for host, status in {"192.168.1.5:80": 200, "[fe80::1]:80": 200, "evil.example": 421}.items():
        response = client.get("/healthz", environ_overrides={"HTTP_HOST": host})
        assert response.status_code == status


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/api/v1/overview", 200), ("/static/live.js", 200), ("/nowhere", 404)],
)
def test_every_answer_carries_the_security_headers(hub: WebHub, path: str, status: int) -> None:
    with hub.client().get(path) as response:
        assert response.status_code == status
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
