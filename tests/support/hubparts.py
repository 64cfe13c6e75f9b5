"""The hub's storage in a temporary folder, and a broker that only remembers who may connect."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_hub.records import Version, VersionState
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_hub.trust.trust import Trust
from fleetloop_hub.version_parts import Parity
from fleetloop_shared.ids import sha256_hex
from support.bundles import trust_in


@dataclass
class Parts:
    catalog: TinyDbCatalog
    telemetry: SqliteTelemetry
    blobs: FileBlobs
    trust: Trust


@contextmanager
def parts(folder: Path) -> Iterator[Parts]:
    with ExitStack() as stack:
        catalog = TinyDbCatalog(folder / "catalog")
        stack.callback(catalog.close)
        telemetry = SqliteTelemetry(folder / "telemetry.sqlite")
        stack.callback(telemetry.close)
        blobs = FileBlobs(folder / "blobs")
        yield Parts(catalog, telemetry, blobs, trust_in(folder, time.time()))


class RememberedAccounts(Broker):
    """A broker whose accounts a test can look at."""

    def __init__(self) -> None:
        self.accounts: list[BrokerAccount] = []
        self.keeps = True

    def start(self, accounts: list[BrokerAccount]) -> None:
        self.accounts = accounts

    def admit(self, accounts: list[BrokerAccount]) -> None:
        self.accounts = accounts

    def hub_account(self, own: BrokerAccount) -> BrokerAccount:
        return own

    @property
    def address(self) -> str:
        return "mqtt://127.0.0.1:1883"

    @property
    def retains(self) -> bool:
        return self.keeps

    @property
    def max_payload_bytes(self) -> int:
        return 1_000_000

    def check(self) -> None:
        """Nothing can have ended."""

    def stop(self) -> None:
        """Nothing runs."""


def make_version(kept: Parts, number: int, *, state: VersionState = VersionState.READY) -> Version:
    manifest = f"manifest {number}".encode() * 50
    encoded = f"artifact {number}".encode() * 500
    version = Version(
        key=f"rain/{number}",
        model="rain",
        number=number,
        state=state,
        run=f"rain-{number}",
        dataset=sha256_hex(b"dataset"),
        artifact=kept.blobs.put(f"onnx {number}".encode()),
        manifest=kept.blobs.put(manifest),
        manifest_bytes=len(manifest),
        transport=kept.blobs.put(encoded),
        gates=[],
        parity=Parity(
            rows=1,
            label_flips=0,
            largest_gap=0.0,
            float_bytes=1,
            artifact_bytes=1,
            float_ms=1.0,
            artifact_ms=1.0,
        ),
        metrics={},
        decision="rain-0001",
        created_at=float(number),
    )
    kept.catalog.put(version)
    return version
