"""One MQTT connection over paho-mqtt, from its connect to its end.

How paho is used, and why. A *new* paho client for every connection, stepped by the link's own
thread through paho's calls for foreign event loops (`loop_read`, `loop_write`, `loop_misc`). So
nothing of an old connection is sent again on a new one, the wait before each attempt is the link's
(paho's has no jitter), and an exception costs one connection instead of paho's thread, after
which `is_connected()` stays true. paho's own `loop()` would do the same with `select()`, which
cannot see file descriptors over 1,023.

A subscription at QoS 1 is made a second time after a second. NATS delivers a retained message to
those who are there a millisecond before it keeps it for those who come: who subscribes in between
(as a whole fleet does after a restart of the broker) would not hear of it. Asked again, a broker
sends what it keeps again.
"""

import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from fleetloop_shared.broker_access import Access
from fleetloop_shared.in_flight import MESSAGES, InFlight
from fleetloop_shared.link import (
    Connected,
    Event,
    Oversized,
    Received,
    SubscriptionRefused,
    Will,
)
from fleetloop_shared.mqtt_level import Level
from fleetloop_shared.mqtt_properties import properties_of
from fleetloop_shared.paho_client import (
    TidySocket,
    TooLongError,
    WaryClient,
    send_small_packets_at_once,
)

_KEEPALIVE_S = 30
_FAREWELL_S = 1.0
_ASK_AGAIN_S = 1.0
_REFUSED_AGAIN_S = 10.0


class Connection:
    """One paho client, from its connect to its end."""

    def __init__(
        self,
        access: Access,
        level: Level,
        will: Will | None,
        note: Callable[[Event], None],
        count: Callable[[], int],
    ) -> None:
        self.accepted = self.answered = self.opened = self.refused_level = False
        self.number = 0
        self._access = access
        self._level = level
        self._note = note
        self._count = count
        self._reason = "the connection was closed"
        self._in_flight = InFlight()
        self._filters: dict[int, tuple[str, int]] = {}
        self._to_repeat: dict[str, tuple[float, int]] = {}
        self._sending = threading.Lock()
        self._waker, self._woken = socket.socketpair()
        self._waker.settimeout(0)
        self._woken.settimeout(0)
        self._client = self._make_client(will)

    def _make_client(self, will: Will | None) -> WaryClient:
        client = WaryClient(
            CallbackAPIVersion.VERSION2,
            client_id=self._access.client_id,
            clean_session=None if self._level.five else True,  # at 5, a first connect starts clean
            protocol=self._level.protocol,
            reconnect_on_failure=False,
        )
        client.max_packet_bytes = self._access.max_packet_bytes
        client.on_passed_over = self._on_passed_over if self._access.passes_over else None
        if self._access.username:
            client.username_pw_set(self._access.username, self._access.password)
        client.max_inflight_messages_set(MESSAGES)
        if will is not None:
            client.will_set(will.topic, will.payload, will.qos, will.retained)
        if self._access.endpoint.tls:
            context = ssl.create_default_context(cafile=self._access.ca_file)
            context.sslsocket_class = TidySocket
            client.tls_set_context(context)
        client.on_socket_open = send_small_packets_at_once
        client.on_socket_register_write = lambda *_: self.wake()
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        return client

    @property
    def backlog_bytes(self) -> int:
        """Payload that has been handed over and has not come back."""
        with self._sending:
            return self._in_flight.size_bytes

    def serve(self, stopping: threading.Event) -> str:
        """Connect, and move bytes until the connection ends or `stopping` is set."""
        try:
            to = self._access.endpoint
            self._client.connect(to.host, to.port, _KEEPALIVE_S)
            self.opened = True
            with selectors.DefaultSelector() as selector:
                selector.register(self._woken, selectors.EVENT_READ)
                while not stopping.is_set():
                    if not self._step(selector):
                        return self._reason
                    self._ask_again()
                self._say_goodbye(selector)
        finally:
            self.accepted = False
            if (sock := self._client.socket()) is not None:
                sock.close()
            self._waker.close()
            self._woken.close()
        return self._reason

    def _step(self, selector: selectors.BaseSelector) -> bool:
        """Wait for something to do, a second at most, and do it; False if the connection ended."""
        sock = self._client.socket()
        if not isinstance(sock, socket.socket):
            return False
        self._listen(selector, sock)
        unread = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        ready = {key.fd: mask for key, mask in selector.select(0.0 if unread else 1.0)}
        if self._woken.fileno() in ready:
            with suppress(BlockingIOError):
                self._woken.recv(4096)
        mask = ready.get(sock.fileno(), 0)
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        if unread or mask & selectors.EVENT_READ:
            try:
                code = self._client.loop_read()
            except TooLongError as error:
                self._note(Oversized(error.announced_bytes, self._access.max_packet_bytes))
                self._reason = "a packet longer than any of ours was announced"
                return False
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS and mask & selectors.EVENT_WRITE:
            code = self._client.loop_write()
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS:
            code = self._client.loop_misc()
        if code not in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_CONN_REFUSED}:
            self._reason = paho.error_string(code)
        return code == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _listen(self, selector: selectors.BaseSelector, sock: socket.socket) -> None:
        wanted = selectors.EVENT_READ
        if self._client.want_write():
            wanted |= selectors.EVENT_WRITE
        key = selector.get_map().get(sock)
        if key is None:
            selector.register(sock, wanted)
        elif key.events != wanted:
            selector.modify(sock, wanted)

    def _say_goodbye(self, selector: selectors.BaseSelector) -> None:
        """Send what is queued and then DISCONNECT, so that the will is not published."""
        self._client.disconnect()
        deadline = time.monotonic() + _FAREWELL_S
        while time.monotonic() < deadline and self._step(selector):
            pass

    def wake(self) -> None:
        """Have the network thread look again."""
        with suppress(OSError):  # it is full, and so awake; or the connection has just ended
            self._waker.send(b"\0")

    def publish(self, topic: str, payload: bytes, qos: int, retained: bool) -> bool:  # noqa: FBT001 - as at the port, which names it
        with self._sending:
            if not self._in_flight.has_room(len(payload)):
                return False
            said = (
                properties_of(topic, payload, self._access.describe) if self._level.five else None
            )
            info = self._client.publish(topic, payload, qos, retained, said)
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return False
            self._in_flight.add(info.mid, len(payload))
            return True

    def subscribe(self, filter_: str, qos: int) -> None:
        with self._sending:
            self._ask(filter_, qos)
            if qos > 0:
                self._to_repeat[filter_] = (time.monotonic() + _ASK_AGAIN_S, qos)

    def _ask(self, filter_: str, qos: int) -> None:
        _, mid = self._client.subscribe(filter_, qos)
        if mid is not None:
            self._filters[mid] = (filter_, qos)

    def unsubscribe(self, filter_: str) -> None:
        with self._sending:
            self._to_repeat.pop(filter_, None)
            self._client.unsubscribe(filter_)

    def _ask_again(self) -> None:
        now = time.monotonic()
        with self._sending:
            due = [(f, qos) for f, (at, qos) in self._to_repeat.items() if at <= now]
            for filter_, qos in due:
                del self._to_repeat[filter_]
                self._ask(filter_, qos)

    def _on_connect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self.answered = True
        if reason.is_failure:
            self._reason = f"the broker refused us: {reason}"
            self.refused_level = reason == "Unsupported protocol version"
            return
        self._level.accepted()
        self._client.heed(properties)
        self.number = self._count()
        self.accepted = True
        self._note(Connected(self.number))

    def _on_message(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # somebody's topic that is no text cannot be one of ours
        self._note(Received(topic, bytes(message.payload), message.retain))

    def _on_passed_over(self, announced_bytes: int, topic: str) -> None:
        self._note(Oversized(announced_bytes, self._access.max_packet_bytes, topic))

    def _on_publish(
        self,
        client: paho.Client,
        userdata: object,
        mid: int,
        reason: ReasonCode,
        properties: Properties,
    ) -> None:
        self._in_flight.came_back(mid)

    def _on_subscribe(
        self,
        client: paho.Client,
        userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties,
    ) -> None:
        with self._sending:  # until subscribe() has noted which filter this is
            asked = self._filters.pop(mid, None)
            if asked is None or not any(reason.is_failure for reason in reasons):
                return
            filter_, qos = asked
            # A broker that is busy starting refuses what it will grant a moment later.
            self._to_repeat[filter_] = (time.monotonic() + _REFUSED_AGAIN_S, qos)
        self._note(SubscriptionRefused(filter_))
