"""What is kept of what devices say, as the hub's stages read it."""

from dataclasses import dataclass
from enum import StrEnum

from fleetloop_shared.reports import Label, Report, Sample


@dataclass(frozen=True)
class StoredReport:
    """A report as it was taken in.

    Attributes:
        kind: The last part of its topic: "drift", "health", "events" ...
        report: The message.
        stored_at: Unix seconds, the hub's clock.
    """

    kind: str
    report: Report
    stored_at: float


@dataclass(frozen=True)
class LabelledSample:
    """A served row whose truth has come.

    Attributes:
        device: Who served it.
        sample: The row and the answer.
        label: The truth.
    """

    device: str
    sample: Sample
    label: Label


@dataclass(frozen=True)
class LabelSums:
    """Sums over the labelled samples of one device and version that stand for other rows.

    Attributes:
        device: Whose.
        labels: How many.
        weight: Sum of the reciprocals of their probabilities.
        right: The same of those that were answered as labelled.
        squares: Sum of the squares of the reciprocals.
        least: The smallest of the probabilities.
    """

    device: str
    labels: int
    weight: float
    right: float
    squares: float
    least: float


class LabelFate(StrEnum):
    """What has become of a label that was told.

    JOINED and WAITING are taken: the row is there, or its label waits for it. The others are not,
    and are counted.
    """

    JOINED = "joined"
    WAITING = "waiting"
    DUPLICATE = "duplicate"
    CONTRADICTING = "contradicting"
    NO_CLASS = "no-class"
    FUTURE = "future"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class DevicePulse:
    """What is last known of a device, from its retained messages, and when it was last heard.

    Attributes:
        device: Its id.
        state: Payload of its last birth or will, None before the first.
        reported: Payload of its last reported state, None before the first.
        seen_at: Unix seconds at which the last message or report came.
    """

    device: str
    state: bytes | None
    reported: bytes | None
    seen_at: float


@dataclass(frozen=True)
class Refusal:
    """Things of one kind that were not taken in.

    Attributes:
        source: Whose they were: a device's id, or whatever else sent them; of what a device has
            refused, the device.
        reason: The short name they are counted under.
        count: How many there were; of what a device has refused, those it has reported.
        text: What was wrong with the last one, in words.
        at: Unix seconds of the last one, the hub's clock.
        topic: Where the last one came in, empty if that is not known.
        first_at: Unix seconds of the first one, the hub's clock.
        by: Who refused them: "hub", or a device's id.
    """

    source: str
    reason: str
    count: int
    text: str
    at: float
    topic: str = ""
    first_at: float = 0.0
    by: str = "hub"
