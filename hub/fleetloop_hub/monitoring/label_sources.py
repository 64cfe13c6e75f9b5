"""Labels that come over MQTT, from accounts that may tell labels and do nothing else."""

from collections.abc import Callable

import msgspec

from fleetloop_hub.data.told_labels import LabelDesk, ToldLabel
from fleetloop_hub.monitoring.intrusions import UNKNOWN
from fleetloop_hub.ports import Telemetry
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.label_messages import LabelMessage
from fleetloop_shared.link import Received
from fleetloop_shared.topics import Topic, parse

FILTERS = [Topic.SOURCE_LABELS.every()]
"""What the hub subscribes to."""


class LabelSources:
    """Takes in what label sources say, and answers each message with a receipt."""

    def __init__(self, desk: LabelDesk, telemetry: Telemetry, known: Callable[[str], bool]) -> None:
        """Nothing has come yet.

        Args:
            desk: Where labels go.
            telemetry: Where refusals are counted.
            known: Whether there is such a source.
        """
        self._desk, self._telemetry, self._known = desk, telemetry, known

    def take(self, messages: list[Received]) -> tuple[list[Received], list[tuple[str, bytes]]]:
        """Take in the messages of label sources.

        Args:
            messages: Everything that has come.

        Returns:
            The messages of others; and receipts, (topic, payload), to be published now.
        """
        others, receipts = [], []
        for message in messages:
            address = parse(message.topic)
            if address is None or address.topic is not Topic.SOURCE_LABELS:
                others.append(message)
                continue
            source = address.names["source"]
            if not self._known(source):
                text = f"labels in the name of {source}, which is no label source"
                self._telemetry.refuse(UNKNOWN, "stranger", text, message.topic)
            elif message.payload:
                receipts += self._taken(source, message)
        return others, receipts

    def _taken(self, source: str, message: Received) -> list[tuple[str, bytes]]:
        try:
            said = decode(message.payload, LabelMessage)
            told = [_told(label) for label in msgspec.to_builtins(said.labels)]
        except (UndecodableError, msgspec.ValidationError) as error:
            self._telemetry.refuse(source, "undecodable", str(error), message.topic)
            return []
        receipt = self._desk.take(told, source, said.id[:200])
        return [(Topic.SOURCE_RECEIPT.at(source=source), encode(receipt))]


def _told(label: dict[str, object]) -> ToldLabel:
    return msgspec.convert(label, ToldLabel)
