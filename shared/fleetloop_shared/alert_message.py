"""What the hub says of an alert, retained while it stands."""

from fleetloop_shared.messages import Message


class AlertMessage(Message, frozen=True, kw_only=True):
    """Something that wants attention; its topic is cleared once it does not any more.

    Attributes:
        key: Names the alert, the same each time that the same thing wants attention.
        kind: What it is about: "drift", "silent-device", ...
        subject: Whom or what it is about.
        level: "warn" or "bad".
        state: "open", "acknowledged" by a person, or "closed".
        text: In words.
        page: Path of the console's page that shows more.
        count: How many devices (or other things) are concerned.
        opened_at: Since when it is open, Unix seconds.
        acknowledged_by: Who has acknowledged it, "" if nobody has.
    """

    key: str
    kind: str
    subject: str
    level: str
    state: str
    text: str
    page: str
    count: int
    opened_at: float
    acknowledged_by: str = ""


# --- enrolment, over HTTP ------------------------------------------------------------------------
