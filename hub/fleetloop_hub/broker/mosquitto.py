"""Debian's mosquitto as a child: the stronger broker where it is installed.

A client id is always the account's name here, so no device can take over another's connection.
It answers a forbidden subscription with yes and then delivers nothing. Retained messages survive a
stop; of those that came in the last half minute before it is killed it may know nothing afterwards,
which is why hub and agents say theirs again on every connect. Started by root it stays root, for
the hub's folder is closed to everyone else: run the hub as an ordinary user.
"""

import hashlib
import os
import secrets
import shutil
import threading
from base64 import b64encode
from pathlib import Path

from fleetloop_hub.broker.listening import reachable
from fleetloop_hub.broker.process import Child
from fleetloop_hub.broker.rights import check_accounts, rights
from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_hub.errors import BrokerError
from fleetloop_shared.durable import RealDisk, replace
from fleetloop_shared.paho_link import MAX_PAYLOAD_BYTES

_LIMIT_BYTES = 1024 * 1024
_SALT_BYTES = 12
_ROUNDS = 101
_PLACES = os.pathsep.join(["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])


class MosquittoBroker(Broker):
    """A mosquitto of our own.

    Args:
        state_dir: Where its configuration, log and retained messages are kept.
        host: Address on which it listens.
        port: Port of the same; 0 chooses a free one and keeps to it.
    """

    def __init__(self, state_dir: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        self._folder = state_dir.absolute()
        self._child = Child(self._folder, host, port)
        self._lock = threading.Lock()

    def start(self, accounts: list[BrokerAccount]) -> None:
        program = find_program()

        def make_command(port: int) -> list[str]:
            self._write_accounts(accounts)
            text = configuration(self._folder, self._child.host, port)
            return [program, "-c", str(self._write("mosquitto.conf", text))]

        with self._lock:
            self._child.start(make_command)

    def admit(self, accounts: list[BrokerAccount]) -> None:
        with self._lock:
            self._write_accounts(accounts)
            self._child.reload(b"Reloading config.")

    def hub_account(self, own: BrokerAccount) -> BrokerAccount:
        return own

    @property
    def kind(self) -> str:
        return "Mosquitto, run by the hub"

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

    def _write_accounts(self, accounts: list[BrokerAccount]) -> None:
        check_accounts(accounts)
        hashed = [f"{account.username}:{_hash(account.password)}\n" for account in accounts]
        self._write("mosquitto.acl", "".join(_lines(account) for account in accounts))
        self._write("mosquitto.passwords", "".join(hashed))

    def _write(self, name: str, text: str) -> Path:
        path = self._folder / name
        replace(RealDisk(self._folder), path, text.encode())
        return path


def configuration(folder: Path, host: str, port: int) -> str:
    """The configuration; by default it would keep only 1,000 waiting messages of each client."""
    return f"""\
user {"root" if os.geteuid() == 0 else "mosquitto"}
per_listener_settings false
listener {port} {host}
allow_anonymous false
password_file {folder}/mosquitto.passwords
acl_file {folder}/mosquitto.acl
use_username_as_clientid true
set_tcp_nodelay true
max_queued_messages 100000
max_packet_size {_LIMIT_BYTES}
persistence true
persistence_location {folder}/
autosave_interval 30
sys_interval 0
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""


def find_program() -> str:
    """Where mosquitto is.

    Raises:
        BrokerError: Nowhere.
    """
    path = os.environ.get("PATH", "") + os.pathsep + _PLACES
    if (found := shutil.which("mosquitto", path=path)) is None:
        raise BrokerError(
            "mosquitto is not installed: apt-get install mosquitto, or use the embedded broker "
            "with --broker nats"
        )
    return found


def _lines(account: BrokerAccount) -> str:
    may = rights(account)
    lines = [f"user {account.username}"]
    lines += [f"topic write {filter_}" for filter_ in may.publish]
    lines += [f"topic read {filter_}" for filter_ in may.subscribe]
    return "\n".join(lines) + "\n"


def _hash(password: str) -> str:
    """As `mosquitto_passwd` writes it: PBKDF2 with SHA-512; the passwords are long and random."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${b64encode(salt).decode()}${b64encode(digest).decode()}"
