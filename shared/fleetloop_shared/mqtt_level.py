"""Which MQTT a link speaks: 5 where it has a use for it and the broker takes it, else 3.1.1."""

from paho.mqtt.enums import MQTTProtocolVersion


class Level:
    """Chooses for the next connection by what became of the last.

    A broker that refuses version 5 is not offered it again. One that ends such connections without
    an answer is offered the two in turn until it takes one. What it has taken stays.

    Args:
        wants_five: Whether the link has a use for MQTT 5.
    """

    def __init__(self, *, wants_five: bool) -> None:
        self.five = wants_five
        self._settled = not wants_five

    @property
    def protocol(self) -> MQTTProtocolVersion:
        """As paho names it."""
        return MQTTProtocolVersion.MQTTv5 if self.five else MQTTProtocolVersion.MQTTv311

    def accepted(self) -> None:
        """The broker took the connection."""
        self._settled = True

    def refused(self) -> None:
        """The broker does not speak version 5: an older one may also have taken another's place."""
        self.five, self._settled = False, True

    def unanswered(self) -> None:
        """The connection was made and ended before the broker said anything."""
        if not self._settled:
            self.five = not self.five
