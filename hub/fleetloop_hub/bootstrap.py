"""Wires the real hub together; the one place that knows every adapter."""

import logging
import secrets
import threading
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from fleetloop_hub.alerting.book import AlertBook
from fleetloop_hub.audit_records import Deed
from fleetloop_hub.broker.choose import choose_broker
from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_hub.config import DAY_S, HubConfig
from fleetloop_hub.data.additions import Additions
from fleetloop_hub.delivery.enrolment import HUB, Enrolment
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.home_assistant.telling import switch
from fleetloop_hub.hub import Hub
from fleetloop_hub.hub_parts import Parts
from fleetloop_hub.journeys import otlp
from fleetloop_hub.metrics.families import BUILD, STEP_FAULTS, STEPPED_AT, STEPS
from fleetloop_hub.metrics.meter import Meter
from fleetloop_hub.notifying.channels import ChannelDesk
from fleetloop_hub.ports import Audit, Blobs, Catalog, Telemetry
from fleetloop_hub.storage.answers import KeptAnswers
from fleetloop_hub.storage.audit import FileAudit
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_hub.tracking.approvals import Approvals
from fleetloop_hub.tracking.known_classes import KnownClasses
from fleetloop_hub.trust.trust import Trust
from fleetloop_hub.watchman import Watchman, all_sights, on_watch
from fleetloop_shared.codec import encode
from fleetloop_shared.durable import Disk, RealDisk, replace
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.event_attributes import event_attributes
from fleetloop_shared.link import Link, Will
from fleetloop_shared.messages import HubState
from fleetloop_shared.paho_link import PahoLink
from fleetloop_shared.topics import Topic

_LOG = logging.getLogger("fleetloop.hub")
_STEP_S = 0.25
_PASSWORD = Path("keys") / "broker.password"


@dataclass(frozen=True)
class Running:
    """A hub that is wired and whose broker runs.

    Attributes:
        actions: What people and new devices ask of it.
        catalog: Its documents.
        telemetry: What devices have said.
        blobs: Its content.
        broker: Its broker.
        link: To that broker.
        additions: Dataset versions being built.
        approvals: What people say to versions.
        audit: Who did what.
        trust: What is signed, and the keys.
        meter: What happens, counted.
        answers: What was answered to requests that are not to be done twice.
        alerts: What wants attention.
        state_dir: The folder with all that it keeps.
        channels: Where it is told.
        watchman: Looks for it, and has it told.
    """

    actions: Hub
    catalog: Catalog
    telemetry: Telemetry
    blobs: Blobs
    broker: Broker
    link: Link
    additions: Additions
    approvals: Approvals
    audit: Audit
    trust: Trust
    meter: Meter
    answers: KeptAnswers
    alerts: AlertBook
    channels: ChannelDesk
    watchman: Watchman
    state_dir: Path

    def run_forever(self, stop: threading.Event) -> None:
        """Step until `stop` is set; then end everything in good order."""
        self.watchman.start()
        try:
            while not stop.is_set():
                self._step()
                self.link.wait(_STEP_S)
        finally:
            self.close()

    def close(self) -> None:
        """End everything in good order."""
        self.watchman.stop()
        self.actions.stop()
        self.link.stop()
        self.broker.stop()
        self.telemetry.close()
        self.catalog.close()

    def _step(self) -> None:
        """One step; what goes wrong in it is said, and the next step tries again."""
        began_s = time.perf_counter()
        try:
            self.actions.step()
        except FleetloopError as error:
            self.meter.add(STEP_FAULTS)
            _LOG.error("%s", error)
        except Exception:  # noqa: BLE001  # the edge: a fault in one step must not end the hub
            self.meter.add(STEP_FAULTS)
            _LOG.exception("a step of the hub failed; the next one tries again")
        self.meter.observe(STEPS, time.perf_counter() - began_s)
        self.meter.set(STEPPED_AT, time.time())


def bootstrap(config: HubConfig) -> Running:
    """The hub as `config` says, with its broker running and its link connecting.

    Raises:
        CatalogError: Another hub has this state folder.
        BrokerError: The broker cannot be started.
        KeyFileError: A signing key or what it has signed is damaged or gone.
    """
    disk = RealDisk(config.state_dir)
    catalog = TinyDbCatalog(config.state_dir / "catalog")
    blobs = FileBlobs(config.state_dir / "blobs")
    telemetry = SqliteTelemetry(
        config.state_dir / "telemetry.sqlite",
        classes_of=KnownClasses(catalog, blobs).of,
        keep_s=config.keep_days * DAY_S,
    )
    audit = FileAudit(disk)
    password = _hub_password(disk)
    broker = choose_broker(
        config.broker, config.state_dir / "broker", config.broker_host, config.broker_port
    )
    trust = Trust(disk, config.lives)
    try:
        _open(trust, catalog, audit)
        switch(catalog, config.home_assistant, config.url)
        broker.start(Enrolment(catalog, broker, trust, password).accounts())
    except FleetloopError:
        telemetry.close()
        catalog.close()
        raise
    account = broker.hub_account(BrokerAccount(HUB, password, None))
    link = PahoLink(
        broker.address, HUB, account.username, account.password, describe=event_attributes
    )
    additions = Additions(catalog, blobs, config.state_dir / "data")
    parts = Parts(
        catalog=catalog,
        telemetry=telemetry,
        blobs=blobs,
        broker=broker,
        link=link,
        trust=trust,
        hub_password=password,
        runs_dir=config.state_dir / "runs",
        additions=additions,
        max_bytes_per_s=config.max_bytes_per_s,
        spans=otlp.from_environment(),
    )
    hub = Hub(parts)
    offline = encode(HubState(online=False))
    link.start(Will(Topic.HUB.at(), offline, retained=broker.retains))
    approvals = Approvals(catalog, blobs, audit)
    parts.meter.set(BUILD, 1, metadata.version("fleetloop-hub"))
    watch = on_watch(parts, all_sights(parts, hub.moved, disk.free_bytes, config.lives), config)
    return Running(
        actions=hub,
        catalog=catalog,
        telemetry=telemetry,
        blobs=blobs,
        broker=broker,
        link=link,
        additions=additions,
        approvals=approvals,
        audit=audit,
        trust=trust,
        meter=parts.meter,
        answers=KeptAnswers(disk),
        state_dir=config.state_dir,
        alerts=watch.alerts,
        channels=watch.channels,
        watchman=watch.watchman,
    )


def _open(trust: Trust, catalog: Catalog, audit: Audit) -> None:
    """Read what is signed and the keys, or make them where there is nobody yet who trusts others.

    Raises:
        KeyFileError: Something is damaged, or gone while devices rely on it.
    """
    if made := trust.open(time.time(), relied_on=bool(catalog.all(Device))):
        subject = " and ".join(made)
        audit.record(Deed(by="hub", action="make keys", subject=subject), time.time())


def _hub_password(disk: Disk) -> str:
    try:
        return disk.read(_PASSWORD).decode()
    except FileNotFoundError:
        password = secrets.token_urlsafe(24)
        replace(disk, _PASSWORD, password.encode())
        return password
