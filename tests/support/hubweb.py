"""A hub for console, API and command line: real storage, and actions that note what was asked."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from msgspec.structs import replace
from werkzeug.test import TestResponse

from fleetloop_firmware_sim.flash import Flash
from fleetloop_hub.alerting.book import AlertBook
from fleetloop_hub.data.additions import Additions
from fleetloop_hub.delivery.plan import Plan, PlannedDevice, PlannedPhase
from fleetloop_hub.delivery.rollout_states import Event
from fleetloop_hub.fleet_records import LabelCohort, Quarantine, Rollout
from fleetloop_hub.metrics.meter import Meter
from fleetloop_hub.notifying.channels import ChannelDesk
from fleetloop_hub.notifying.notifier import Notifier
from fleetloop_hub.notifying.queue import NoticeQueue
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Audit, Blobs, Catalog, Telemetry
from fleetloop_hub.records import Alias, Dataset, RunState, VersionState
from fleetloop_hub.run_parts import Imported, Reproduction
from fleetloop_hub.spec.shadow_table import ShadowTerms
from fleetloop_hub.storage.answers import KeptAnswers
from fleetloop_hub.storage.audit import FileAudit
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_hub.tracking.approvals import Approvals
from fleetloop_hub.trust.trust import Trust
from fleetloop_hub.verdict_records import FleetVerdict
from fleetloop_hub.web.actions import HubActions, HubStatus, LabelAccount
from fleetloop_hub.web.app import create_app
from fleetloop_hub.web.rollout_actions import RolloutActions, Wanted
from fleetloop_shared.codec import encode
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.messages import DeviceState, EnrolAnswer, EnrolRequest, ReportedState
from fleetloop_shared.reports import DriftReport, EventReport, HealthReport, Report
from support.hubrecords import (
    PASSWORD,
    SHA,
    START,
    a_decision,
    a_device,
    a_drift,
    a_health,
    a_quarantine,
    a_rollout,
    a_run,
    a_version,
    an_event,
)

ADMIN_TOKEN = "the-admin-token"
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@dataclass
class NotingHub(HubActions):
    """Does what it is told to answer, and remembers what it was asked."""

    catalog: Catalog
    asked: list[tuple[object, ...]] = field(default_factory=list)
    error: Exception | None = None
    training: str | None = None
    gate_passes: bool = True
    run_error: str | None = None
    reproduces: bool = True
    runs_long: bool = False
    verdicts: list[FleetVerdict] = field(default_factory=list)

    def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        self._note("enrol", request)
        return EnrolAnswer(
            device=request.device,
            cohort="default",
            broker="mqtt://127.0.0.1:1883",
            username=request.device,
            password=PASSWORD,
            image_root="",
            director_root="",
        )

    def new_token(self, cohort: str, expires_s: float) -> str:
        self._note("token", cohort, expires_s)
        return "secret.fingerprint"

    def label_source(self, name: str) -> LabelAccount:
        self._note("label source", name)
        return LabelAccount(
            broker="mqtt://127.0.0.1:1883",
            username=name,
            password=PASSWORD,
            topic="t",
            receipts="r",
        )

    def add_model(self, spec_text: str, folder: Path) -> str:
        self._note("model", spec_text, folder)
        return "rain"

    def train(
        self, model: str, trigger: str, reason: str, by: str = "", imported: Imported | None = None
    ) -> str:
        self._note("train", model, trigger, reason, by, *([] if imported is None else [imported]))
        if self.runs_long:
            self.catalog.put(a_run("rain-run-9", state=RunState.RUNNING))
            return "rain-run-9"
        state = RunState.FAILED if self.run_error else RunState.FINISHED
        self.catalog.put(a_run("rain-run-9", state=state, error=self.run_error))
        if self.run_error is None:
            self.catalog.put(a_version(9, run="rain-run-9", passes=self.gate_passes))
        return "rain-run-9"

    def roll_out(
        self, model: str, version: int, cohort: str, *, where: str = "", replacing: bool = False
    ) -> str:
        self._note("rollout", model, version, cohort, *([where] if where else []))
        return "rollout-1"

    def start_shadow(self, model: str, version: int, cohort: str, terms: ShadowTerms) -> None:
        self._note("shadow", model, version, cohort, terms)

    def stop_shadow(self, model: str, version: int, cohort: str) -> None:
        self._note("stop shadow", model, version, cohort)

    @property
    def rollouts(self) -> RolloutActions:
        return NotingRollouts(self._note)

    def reproduce(self, run: str, by: str) -> str:
        self._note("reproduce", run, by)
        verdict = None if self.run_error else Reproduction(equal=self.reproduces)
        state = RunState.FAILED if self.run_error else RunState.FINISHED
        again = a_run("rain-run-10", state=state, error=self.run_error)
        self.catalog.put(replace(again, reproduces=run, reproduction=verdict))
        return "rain-run-10"

    def cancel(self, run: str, by: str) -> None:
        self._note("cancel", run, by)

    def allow(self, run: str, by: str, reason: str) -> None:
        self._note("allow", run, by, reason)

    def held(self) -> AbstractContextManager[object]:
        return nullcontext()

    def status(self) -> HubStatus:
        return HubStatus(
            broker="mqtt://127.0.0.1:1883",
            broker_kind="NATS server, run by the hub",
            broker_retains=True,
            egress_bytes=1_000,
            uptime_s=12.0,
            training=self.training,
            reports_stored=0,
        )

    def moved(self) -> list[FleetVerdict]:
        return self.verdicts

    def _note(self, *what: object) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error


@dataclass(frozen=True)
class NotingRollouts(RolloutActions):
    """The same for rollouts."""

    note: Callable[..., None]

    def start(self, wanted: Wanted, now: float) -> str:
        where = [wanted.where] if wanted.where else []
        self.note("rollout", wanted.model, wanted.version, wanted.cohort, *where)
        return "rollout-1"

    def plan(self, wanted: Wanted, now: float) -> Plan:
        self.note("plan", wanted.model, wanted.version, wanted.cohort)
        return Plan(
            model=wanted.model,
            version=wanted.version,
            control=1,
            place=wanted.cohort,
            phases=[
                PlannedPhase(number=1, phase=0.25, devices=1, earliest_s=0.0, opens="at once"),
                PlannedPhase(number=2, phase=1.0, devices=2, earliest_s=60.0, opens="later"),
            ],
            devices=[
                PlannedDevice(device="s-1", hardware="pi4", phase=1, begins_s=0.0, note=""),
                PlannedDevice(device="s-2", hardware="pi3", phase=0, begins_s=0.0, note="barred"),
            ],
            supersedes=["rollout-0"],
        )

    def happen(self, key: str, event: Event, text: str, now: float) -> Rollout:
        self.note(str(event), key, text)
        return a_rollout()

    def define(self, name: str, where: str, home: str) -> LabelCohort:
        self.note("define", name, where, home)
        return LabelCohort(key=name, home=home, where=where)

    def undefine(self, name: str) -> LabelCohort:
        self.note("undefine", name)
        return LabelCohort(key=name, home="default", where="", gone=True)

    def lift(self, key: str, why: str, now: float) -> Quarantine:
        self.note("lift", key, why)
        return a_quarantine()


class CompiledTemplates(BytecodeCache):
    """Templates that one application has compiled, for the next one of this process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = CompiledTemplates()


@dataclass(frozen=True)
class WebHub:
    """What the web needs of a hub."""

    actions: NotingHub
    catalog: Catalog
    telemetry: Telemetry
    blobs: Blobs
    additions: Additions
    approvals: Approvals
    audit: Audit
    trust: Trust
    answers: KeptAnswers
    state_dir: Path
    alerts: AlertBook
    channels: ChannelDesk
    queue: NoticeQueue
    notifier: Notifier
    meter: Meter = field(default_factory=Meter)
    apps: dict[tuple[object, ...], Flask] = field(default_factory=dict, repr=False)

    def client(self, bound_host: str = "127.0.0.1", role: Role = Role.VIEWER) -> FlaskClient:
        """A browser without cookies; the application is made anew only where something changed."""
        seen = (bound_host, role, self.telemetry.revision(), len(self.actions.asked), self._kept())
        if seen not in self.apps:
            self.apps.clear()
            app = self.apps[seen] = create_app(self, ADMIN_TOKEN, bound_host, role)
            app.jinja_env.bytecode_cache = _COMPILED
        return self.apps[seen].test_client()

    def _kept(self) -> int:
        assert isinstance(self.catalog, TinyDbCatalog)
        return self.catalog._revisions.total()


@contextmanager
def web_hub(folder: Path) -> Iterator[WebHub]:
    """An empty hub in `folder`, closed at the end."""
    catalog = TinyDbCatalog(folder / "catalog")
    telemetry = SqliteTelemetry(folder / "telemetry.sqlite", now=lambda: START + 100)
    try:
        blobs, audit = FileBlobs(folder / "blobs"), FileAudit(RealDisk(folder))
        additions = Additions(catalog, blobs, folder / "data")
        approvals = Approvals(catalog, blobs, audit)
        trust = Trust(Flash())
        trust.open(time.time())
        actions, answers = NotingHub(catalog), KeptAnswers(RealDisk(folder))
        queue = NoticeQueue(folder / "notices.sqlite")
        notifier = Notifier(catalog, queue)
        yield WebHub(
            actions=actions,
            catalog=catalog,
            telemetry=telemetry,
            blobs=blobs,
            additions=additions,
            approvals=approvals,
            audit=audit,
            trust=trust,
            answers=answers,
            alerts=AlertBook(catalog),
            channels=ChannelDesk(catalog, queue, notifier),
            queue=queue,
            notifier=notifier,
            state_dir=folder,
        )
    finally:
        queue.close()
        additions.stop()
        telemetry.close()
        catalog.close()


def tell(telemetry: Telemetry, *reports: Report) -> None:
    """Take reports in, each under its kind."""
    kinds = {HealthReport: "health", DriftReport: "drift", EventReport: "events"}
    telemetry.store([(kinds[type(r)], encode(r), r) for r in reports])


def show_up(
    telemetry: Telemetry,
    device: str = "station-1",
    *,
    online: bool = True,
    **reported: Any,  # noqa: ANN401  # any field
) -> None:
    """A device's retained messages: online or not, and its reported state with these changes."""
    state = ReportedState(
        at=START, boot=1, sequence=1, state="serving", model="rain", version=1, artifact=SHA
    )
    told = msgspec.structs.replace(state, **reported)
    birth = DeviceState(online=online, boot=1, conn=1, agent="0.1.0", hardware="pi4")
    telemetry.pulse(device, state=encode(birth), reported=encode(told))


def fill(hub: WebHub) -> None:
    """A loop that has gone round once: a device that serves a version, watched and decided on."""
    dataset = Dataset(
        key="d" * 64,
        model="rain",
        source="rain.csv",
        rows=2_000,
        positives=500,
        quarantined={"out of range": 5},
        parent=None,
        created_at=START,
    )
    released = a_version(state=VersionState.RELEASED)
    hub.catalog.put(dataset, a_run(), a_decision(), released, a_device(), a_rollout())
    hub.catalog.put(Alias(key="rain/champion", version=1))
    show_up(hub.telemetry)
    tell(hub.telemetry, a_health(1), a_drift(2, 0.5), an_event(3, "keeps rain v1"))


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """What an answer says that must be a problem of this status."""
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    told: dict[str, Any] = json.loads(response.data)
    assert set(told) == {"type", "title", "status", "detail"}
    assert told["status"] == status
    assert told["type"].startswith("urn:fleetloop:problem:")
    assert told["detail"]
    return told
