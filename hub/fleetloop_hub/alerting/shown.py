"""An alert as people and programs see it."""

import msgspec

from fleetloop_hub.alert_records import Alert, AlertKind, AlertLevel, AlertState, Episode


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """An alert.

    Attributes:
        key: Names it, the same each time that it opens.
        kind: What it is about.
        subject: Whom or what: "rain@default", "rain", "image-root".
        level: How grave it is.
        state: Where it stands.
        text: In words, with the next command where there is one.
        page: Path of the console's page that shows more.
        count: How many devices or other things it is about.
        names: Some of them, the first by name.
        silenced: Whether nobody is told of it now.
        opened_at: Unix seconds at which it opened the last time.
        closed_at: Unix seconds, None while it stands.
        acknowledged_at: Unix seconds, None if nobody has acknowledged it.
        acknowledged_by: Who has.
        reason: What they have said.
        opened_times: How often it has opened.
        past: When it stood before, the oldest first; the newest 20.
    """

    key: str
    kind: AlertKind
    subject: str
    level: AlertLevel
    state: AlertState
    text: str
    page: str
    count: int
    names: list[str]
    silenced: bool
    opened_at: float
    closed_at: float | None = None
    acknowledged_at: float | None = None
    acknowledged_by: str = ""
    reason: str = ""
    opened_times: int = 1
    past: list[Episode] = []

    @property
    def stands(self) -> bool:
        """Whether it is open or acknowledged."""
        return self.state is not AlertState.CLOSED


def view_of(alert: Alert, *, silent: bool) -> AlertView:
    """An alert as it is seen.

    Args:
        alert: Which.
        silent: Whether nobody is told of it now.
    """
    return AlertView(
        key=alert.key,
        kind=alert.kind,
        subject=alert.subject,
        level=alert.level,
        state=alert.state,
        text=alert.text,
        page=alert.page,
        count=alert.count,
        names=alert.names,
        silenced=silent,
        opened_at=alert.opened_at,
        closed_at=alert.closed_at,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by,
        reason=alert.reason,
        opened_times=alert.opened_times,
        past=alert.past,
    )


_RANKS = list(AlertState)


def in_order(alert: AlertView) -> tuple[float, float, float, str]:
    """Where it stands in a list: open ones first, of these the gravest, of these the newest."""
    last = alert.closed_at if alert.closed_at is not None else alert.opened_at
    grave = alert.stands and alert.level is AlertLevel.BAD
    return float(_RANKS.index(alert.state)), 0.0 if grave else 1.0, -last, alert.key
