"""The agent's step: what came from the broker goes in, what is to be said goes out.

No thread, socket or clock of its own: whoever owns the board calls `step`.
"""

import logging
import math

from fleetloop_agent.config import AgentConfig
from fleetloop_agent.echoes import Echoes
from fleetloop_agent.ports import Board
from fleetloop_agent.sending import Sending
from fleetloop_agent.serving.keeping import Keeping
from fleetloop_agent.serving.open_window import OpenWindow
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.reports import Backlog, Reports
from fleetloop_agent.serving.sample_purse import SamplePurse
from fleetloop_agent.serving.sensor_topics import topics_of
from fleetloop_agent.serving.shadowing import Shadowing
from fleetloop_agent.status import Status, serves
from fleetloop_agent.update.reported import same
from fleetloop_agent.update.updater import Updater
from fleetloop_agent.version import VERSION
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.errors import DiskFullError, EndlessDataError, ForeignError, RefusedError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.link import Connected, Disconnected, Event, Oversized, Received, Will
from fleetloop_shared.messages import Ack, DeviceState, EnrolAnswer, HubState, ReportedState
from fleetloop_shared.reports import EventKind
from fleetloop_shared.topics import Topic, parse

COLLECT_S = 0.5
"""How often serving is asked for what it has seen."""

REPORT_S = 0.5
"""The shortest time between two reported states."""

_OWN = (Topic.STATE, Topic.REPORTED)

_log = logging.getLogger(__name__)


class Agent:
    """One device's agent.

    Attributes:
        predictor: Where models answer; safe to be called from other threads.
        sensors: Answers what sensors publish, if they are asked to; stepped in a thread of its own.
        reports: Written on what serving has seen; its totals may be read from other threads.
        shadowing: A challenger beside the champion; stepped in a thread of its own.
        updater: Moves from one model to the next.
        status: As of the last half second; may be read from other threads.
    """

    def __init__(self, config: AgentConfig, identity: EnrolAnswer, board: Board) -> None:
        """Open what the disk has; nothing is served before `start`.

        Args:
            config: The settings.
            identity: What the device was told when it enrolled.
            board: What it is plugged into.
        """
        self._config = config
        self._board = board
        self._device = identity.device
        self._cohort = identity.cohort
        self.predictor = Predictor(identity.device, board.outbox.boot, board.runtime, board.clock)
        self.sensors = topics_of(config.mqtt, board.sensor_link, self.predictor)
        self.reports = Reports(identity.device, board.clock, board.host)
        self.shadowing = Shadowing(identity.device, self.predictor, board)
        self.updater = Updater(identity, config, board, self.predictor, self.shadowing.beside)
        self._conn = 0
        self._echoes = Echoes()
        self._hub_at = 0.0
        self._sending = Sending(board.outbox, board.clock, config.report.resend_s)
        self._birth: DeviceState | None = None
        self._reported: ReportedState | None = None
        self._reported_at = self._collect_at = -math.inf
        self._health_at = board.clock.monotonic() + config.report.health_interval_s
        self._refused_filters: set[str] = set()
        self._obstacle: str | None = None
        self._keeping = Keeping(board.disk, board.clock.monotonic())
        self._purse = SamplePurse(board.disk, board.clock)
        self._open_window: OpenWindow | None = None
        self.status = self._status()

    def start(self) -> None:
        """Serve from the disk, then begin to connect."""
        now = self._board.clock.monotonic()
        self.updater.start(now)
        self._resume(now)
        self._say(EventKind.STARTED, f"agent {VERSION} started; {serves(self.predictor.manifest)}")
        will = encode(self._state(online=False))
        self._board.link.start(Will(Topic.STATE.at(device=self._device), will))

    def stop(self) -> None:
        """Keep what was counted, say goodbye and disconnect; all else is on the disk already."""
        self._health_at = now = self._board.clock.monotonic()  # what was served since the last one
        self._collect(now, keep=True)
        self._obstacle = self._sending.keep()
        self._keep_window(now)
        self._purse.close()
        self._publish(Topic.STATE, encode(self._state(online=False)))
        self._board.link.stop()

    def step(self) -> float:
        """Do what there is to do.

        Returns:
            Seconds until there may be more, if nothing comes from the broker before.
        """
        now = self._board.clock.monotonic()
        for event in self._board.link.events():
            self._handle(event, now)
        at = self.updater.step(now)
        if now >= self._collect_at:
            self._collect(now, keep=self._keeping.due(now))
        self._obstacle = self._sending.keep()
        self._keep_window(now)
        self._sending.send(now, self._publish)
        self._tell(now)
        return max(0.0, min(at, self._collect_at) - now)

    def reported(self) -> ReportedState:
        """What this device is running and doing."""
        return self.updater.reported(self._obstacle)

    def _handle(self, event: Event, now: float) -> None:
        match event:
            case Connected():
                self._conn = event.conn
                self._greet()
            case Disconnected():
                _log.info("not connected: %s", event.reason)
                self._sending.again()
            case Received():
                try:
                    self._receive(event, now)
                except DiskFullError as error:
                    self._obstacle = str(error)
                except RefusedError as error:
                    name = sha256_hex(event.topic.encode() + b"\0" + event.payload)
                    self.updater.refusals.note(error, name, now, event.topic)
            case Oversized():
                self.updater.refusals.note(EndlessDataError(event.text), "packet", now)
            case _:
                self._refused_filter(event.filter)

    def _greet(self) -> None:
        """A new connection: nothing of the last one is left at the broker or on the way."""
        _log.info("connected")
        link = self._board.link
        link.subscribe(Topic.IMAGE.at())
        link.subscribe(Topic.DIRECTOR.at(cohort=self._cohort))
        link.subscribe(Topic.ACK.at(device=self._device))
        link.subscribe(Topic.HUB.at())
        self._echoes.connected()
        for topic in _OWN:
            link.subscribe(topic.at(device=self._device))
        self._birth = self._reported = None
        self._reported_at = -math.inf
        self._sending.again()
        self.updater.reconnected()

    def _receive(self, message: Received, now: float) -> None:
        address = parse(message.topic)
        names = address.names if address is not None else {}
        match address.topic if address is not None else None:
            case Topic.IMAGE:
                self.updater.offer(Topic.IMAGE, message.payload, now)
            case Topic.DIRECTOR if names["cohort"] == self._cohort:
                self.updater.offer(Topic.DIRECTOR, message.payload, now)
            case Topic.BLOB | Topic.CHUNK if names.get("device", self._device) == self._device:
                index = int(names["index"])
                self.updater.receive(names["sha256"], index, message.payload, now)
            case Topic.ACK if names["device"] == self._device:
                if not message.payload:
                    return  # the hub has cleared what somebody left there
                self._sending.acknowledged(decode(message.payload, Ack))
            case Topic.STATE | Topic.REPORTED if names["device"] == self._device:
                self._echoes.check(message)
            case Topic.HUB:
                self._note_hub(decode(message.payload, HubState))
            case _:
                raise ForeignError(f"a message on {message.topic[:120]!r}, which is not for us")

    def _note_hub(self, hub: HubState) -> None:
        """The hub has come or gone; what the broker does not keep for it is said again."""
        self._sending.hub(online=hub.online)
        if not hub.online:
            return
        self.updater.answered_directly(direct=not hub.retains)
        if not hub.retains and hub.at != self._hub_at:
            self._birth = self._reported = None
        self._hub_at = hub.at

    def _resume(self, now: float) -> None:
        """Go on counting where the last start was."""
        kept, manifest = self._keeping.recall(), self.predictor.manifest
        if kept is None or manifest is None:
            return
        try:
            self.predictor.resume(kept)
        except RefusedError as error:
            self.updater.refusals.note(error, sha256_hex(kept), now)
            self._keeping.forget()

    def _keep_window(self, now: float) -> None:
        """Keep what was counted, if it is time and the reports before it are kept."""
        manifest, window, self._open_window = self.predictor.manifest, self._open_window, None
        if window is not None and manifest is not None and self._obstacle is None:
            self._keeping.keep(window, manifest, now)

    def _collect(self, now: float, *, keep: bool) -> None:
        """Ask serving for what has come together, and write the reports on it."""
        self._collect_at = now + COLLECT_S
        self.predictor.end_overdue()
        desired = self.updater.journal.desired
        if desired is not None:
            self._purse.pay_for(self.predictor, desired.sampling)
        manifest = self.predictor.manifest
        self._keeping.counts_for(manifest.sha256 if manifest is not None else None)
        collected = self.predictor.collect(keep=keep)
        self._open_window = collected.open_window
        if any(window.judged.closed for window in collected.windows):
            self._keeping.forget()
        self._sending.say(*self.reports.of(collected, manifest))
        self._sending.say(*self.shadowing.drafts(now, counts=now >= self._health_at))
        self.status = self._status()
        if now >= self._health_at:
            self._health_at = now + self._config.report.health_interval_s
            clock = self._sending.clock_offset()
            self._sending.say(self.reports.health(manifest, Backlog.of(self.status), clock))

    def _status(self) -> Status:
        appended, acknowledged, dropped = self._board.outbox.counts()
        journal = self.updater.journal
        return Status(
            device=self._device,
            cohort=self._cohort,
            agent=VERSION,
            connected=self._board.link.connected,
            reports=appended,
            unacknowledged=appended - acknowledged - dropped,
            dropped=dropped,
            active=str(journal.active) if journal.active else None,
            previous=str(journal.previous) if journal.previous else None,
            factory=str(journal.factory) if journal.factory else None,
            quarantine=[str(slot) for slot in journal.quarantine],
            outbox_bytes=self._board.outbox.size_bytes,
            unkept=self._sending.unkept,
            system=self.reports.system,
            clock=self.reports.clock_offset,
            drift=self.reports.episodes.last,
            sensors=self.sensors.status if self.sensors is not None else None,
            reported=self.reported(),
        )

    def _refused_filter(self, filter_: str) -> None:
        if filter_ not in self._refused_filters:
            self._refused_filters.add(filter_)
            self._say(EventKind.FAULT, f"the broker does not let this device read {filter_}")

    def _say(self, kind: EventKind, text: str) -> None:
        _log.info("%s", text)
        self._sending.say((Topic.EVENTS, self.updater.events.build(kind, text)))

    def _tell(self, now: float) -> None:
        """Publish what is retained, where it has changed or is not there."""
        if self._echoes.must_repeat(now):
            self._birth = self._reported = None
        birth = self._state(online=True)
        if birth != self._birth and self._publish(Topic.STATE, encode(birth)):
            self._birth = birth
        if now - self._reported_at < REPORT_S:
            return
        reported = self.reported()
        if not same(reported, self._reported) and self._publish(Topic.REPORTED, encode(reported)):
            self._reported, self._reported_at = reported, now

    def _publish(self, topic: Topic, payload: bytes) -> bool:
        row = topic.row
        where = topic.at(device=self._device)
        taken = self._board.link.publish(where, payload, qos=row.qos, retained=row.retained)
        if taken and topic in _OWN:
            self._echoes.said(where, payload)
        return taken

    def _state(self, *, online: bool) -> DeviceState:
        manifest = self.predictor.manifest
        return DeviceState(
            online=online,
            boot=self._board.outbox.boot,
            conn=self._conn,
            agent=VERSION,
            hardware=self._config.hardware,
            artifact=manifest.sha256 if manifest is not None else None,
            labels=self._config.labels,
        )
