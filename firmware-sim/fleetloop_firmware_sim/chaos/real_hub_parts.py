"""What the hub of a story is plugged into: a simulated disk and network, and a ledger."""

from collections.abc import Callable, Iterable
from pathlib import Path

from fleetloop_firmware_sim.chaos import wares
from fleetloop_firmware_sim.chaos.promises import Ledger
from fleetloop_firmware_sim.network import SimLink
from fleetloop_firmware_sim.power import Moments
from fleetloop_firmware_sim.powered import PoweredLink
from fleetloop_firmware_sim.scenarios.releases import MODEL
from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_shared.codec import decode, decode_compressed
from fleetloop_shared.messages import DesiredState
from fleetloop_shared.reports import Report
from fleetloop_shared.topics import Topic, parse
from fleetloop_shared.trust import Bundle

SPEC = f"""
[model]
name = "{MODEL}"
[[sources]]
csv = "rows.csv"
[label]
column = "y"
[[features]]
name = "code"
[[features]]
name = "level"
[[candidates]]
name = "line"
family = "linear"
[rollout]
phases = [0.5, 1.0]
soak_rows = 20
soak_s = 60.0
lost_after_s = 30.0
[delivery]
chunk_bytes = {wares.CHUNK_BYTES}
"""


class Stored(SqliteTelemetry):
    """The hub's telemetry; what it has committed stands in the ledger as well."""

    def __init__(self, path: Path, now: Callable[[], float], ledger: Ledger) -> None:
        """Open the database.

        Args:
            path: Its file.
            now: The hub's clock.
            ledger: Hears what was stored.
        """
        super().__init__(path, now)
        self._ledger = ledger

    def store(self, reports: Iterable[tuple[str, bytes, Report]]) -> list[tuple[str, Report]]:
        kept = list(reports)
        fresh = super().store(kept)
        for _, _, report in kept:
            self._ledger.hear(report)
        return fresh


class FlashBlobs(FileBlobs):
    """Content on the simulated disk; who wants a file of it gets a copy."""

    def path(self, sha256: str) -> Path:
        data, place = self.get(sha256), self._place(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return place


class NotOurs(Broker):
    """A broker that is somebody else's: the story's."""

    def start(self, accounts: list[BrokerAccount]) -> None:
        """It runs, or does not, as the story says."""

    def admit(self, accounts: list[BrokerAccount]) -> None:
        """Everybody may connect."""

    def hub_account(self, own: BrokerAccount) -> BrokerAccount:
        return own

    @property
    def address(self) -> str:
        return "mqtt://broker"

    @property
    def max_payload_bytes(self) -> int:
        return 1_000_000

    def check(self) -> None:
        """The story restarts it."""

    def stop(self) -> None:
        """It is not ours."""


class HubLink(PoweredLink):
    """The hub's link; what it has signed for devices stands in the ledger."""

    def __init__(self, link: SimLink, moments: Moments, ledger: Ledger) -> None:
        """Put the link under power.

        Args:
            link: The link.
            moments: The power supply.
            ledger: Hears what was signed.
        """
        super().__init__(link, moments)
        self._ledger = ledger

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retained: bool = False) -> bool:
        address = parse(topic)
        if address is not None and address.topic is Topic.DIRECTOR:
            desired = desired_in(payload)
            self._ledger.sign(desired)
        return super().publish(topic, payload, qos=qos, retained=retained)


def desired_in(payload: bytes) -> DesiredState:
    """The desired state in a message of the hub's own."""
    (text,) = decode_compressed(payload, Bundle).files.values()
    return decode(text.encode(), DesiredState)
