"""What the catalog keeps of alerts: what wants attention, what is silenced, whom to tell."""

from enum import StrEnum

import msgspec

from fleetloop_hub.records import Record


class AlertKind(StrEnum):
    """What an alert can be about; `alerting/terms.py` has the table of what each means."""

    DRIFT = "drift"
    ODD_DEVICE = "odd-device"
    SILENT_DEVICE = "silent-device"
    ROLLOUT_STOPPED = "rollout-stopped"
    APPROVAL_WAITING = "approval-waiting"
    ACCURACY = "accuracy"
    FAIRNESS = "fairness"
    ATTACK = "attack"
    RUN_FAILED = "run-failed"
    KEYS_ENDING = "keys-ending"
    DISK = "disk"


class AlertLevel(StrEnum):
    """How grave it is."""

    WARN = "warn"
    BAD = "bad"

    def covers(self, other: "AlertLevel") -> bool:
        """Whether this is as grave as another one.

        >>> AlertLevel.BAD.covers(AlertLevel.WARN), AlertLevel.WARN.covers(AlertLevel.BAD)
        (True, False)
        """
        return self is AlertLevel.BAD or other is AlertLevel.WARN


class AlertState(StrEnum):
    """Where an alert stands; ACKNOWLEDGED: a person has said that somebody sees to it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class AlertEvent(StrEnum):
    """What can happen to an alert, and is told; NOTHING: all of it was told."""

    NOTHING = ""
    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """A time for which an alert stood.

    Attributes:
        opened_at: Unix seconds.
        closed_at: Unix seconds.
        level: How grave it was at last.
        text: What it said at last.
        acknowledged_by: Who had acknowledged it, "" if nobody had.
    """

    opened_at: float
    closed_at: float
    level: AlertLevel
    text: str
    acknowledged_by: str = ""


class Alert(Record, frozen=True, kw_only=True):
    """Something that wants attention, or has: one record a kind and subject, however often.

    Attributes:
        kind: What it is about.
        subject: Whom or what: "rain@default", "rain", "image-root".
        level: How grave it is.
        text: In words, with the next command where there is one.
        page: Path of the console's page that shows more.
        state: Where it stands.
        opened_at: Unix seconds at which it opened the last time.
        changed_at: Unix seconds at which it came into its state, or said something else.
        count: How many devices or other things it is about.
        names: Some of them, the first by name.
        closed_at: Unix seconds, None while it stands.
        acknowledged_at: Unix seconds, None if nobody has acknowledged it.
        acknowledged_by: Who has.
        reason: What they have said.
        acknowledged_count: What `count` was then.
        owed: What channels are to be told of it yet.
        owed_at: Unix seconds at which that happened.
        heard: Whether channels were told of it since it opened.
        opened_times: How often it has opened.
        past: When it stood before, the oldest first; the newest 20.
    """

    kind: AlertKind
    subject: str
    level: AlertLevel
    text: str
    page: str
    state: AlertState
    opened_at: float
    changed_at: float
    count: int = 1
    names: list[str] = msgspec.field(default_factory=list)
    closed_at: float | None = None
    acknowledged_at: float | None = None
    acknowledged_by: str = ""
    reason: str = ""
    acknowledged_count: int = 0
    owed: AlertEvent = AlertEvent.NOTHING
    owed_at: float = 0.0
    heard: bool = False
    opened_times: int = 1
    past: list[Episode] = msgspec.field(default_factory=list)

    @property
    def stands(self) -> bool:
        """Whether it is open or acknowledged."""
        return self.state is not AlertState.CLOSED


class Silence(Record, frozen=True, kw_only=True):
    """Alerts of which nobody is told for a while; they are shown as ever.

    Attributes:
        kind: Of which kind, None for all.
        subject: About whom, "" for all.
        until: Unix seconds at which it ends.
        by: Who has asked for it.
        reason: Why.
        made_at: Unix seconds.
        ended_by: Who has ended it before its time, "" if nobody has.
    """

    kind: AlertKind | None
    subject: str
    until: float
    by: str
    reason: str
    made_at: float
    ended_by: str = ""


class ChannelKind(StrEnum):
    """How a channel reaches whoever is to be told."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    MQTT = "mqtt"


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """How e-mail is sent.

    Attributes:
        host: Of the SMTP server.
        port: Of the same.
        security: "tls" from the first byte, "starttls", or "none".
        sender: The address it is from.
        to: The addresses it goes to.
        username: For the server, "" to send without.
        password: The same; never shown again.
    """

    host: str
    port: int
    security: str
    sender: str
    to: list[str]
    username: str = ""
    password: str = ""


class Channel(Record, frozen=True, kw_only=True):
    """Somewhere that alerts are told; `key` is its name.

    Attributes:
        kind: How.
        made_at: Unix seconds.
        by: Who has made it.
        level: Alerts as grave as this are told, and graver ones.
        kinds: Alerts of these kinds are told; none of them: of all.
        private: Whether it may lead to an address of this machine or a private network.
        url: Of a webhook; may bear a secret, and is never shown again but for its host.
        secret: Of a webhook, "whsec_..."; never shown again.
        mail: Of an e-mail channel.
        gone: Whether it was removed; then it knows no secret any more.
    """

    kind: ChannelKind
    made_at: float
    by: str
    level: AlertLevel = AlertLevel.WARN
    kinds: list[AlertKind] = msgspec.field(default_factory=list)
    private: bool = False
    url: str = ""
    secret: str = ""
    mail: Mail | None = None
    gone: bool = False

    def hears(self, alert: Alert) -> bool:
        """Whether it is to be told of an alert."""
        wanted = not self.kinds or alert.kind in self.kinds
        return not self.gone and wanted and alert.level.covers(self.level)
