"""Says once, durably and in words, what has happened on this device."""

import logging
from collections.abc import Callable

import msgspec

from fleetloop_agent.ports import Clock, Outbox
from fleetloop_shared.reports import EventKind, EventReport
from fleetloop_shared.topics import Topic

_log = logging.getLogger(__name__)


class Events:
    """The device's voice."""

    def __init__(self, device: str, clock: Clock, outbox: Outbox) -> None:
        """Speak for a device.

        Args:
            device: Its name.
            clock: When it is.
            outbox: Where reports wait for the hub.
        """
        self._device = device
        self._clock = clock
        self._outbox = outbox

    def say(
        self,
        kind: EventKind,
        text: str,
        *,
        version: int | None = None,
        artifact: str | None = None,
    ) -> None:
        """Report something; it is durable when this returns.

        Raises:
            DiskFullError: No room; nothing was kept.
        """
        build = self.build(kind, text, version=version, artifact=artifact)
        self._outbox.append(Topic.EVENTS, build)
        _log.info("%s", text)

    def refused(self, text: str, *, reason: str, topic: str | None, content: str) -> None:
        """Report something that came in and was not used; it is durable when this returns.

        Args:
            text: Why, in words.
            reason: The attack class.
            topic: Where it came in.
            content: What names it.

        Raises:
            DiskFullError: No room; nothing was kept.
        """
        plain = self.build(EventKind.REFUSED, text)

        def build(boot: int, seq: int) -> EventReport:
            named = {"reason": reason, "topic": topic, "content": content}
            return msgspec.structs.replace(plain(boot, seq), **named)

        self._outbox.append(Topic.EVENTS, build)
        _log.info("%s", text)

    def build(
        self,
        kind: EventKind,
        text: str,
        *,
        version: int | None = None,
        artifact: str | None = None,
    ) -> Callable[[int, int], EventReport]:
        """The same as `say`, for somebody who keeps it later: what makes the report."""
        at = self._clock.now()

        def build(boot: int, seq: int) -> EventReport:
            return EventReport(
                device=self._device,
                boot=boot,
                seq=seq,
                at=at,
                kind=kind,
                text=text,
                version=version,
                artifact=artifact,
            )

        return build
