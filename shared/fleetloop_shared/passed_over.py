"""A packet of MQTT 3.1.1 that is too long to keep: what its first bytes tell is kept alone."""

_PUBLISH = 0x30
_QOS_1 = 0x02
_LENGTH_BYTES = 2
_MOST_HEAD_BYTES = 2 + 65_535 + 2


class PassedOver:
    """Takes the bytes of such a packet and forgets them.

    Attributes:
        announced_bytes: How long it says it is.
        left_bytes: How much of it has not come.
        is_message: Whether it is a message that somebody has published.
    """

    def __init__(self, first_byte: int, announced_bytes: int) -> None:
        """Begin.

        Args:
            first_byte: The packet's.
            announced_bytes: How many bytes follow its length.
        """
        self.announced_bytes = self.left_bytes = announced_bytes
        self.is_message = first_byte & 0xF0 == _PUBLISH
        self._at_least_once = first_byte & 0x06 == _QOS_1
        self._head = bytearray()

    def take(self, data: bytes) -> None:
        """Take the bytes that come next, no more than are left."""
        self.left_bytes -= len(data)
        self._head += data[: _MOST_HEAD_BYTES - len(self._head)]

    @property
    def topic(self) -> str:
        """Where the message was published; as much of it as is text.

        >>> over = PassedOver(0x32, 1_000)
        >>> over.take(bytes([0, 3]) + b"a/b" + bytes([1, 2]) + b"payload")
        >>> over.topic, over.to_acknowledge, over.left_bytes
        ('a/b', 258, 986)
        """
        return self._head[_LENGTH_BYTES : self._topic_end].decode("utf-8", "replace")

    @property
    def to_acknowledge(self) -> int | None:
        """The number that the broker waits for, None where it waits for none."""
        if not self._at_least_once:
            return None
        end = self._topic_end
        return int.from_bytes(self._head[end : end + 2], "big")

    @property
    def _topic_end(self) -> int:
        return _LENGTH_BYTES + int.from_bytes(self._head[:_LENGTH_BYTES], "big")
