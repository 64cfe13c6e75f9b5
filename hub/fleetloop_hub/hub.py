"""The hub: where the loop closes.

    collect → prepare → train → track → validate → package → release → roll out
       ↑                                                                   │
       └──────────── retrain ← decide ← monitor ← ingest ←─────────────────┘

Every stage is a package of its own and knows none of the others; this is the one place where they
meet: the way out to the devices in `releasing`, the way back from them in `relearning`. `step` does
whatever is due and returns; nothing in it waits for a device.
"""

import threading
from contextlib import AbstractContextManager
from pathlib import Path

from fleetloop_hub.bystanders import Bystanders
from fleetloop_hub.data.told_labels import LabelDesk
from fleetloop_hub.delivery.director import Director
from fleetloop_hub.delivery.enrolment import Enrolment
from fleetloop_hub.delivery.listing import Image
from fleetloop_hub.delivery.retelling import cohorts_born
from fleetloop_hub.delivery.seeding import Seeder, Uplink
from fleetloop_hub.delivery.statements import Statements
from fleetloop_hub.fleet_records import Device, LabelSource
from fleetloop_hub.hub_parts import Parts
from fleetloop_hub.judging.judging import Judging
from fleetloop_hub.metrics import families, reported
from fleetloop_hub.monitoring import ingest, intrusions, label_sources
from fleetloop_hub.monitoring.ingest import Ingest
from fleetloop_hub.monitoring.intrusions import Intrusions
from fleetloop_hub.monitoring.label_sources import LabelSources
from fleetloop_hub.monitoring.vetting import Rules, Vetting
from fleetloop_hub.relearning import Asked, Relearning, Studio
from fleetloop_hub.releasing import Releasing, Ways
from fleetloop_hub.retraining.decisions import Decisions
from fleetloop_hub.retraining.outcomes import Outcomes
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.spec.shadow_table import ShadowTerms
from fleetloop_hub.tracking.again import order_again
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.tracking.specs import Specs
from fleetloop_hub.training.runs import Runs
from fleetloop_hub.verdict_records import FleetVerdict
from fleetloop_hub.web.actions import HubActions, HubStatus, LabelAccount
from fleetloop_hub.web.rollout_actions import RolloutActions, Wanted
from fleetloop_hub.why.keeping import illustrating
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.link import Connected, Received, SubscriptionRefused
from fleetloop_shared.messages import EnrolAnswer, EnrolRequest, HubState
from fleetloop_shared.sampling import SamplingPolicy
from fleetloop_shared.topics import Topic

_WATCH_S = 1.0


class Hub(HubActions):
    """One process, one thread that steps; the actions may be called from any thread."""

    def __init__(self, parts: Parts) -> None:
        """Take up everything where the catalog says it stood."""
        self._catalog, self._telemetry, self._blobs = parts.catalog, parts.telemetry, parts.blobs
        self._broker, self._link = parts.broker, parts.link
        self._enrolment = Enrolment(parts.catalog, parts.broker, parts.trust, parts.hub_password)
        self._specs = Specs(parts.catalog, parts.blobs)
        self._registry = Registry(parts.catalog, parts.blobs)
        self._director = Director(parts.catalog, parts.blobs, parts.trust)
        image = Image(parts.catalog, parts.blobs, parts.trust)
        self._statements = Statements(image, self._director)
        uplink = Uplink(
            self._say,
            lambda: self._link.backlog_bytes,
            parts.broker.retains,
            parts.max_bytes_per_s,
        )
        self._seeder = Seeder(parts.catalog, parts.blobs, uplink)
        self._runs = Runs(parts.catalog, parts.blobs, parts.runs_dir)
        decisions = Decisions(
            parts.catalog, illustrating(parts.catalog, parts.telemetry, parts.blobs)
        )
        self._releasing = Releasing(
            parts.telemetry,
            self._registry,
            Ways(image, self._director, self._statements, self._seed),
            Outcomes(parts.catalog, self._registry, decisions),
            Judging(parts.catalog, parts.telemetry),
        )
        self._relearning = Relearning(
            parts.telemetry,
            Studio(parts.additions, self._runs, self._registry, decisions),
            self._releasing,
        )
        rules = Rules(self._policy_of, lambda model: self._specs.of(model).feature_names)
        vetting = Vetting(parts.catalog, parts.telemetry, rules)
        self._ingest = Ingest(parts.telemetry, self._is_enrolled, vetting.check)
        desk = LabelDesk(parts.telemetry, self._is_enrolled, parts.now)
        self._label_sources = LabelSources(desk, parts.telemetry, self._is_source)
        self._intrusions = Intrusions(
            parts.telemetry, self._is_enrolled, lambda said: parts.blobs.has(sha256_hex(said))
        )
        self._meter = parts.meter
        self._bystanders = Bystanders(parts)
        self._lock, self._now, self._additions = threading.RLock(), parts.now, parts.additions
        self._started, self._due, self._greeted = self._now(), 0.0, 0.0
        self._seed()

    # --- actions: what a person or a new device asks for ------------------------------------------

    def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        with self._lock:
            return self._enrolment.enrol(request, self._now())

    def new_token(self, cohort: str, expires_s: float) -> str:
        return self._enrolment.token(cohort, self._now(), expires_s)

    def label_source(self, name: str) -> LabelAccount:
        with self._lock:
            made = self._enrolment.label_source(name, self._now())
        return LabelAccount(
            broker=self._broker.address,
            username=made.key,
            password=made.password,
            topic=Topic.SOURCE_LABELS.at(source=made.key),
            receipts=Topic.SOURCE_RECEIPT.at(source=made.key),
        )

    def add_model(self, spec_text: str, folder: Path) -> str:
        return self._additions.wait(self._additions.start(spec_text, folder).key).model

    def train(
        self, model: str, trigger: str, reason: str, by: str = "", imported: Imported | None = None
    ) -> str:
        with self._lock:
            return self._relearning.train(model, trigger, reason, Asked(by, imported), self._now())

    def reproduce(self, run: str, by: str) -> str:
        with self._lock:
            return self._runs.start(order_again(self._registry, run, by), self._now())

    def cancel(self, run: str, by: str) -> None:
        with self._lock:
            self._relearning.cancel(run, by, self._now())

    def allow(self, run: str, by: str, reason: str) -> None:
        with self._lock:
            self._relearning.allow(run, by, reason, self._now())

    def held(self) -> AbstractContextManager[object]:
        return self._lock

    def roll_out(
        self, model: str, version: int, cohort: str, *, where: str = "", replacing: bool = False
    ) -> str:
        with self._lock:
            wanted = Wanted(
                model=model, version=version, cohort=cohort, where=where, replacing=replacing
            )
            return self._releasing.start(wanted, self._now())

    @property
    def rollouts(self) -> RolloutActions:
        return self._releasing

    def start_shadow(self, model: str, version: int, cohort: str, terms: ShadowTerms) -> None:
        with self._lock:
            self._releasing.shadow(model, version, cohort, terms, self._now())

    def stop_shadow(self, model: str, version: int, cohort: str) -> None:
        with self._lock:
            self._releasing.end_shadow(model, version, cohort, self._now())

    def status(self) -> HubStatus:
        underway = self._runs.underway()
        return HubStatus(
            broker=self._broker.address,
            broker_kind=self._broker.kind,
            broker_retains=self._broker.retains,
            egress_bytes=int(self._meter.value(families.EGRESS)),
            reports_stored=self._telemetry.report_count(),
            uptime_s=self._now() - self._started,
            training=None if underway is None else f"{underway.run}: {underway.progress.text}",
            training_share=None if underway is None else underway.progress.share,
            training_left_s=None if underway is None else underway.progress.left_s,
        )

    def moved(self) -> list[FleetVerdict]:
        return self._relearning.moved()

    def stop(self) -> None:
        """End a run that is under way; everything else is in the catalog already."""
        self._additions.stop()
        with self._lock:
            self._runs.stop()
            self._bystanders.close()

    # --- the step: whatever is due ----------------------------------------------------------------

    def step(self) -> None:
        """Take in what has come, do what is due, hand over what is ready."""
        events = self._link.events()
        with self._lock:
            if any(isinstance(event, Connected) for event in events):
                self._greet()
            for event in events:
                if isinstance(event, SubscriptionRefused):
                    self._telemetry.refuse("broker", "subscription", event.filter)
            now = self._now()
            self._take([event for event in events if isinstance(event, Received)], now)
            if now >= self._due:
                self._due = now + _WATCH_S
                self._look(now)
            self._seeder.pump(now)
            if self._seeder.is_ahead(now):
                self._statements.pump(self._keep)
            self._bystanders.pump(self._keep, self._link.backlog_bytes)
            for topic, payload in self._intrusions.due(now):
                self._keep(topic, payload)

    def _look(self, now: float) -> None:
        self._broker.check()
        self._relearning.take_in(now)
        self._releasing.look(now)
        self._relearning.watch(now)
        self._bystanders.look(now)
        self._meter.set(families.CONNECTED, self._link.connected)
        self._meter.set(families.BACKLOG, self._link.backlog_bytes)
        self._meter.set(families.QUEUED, self._seeder.queued, "chunks")

    def _greet(self) -> None:
        """Connected: the broker may have started empty, so everything lasting is said again."""
        self._intrusions.connected(self._now())
        for filter_ in [*ingest.FILTERS, *intrusions.FILTERS, *label_sources.FILTERS]:
            self._link.subscribe(filter_)
        self._greeted = self._now()
        self._tell_lasting(None)
        self._bystanders.again()
        self._seeder.resume()

    def _tell_lasting(self, cohorts: set[str] | None) -> None:
        """Say again what must last: to everybody, or to cohorts of which a device has just come."""
        here = encode(HubState(online=True, at=self._greeted, retains=self._broker.retains))
        self._keep(Topic.HUB.at(), here)
        self._statements.again(self._now(), cohorts)

    def _take(self, messages: list[Received], now: float) -> None:
        if not messages:
            return
        if not self._broker.retains and (born := cohorts_born(messages, self._catalog)):
            self._tell_lasting(born)
        others, receipts = self._label_sources.take(messages)
        outcome = self._ingest.take(self._intrusions.listen(others, now), now)
        reported.note(self._meter, outcome.fresh)
        self._bystanders.heard(outcome.reported, now)
        for topic, payload in [*outcome.acks, *receipts]:
            self._say(topic, payload, retained=False)
        for device, request in outcome.requests:
            if not self._seeder.answer(device, request, now):
                text = f"asks for {request.sha256[:64]!r}, which no live statement names"
                where = Topic.GET.at(device=device)
                self._telemetry.refuse(device, "unknown-content", text, where)

    def _is_enrolled(self, device: str) -> bool:
        return self._catalog.find(Device, device) is not None

    def _policy_of(self, device: str) -> SamplingPolicy | None:
        """The policy of samples that a device was told last."""
        found = self._catalog.find(Device, device)
        desired = None if found is None else self._director.desired(found.cohort)
        return None if desired is None else desired.sampling

    def _is_source(self, name: str) -> bool:
        return self._catalog.find(LabelSource, name) is not None

    def _seed(self) -> None:
        self._seeder.want(
            [(v, self._specs.of(v.model).delivery.chunk_bytes) for v in self._director.live()]
        )

    def _keep(self, topic: str, payload: bytes) -> bool:
        return self._say(topic, payload, retained=True)

    def _say(self, topic: str, payload: bytes, retained: bool) -> bool:  # noqa: FBT001  # Seeder's port
        kept = retained and self._broker.retains
        if not self._link.publish(topic, payload, qos=1, retained=kept):
            return False
        self._intrusions.said(topic, payload, retained=retained)
        self._meter.add(families.EGRESS, by=len(payload))
        return True
