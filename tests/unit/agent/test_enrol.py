"""Enrolment: one token, one hub, kept for good; an impostor gets nothing kept."""

import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from fleetloop_agent.config import AgentConfig
from fleetloop_agent.device.enrol import IDENTITY, Identity, enrol, known
from fleetloop_agent.errors import EnrolError, HubAwayError
from fleetloop_agent.sealed import copies, save_both
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.messages import EnrolAnswer, EnrolRequest
from support.agent_process import EnrolServer
from support.hubside import HARDWARE, Hubside

DEVICE = "station-1"
ANSWER = Hubside().identity(DEVICE)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def disk(tmp_path: Path) -> RealDisk:
    return RealDisk(tmp_path)


def serve(stack: ExitStack, answer: EnrolAnswer = ANSWER, status: int = 201) -> EnrolServer:
    return stack.enter_context(closing(EnrolServer(answer, status)))


def config(server: EnrolServer, token: str | None = None) -> AgentConfig:
    return AgentConfig(
        device=DEVICE,
        hardware=HARDWARE,
        state_dir=Path("state"),
        hub_url=server.url,
        enrol_token=server.token if token is None else token,
    )


def test_the_token_brings_an_identity_that_is_kept(
    stack: ExitStack, disk: RealDisk, tmp_path: Path
) -> None:
    server = serve(stack)
    assert known(disk, DEVICE) is None
    assert enrol(config(server), "0.1.0", disk) == ANSWER
    assert known(disk, DEVICE) == ANSWER
    for path in copies(IDENTITY):
        assert stat.S_IMODE((tmp_path / path).stat().st_mode) == 0o600
    assert server.asked == [
        EnrolRequest(token="secret", device=DEVICE, hardware=HARDWARE, agent="0.1.0")
    ]


def test_the_fingerprint_stays_here(stack: ExitStack, disk: RealDisk) -> None:
    server = serve(stack)
    enrol(config(server), "0.1.0", disk)
    fingerprint = server.token.partition(".")[2]
    assert fingerprint not in str(server.asked)


def test_another_hub_than_the_tokens_is_refused_and_nothing_is_kept(
    stack: ExitStack, disk: RealDisk
) -> None:
    impostor = serve(stack, Hubside().identity(DEVICE))
    with pytest.raises(EnrolError, match="another fingerprint"):
        enrol(config(impostor, serve(stack).token), "0.1.0", disk)
    assert known(disk, DEVICE) is None


def test_an_answer_for_another_device_is_refused(stack: ExitStack, disk: RealDisk) -> None:
    server = serve(stack, msgspec.structs.replace(ANSWER, device="station-2"))
    with pytest.raises(EnrolError, match="answered for 'station-2'"):
        enrol(config(server), "0.1.0", disk)


@pytest.mark.parametrize(
    ("token", "text"),
    [("", "put the token"), *((t, "is not of the form") for t in ("secret", ".", "secret.", ".f"))],
)
def test_a_token_that_is_none_says_where_to_get_one(
    stack: ExitStack, disk: RealDisk, token: str, text: str
) -> None:
    with pytest.raises(EnrolError, match=text):
        enrol(config(serve(stack), token), "0.1.0", disk)


def test_a_refusal_carries_the_hubs_words(stack: ExitStack, disk: RealDisk) -> None:
    server = serve(stack, status=403)
    server.body = b'{"title": "x", "detail": "this token is used"}'
    with pytest.raises(EnrolError, match=r"\(403\): this token is used") as caught:
        enrol(config(server), "0.1.0", disk)
    assert not isinstance(caught.value, HubAwayError), "asking again does not help"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_in_trouble_is_asked_again_later(
    stack: ExitStack, disk: RealDisk, status: int
) -> None:
    server = serve(stack, status=status)
    server.body = b"try later"
    with pytest.raises(HubAwayError, match="try later"):
        enrol(config(server), "0.1.0", disk)


def test_no_hub_is_asked_again_later(stack: ExitStack, disk: RealDisk) -> None:
    server = serve(stack)
    gone = config(server)
    server.close()
    stack.pop_all()
    with pytest.raises(HubAwayError, match="no hub at"):
        enrol(gone, "0.1.0", disk)


def test_an_answer_that_is_no_answer(stack: ExitStack, disk: RealDisk) -> None:
    server = serve(stack)
    server.body = b"<html>welcome</html>"
    with pytest.raises(EnrolError, match="does not answer as a hub"):
        enrol(config(server), "0.1.0", disk)


@pytest.mark.parametrize("copy", [0, 1])
def test_one_damaged_copy_of_the_identity_is_mended_from_the_other(
    disk: RealDisk, copy: int
) -> None:
    save_both(disk, IDENTITY, Identity(answer=ANSWER))
    disk.write(copies(IDENTITY)[copy], b"Q", 300)
    assert known(disk, DEVICE) == ANSWER
    disk.write(copies(IDENTITY)[1 - copy], b"Q", 300)
    assert known(disk, DEVICE) == ANSWER


def test_an_identity_that_is_damaged_twice_says_what_to_do(disk: RealDisk) -> None:
    save_both(disk, IDENTITY, Identity(answer=ANSWER))
    for path in copies(IDENTITY):
        disk.write(path, b"{")
    with pytest.raises(EnrolError, match="enrol under another name"):
        known(disk, DEVICE)


def test_a_state_folder_of_another_device_is_not_used(disk: RealDisk) -> None:
    save_both(disk, IDENTITY, Identity(answer=ANSWER))
    with pytest.raises(EnrolError, match="belongs to station-1"):
        known(disk, "station-2")
