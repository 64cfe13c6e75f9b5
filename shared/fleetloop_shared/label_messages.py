"""What a label source says to the hub over MQTT, and what the hub answers."""

import msgspec

from fleetloop_shared.messages import Message
from fleetloop_shared.reports import Label


class LabelMessage(Message, frozen=True, kw_only=True):
    """Labels of predictions that devices have made.

    Attributes:
        id: Names this message; the receipt bears it. Whoever gets no receipt says it again: labels
            that came twice count once.
        labels: The labels.
    """

    id: str
    labels: list[Label]


class RefusedLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A label that was not taken.

    Attributes:
        place: Its place among those that were told, from 0.
        prediction_id: As it was told.
        reason: "unknown", "future", "no-class" or "contradicting".
        text: What is wrong with it, and what to do.
    """

    place: int
    prediction_id: str
    reason: str
    text: str


class LabelReceipt(Message, frozen=True, kw_only=True):
    """What has become of labels; they are durable when this is said.

    Attributes:
        id: Of the message.
        joined: Labels whose rows are there.
        waiting: Labels that wait for their rows, which devices may not have sent yet.
        duplicate: Labels that were known.
        refused: Labels that were not taken, the first hundred of them.
        refused_count: How many those are.
    """

    id: str
    joined: int
    waiting: int
    duplicate: int
    refused: list[RefusedLabel]
    refused_count: int
