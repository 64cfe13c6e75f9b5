"""A simulated device enrols as a stranger does, and believes only the hub its token names."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from fleetloop_firmware_sim import enrolment
from fleetloop_firmware_sim.errors import HubError
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.messages import EnrolAnswer, EnrolRequest
from fleetloop_shared.trust import fingerprint

IMAGE, DIRECTOR = "the image root", "the director root"
FINGERPRINT = fingerprint(IMAGE, DIRECTOR)


class Door(BaseHTTPRequestHandler):
    """A hub's door: one secret is right."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = decode(body, EnrolRequest)
        if asked.token != "secret":
            self._answer(403, b'{"detail": "this token is unknown"}')
            return
        answer = EnrolAnswer(
            device=asked.device,
            cohort="default",
            broker="mqtt://127.0.0.1:1883",
            username=asked.device,
            password="p",
            image_root=IMAGE,
            director_root=DIRECTOR,
        )
        self._answer(201, encode(answer))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def hub_url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_right_token_takes_a_device_in(hub_url: str) -> None:
    answer = enrolment.enrol(hub_url, f"secret.{FINGERPRINT}", "sim-1")
    assert (answer.device, answer.image_root) == ("sim-1", IMAGE)


def test_a_hub_with_other_roots_than_the_tokens_is_not_believed(hub_url: str) -> None:
    with pytest.raises(HubError, match="this is another hub"):
        enrolment.enrol(hub_url, "secret.0123456789abcdef", "sim-1")


def test_a_refusal_is_handed_on_in_the_hubs_words(hub_url: str) -> None:
    with pytest.raises(HubError, match=r"in: this token is unknown$"):
        enrolment.enrol(hub_url, f"wrong.{FINGERPRINT}", "sim-1")


def test_half_a_token_is_said_to_be_half_a_token(hub_url: str) -> None:
    with pytest.raises(HubError, match="copy the whole"):
        enrolment.enrol(hub_url, "secret", "sim-1")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ftp://host", "nonsense"])
def test_where_no_hub_is_it_says_what_to_do(url: str) -> None:
    with pytest.raises(HubError, match=r"start one with|is not a hub's address"):
        enrolment.enrol(url, f"secret.{FINGERPRINT}", "sim-1")


def test_tokens_are_read_from_a_file_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("one.f\ntwo.f\n\n", "utf-8")
    assert enrolment.read_tokens(path) == ["one.f", "two.f"]
    with pytest.raises(HubError, match="cannot be read"):
        enrolment.read_tokens(tmp_path / "none")
