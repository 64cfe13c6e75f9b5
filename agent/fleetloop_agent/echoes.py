"""Hears this device's own retained topics, and notices what it has not said itself."""

import math
from collections import Counter

from fleetloop_shared.errors import ImpersonationError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.link import Received

MEND_S = 1.0
"""How often this device says again what somebody else has written over."""


class Echoes:
    """What was said on this connection and has not come back; memory for one connection only."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._awaited: Counter[str] = Counter()
        self._last: dict[str, str] = {}
        self._belied, self._mended_at = False, -math.inf

    def connected(self) -> None:
        """What was on its way on the last connection does not come back on this one."""
        self._awaited.clear()
        self._last.clear()

    def said(self, topic: str, payload: bytes) -> None:
        """This device has published something retained."""
        name = sha256_hex(payload)
        self._awaited[f"{topic} {name}"] += 1
        self._last[topic] = name

    def check(self, message: Received) -> None:
        """Look at what has come on one of the own topics.

        Raises:
            ImpersonationError: It is not this device's last word, nor one on its way.
        """
        name = sha256_hex(message.payload)
        key = f"{message.topic} {name}"
        if self._awaited[key] > 0:
            self._awaited[key] -= 1
        elif not message.retained and self._last.get(message.topic, name) != name:
            self._belied = True
            raise ImpersonationError(
                "somebody else has said what this device is and runs; its own word was said again"
            )

    def must_repeat(self, now: float) -> bool:
        """Whether to say everything again now; asking counts as having done it.

        Args:
            now: Monotonic seconds.
        """
        due = self._belied and now - self._mended_at >= MEND_S
        if due:
            self._belied, self._mended_at = False, now
        return due
