"""The MQTT bridge: every alert that stands lies retained on a topic of its own, until it is over.

It is stepped by the hub, which owns the link: a step says what has changed since the last one, and
costs a look at a counter if nothing has.
"""

from collections.abc import Callable

from fleetloop_hub.alert_records import Alert, Channel
from fleetloop_hub.notifying.message import message_of
from fleetloop_hub.ports import Catalog
from fleetloop_shared.codec import encode
from fleetloop_shared.topics import Topic

BRIDGE = "broker"
"""The name of the channel that is the bridge; there is one from the first start on."""
MOST_AT_ONCE = 50
"""Messages said in one step."""

Say = Callable[[str, bytes], bool]
"""Hands a retained message over (topic, payload); False if that was not possible now."""


class AlertTopics:
    """What was said of alerts on this connection; for one thread at a time."""

    def __init__(self, catalog: Catalog) -> None:
        """Nothing was said yet."""
        self._catalog = catalog
        self._said: dict[str, bytes | None] = {}
        self._revision: int | None = None

    def again(self) -> None:
        """The broker may have lost what was said, and may have missed what was cleared."""
        self._said = dict.fromkeys(self._said)
        self._revision = None

    def pump(self, say: Say) -> None:
        """Say what has changed; what cannot be said now is said by a later call."""
        revision = self._catalog.revision(Alert, Channel)
        if revision == self._revision:
            return
        wanted = self._wanted()
        due = [t for t in {**self._said, **wanted} if self._said.get(t, b"") != wanted.get(t, b"")]
        for topic in due[:MOST_AT_ONCE]:
            payload = wanted.get(topic, b"")
            if not say(topic, payload):
                return
            self._said[topic] = payload
        if len(due) <= MOST_AT_ONCE:
            self._said = {topic: payload for topic, payload in self._said.items() if payload}
            self._revision = revision

    def _wanted(self) -> dict[str, bytes]:
        bridge = self._catalog.find(Channel, BRIDGE)
        if bridge is None:
            return {}
        return {
            Topic.ALERT.at(kind=alert.kind, key=alert.key): encode(message_of(alert))
            for alert in self._catalog.all(Alert)
            if alert.stands and bridge.hears(alert)
        }
