"""Where a link connects, and as whom."""

from dataclasses import dataclass

from fleetloop_shared.endpoint import Endpoint
from fleetloop_shared.event_attributes import Describe


@dataclass(frozen=True)
class Access:
    """Where to connect, and as whom.

    Attributes:
        endpoint: The broker.
        client_id: Unique at the broker.
        username: The broker account's name, "" to come without one.
        password: Its password.
        ca_file: PEM file to check the broker's certificate against, None for the system's.
        max_packet_bytes: The longest packet that is read.
        passes_over: Whether a longer message is passed over; otherwise it ends the connection.
        describe: The attributes that a message bears where MQTT 5 is spoken.
    """

    endpoint: Endpoint
    client_id: str
    username: str
    password: str
    ca_file: str | None
    max_packet_bytes: int
    passes_over: bool = False
    describe: Describe | None = None
