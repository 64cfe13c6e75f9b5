"""Answers rows that sensors publish: MQTT in, MQTT out, beside the local endpoint.

A message is answered at most once, in the order of arrival; while there is no connection nothing is
kept. No thread or socket of its own: whoever owns the link calls `step`.
"""

import logging
from collections import deque

import msgspec

from fleetloop_agent.errors import InputError, ModelError, NoModelError
from fleetloop_agent.sensor_config import SensorConfig
from fleetloop_agent.serving.named_rows import NamedRows
from fleetloop_agent.serving.payload import MOST_ROWS, read
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.status import SensorStatus
from fleetloop_agent.topic_pattern import ONE, REST, TopicFilter, TopicPattern
from fleetloop_shared.link import (
    Connected,
    Disconnected,
    Event,
    Link,
    Oversized,
    Received,
    SubscriptionRefused,
    Will,
)

QUEUE_BYTES = 4 * 1024 * 1024
"""Payload that waits for answers; beyond it the oldest is dropped and counted."""

ONE_STEP = 256
"""Messages that are answered in one step, so that an end is heard of in time."""

_OFFLINE = b'{"online":false}'
_ONLINE = b'{"online":true}'
_LONGEST_REASON = 500

_log = logging.getLogger(__name__)


def topics_of(
    config: SensorConfig | None, link: Link | None, predictor: Predictor
) -> "SensorTopics | None":
    """The topics that a device is told of, None where it is told of none."""
    return (
        SensorTopics(config, link, predictor) if config is not None and link is not None else None
    )


class SensorTopics:
    """The rows of one filter and their answers."""

    def __init__(self, config: SensorConfig, link: Link, predictor: Predictor) -> None:
        """Nothing is listened to before `start`.

        Args:
            config: Which topics.
            link: To the sensors' broker, not started.
            predictor: Who answers.
        """
        self._config = config
        self._link = link
        self._predictor = predictor
        self._named = NamedRows(predictor, MOST_ROWS)
        self._rows = TopicFilter(config.input)
        places = self._rows.places
        self._output = TopicPattern(config.output, places)
        self._refusals = TopicPattern(config.refusals, places) if config.refusals else None
        self._queue: deque[Received] = deque()
        self._queue_bytes = 0
        self._received = self._answered = self._refused = self._failed = 0
        self._dropped = self._unsent = self._ignored = self._too_long = 0
        self._warned_of: str | None = None
        self._trouble: str | None = None

    def start(self) -> None:
        """Begin to connect."""
        presence = self._config.presence
        self._link.start(Will(presence, _OFFLINE) if presence is not None else None)

    def stop(self) -> None:
        """Say goodbye and disconnect; what waits is not answered any more."""
        self._say_presence(_OFFLINE)
        self._link.stop()

    def wait(self, timeout_s: float) -> None:
        """Return when there is something to do, or after so many seconds."""
        if not self._queue:
            self._link.wait(timeout_s)

    def step(self) -> None:
        """Answer what has come, and take what comes meanwhile."""
        self._take()
        for _ in range(ONE_STEP):
            if not self._queue:
                return
            message = self._queue.popleft()
            self._queue_bytes -= len(message.payload)
            self._answer(message)
            self._take()

    @property
    def status(self) -> SensorStatus:
        """How it has gone since the start; may be asked in another thread."""
        return SensorStatus(
            connected=self._link.connected,
            received=self._received,
            answered=self._answered,
            refused=self._refused,
            failed=self._failed,
            dropped=self._dropped,
            too_long=self._too_long,
            unsent=self._unsent,
            ignored=self._ignored,
            waiting=len(self._queue),
            trouble=self._trouble,
        )

    def _take(self) -> None:
        for event in self._link.events():
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case Connected():
                self._link.subscribe(self._config.input, self._config.qos)
                self._say_presence(_ONLINE)
                _log.info("connected to the sensors' broker")
            case Received():
                self._received += 1
                self._enqueue(event)
            case Disconnected():
                self._fault(f"not connected to the sensors' broker: {event.reason}")
            case SubscriptionRefused():
                self._fault(f"the sensors' broker does not let this device read {event.filter}")
            case Oversized():
                self._pass_over(event)

    def _pass_over(self, event: Oversized) -> None:
        """Tell people once a topic; one that says so ten times a second must not fill the log."""
        self._too_long += 1
        self._trouble = event.text[:_LONGEST_REASON]
        again = event.topic is not None and event.topic == self._warned_of
        self._warned_of = event.topic
        _log.log(logging.DEBUG if again else logging.WARNING, "the sensors' broker: %s", event.text)

    def _enqueue(self, message: Received) -> None:
        stale = message.retained and not self._config.answer_retained
        if stale or not message.payload or self._rows.parts(message.topic) is None:
            self._ignored += 1
            return
        self._queue.append(message)
        self._queue_bytes += len(message.payload)
        while len(self._queue) > self._config.queue or self._queue_bytes > QUEUE_BYTES:
            self._queue_bytes -= len(self._queue.popleft().payload)
            self._dropped += 1

    def _answer(self, message: Received) -> None:
        parts = self._rows.parts(message.topic) or []
        manifest = self._predictor.manifest
        features = manifest.signature.features if manifest is not None else []
        try:
            given = read(message.payload, [feature.name for feature in features])
            key = parts[0] if parts else message.topic
            told = self._named.told(given.rows, many=given.many, key=key)
        except InputError as error:
            self._refused += 1
            self._refuse(message.topic, parts, str(error))
        except (ModelError, NoModelError) as error:
            self._failed += 1
            self._refuse(message.topic, parts, str(error))
        except Exception:  # noqa: BLE001  # the edge: one message must not end the others
            self._failed += 1
            _log.exception("a message on %s", message.topic[:120])
            self._refuse(message.topic, parts, "a fault; see the agent's log")
        else:
            sent = self._publish(self._output.at(parts), told)
            self._answered += sent
            self._unsent += not sent

    def _refuse(self, topic: str, parts: list[str], reason: str) -> None:
        self._trouble = f"{topic[:120]}: {reason[:_LONGEST_REASON]}"
        if self._refusals is not None:
            told = msgspec.json.encode({"error": reason[:_LONGEST_REASON], "topic": topic})
            self._publish(self._refusals.at(parts), told)

    def _publish(self, topic: str, payload: bytes) -> bool:
        """False also for a topic that an odd part has made one that nobody can write to."""
        if not topic or {ONE, REST} & set(topic):
            return False
        return self._link.publish(topic, payload, qos=self._config.qos)

    def _fault(self, text: str) -> None:
        self._trouble = text[:_LONGEST_REASON]
        _log.info("%s", text)

    def _say_presence(self, payload: bytes) -> None:
        if self._config.presence is not None:
            self._link.publish(self._config.presence, payload, qos=1, retained=True)
