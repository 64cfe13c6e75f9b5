"""Properties of MQTT 5 packets: what is said with a message, and what is dropped of others'."""

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleetloop_shared.event_attributes import CONTENT_TYPE, Describe
from fleetloop_shared.in_flight import MESSAGES


def properties_of(topic: str, payload: bytes, describe: Describe | None) -> Properties | None:
    """A message's attributes as user properties, and its content type; None where it has none."""
    attributes = None if describe is None else describe(topic, payload)
    if attributes is None:
        return None
    said = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's has no types
    said.ContentType = CONTENT_TYPE
    said.UserProperty = attributes
    return said


def may_be_unacknowledged(accepted: Properties | None) -> int:
    """How many messages a broker takes before it has acknowledged any: what it says, or ours.

    Source: MQTT 5.0, section 3.2.2.3.3. Who sends more is thrown out, and paho does not look.
    """
    return min(MESSAGES, getattr(accepted, "ReceiveMaximum", MESSAGES))


def without_properties(command: int, packet: bytes | bytearray) -> bytearray:
    r"""A PUBLISH of MQTT 5 with an empty list of properties.

    Source: MQTT 5.0, sections 3.3.2 and 1.5.5 (a length in up to four groups of seven bits).

    Args:
        command: The packet's first byte.
        packet: What follows its length.

    >>> without_properties(0x30, b"\x00\x01a" + b"\x02\x01\x01" + b"{}")
    bytearray(b'\x00\x01a\x00{}')
    """
    start = 2 + int.from_bytes(packet[:2]) + (2 if command & 0x06 else 0)
    length = 0
    for place in range(4):
        byte = packet[start + place]
        length |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return bytearray(packet[:start]) + b"\0" + packet[start + place + 1 + length :]
    message = "the length of a message's properties has no end"
    raise ValueError(message)
