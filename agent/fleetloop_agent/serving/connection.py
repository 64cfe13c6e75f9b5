"""One client of the local endpoint: requests in, responses out, in order, within limits."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from fleetloop_agent.http_config import HttpConfig
from fleetloop_agent.serving.http11 import Head, Heads, HttpError, Parser, as_bytes
from fleetloop_agent.serving.responses import Response, refusal
from fleetloop_agent.serving.routes import Routes

LINGER_S = 2.0
"""What a client still sends after its last response is thrown away for so long, so that it reads
the response before the connection is gone."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True)
class Clients:
    """All clients of one endpoint, and what holds for each of them.

    Attributes:
        routes: What is answered.
        limits: How many clients there may be, how much they may send, how slow they may be.
        now: The time in seconds, for their deadlines.
        heads: Reads the heads of their requests.
        connected: Their connections.
    """

    routes: Routes
    limits: HttpConfig
    now: Callable[[], float]
    heads: Heads = field(default_factory=Heads)
    connected: "set[Connection]" = field(default_factory=set)

    def sweep(self) -> None:
        """Show those out whose time is over; called a few times a second."""
        now = self.now()
        for connection in [c for c in self.connected if c.deadline <= now]:
            connection.end_overdue()


class Connection(asyncio.Protocol):
    """Serves one client; slow, greedy and garbled ones are told why and shown out."""

    def __init__(self, clients: Clients) -> None:
        """Wait for a client.

        Args:
            clients: All clients.
        """
        self.deadline = float("inf")
        self._clients = clients
        self._limits = clients.limits
        self._routes = clients.routes
        self._parser = Parser(clients.limits.max_body_bytes, clients.heads)
        self._transport: asyncio.Transport | None = None
        self._begun = False
        self._paused = False
        self._ended = False
        self._looked_at: Head | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("the local endpoint speaks over byte streams")
        self._transport = transport
        connected, most = self._clients.connected, self._limits.max_connections
        self._allow(self._limits.idle_s)
        connected.add(self)
        self._routes.counts.connections = len(connected)
        if len(connected) > 2 * most:
            self._drop()
        elif len(connected) > most:
            reason = (
                f"{most} connections are open; close one, keep one alive, or raise "
                "http.max_connections"
            )
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, reason)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._clients.connected.discard(self)
        self._routes.counts.connections = len(self._clients.connected)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if not self._ended:
            self._parser.feed(data)
            self._work()

    def pause_writing(self) -> None:
        """The client does not read: nothing more is answered or read before it does."""
        self._paused = True
        if self._transport is not None:
            self._transport.pause_reading()
        self._allow(self._limits.request_s)

    def resume_writing(self) -> None:
        """The client has read."""
        self._paused = False
        if self._transport is not None:
            self._transport.resume_reading()
        if not self._ended:
            self._allow(self._limits.idle_s)
            self._work()

    def abort(self) -> None:
        """Drop the client at once."""
        if self._transport is not None:
            self._transport.abort()

    def end_overdue(self) -> None:
        """The deadline has passed."""
        if self._begun and not (self._ended or self._paused):
            reason = f"the request was not whole after {self._limits.request_s:g} s"
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, reason)
        elif self._paused:
            self._drop()
        else:
            self.abort()

    def _work(self) -> None:
        while not (self._paused or self._ended):
            try:
                request = self._parser.next()
            except HttpError as error:
                self._refuse(error.status, error.reason)
                return
            if request is None:
                self._wait()
                return
            self._begun = False
            self._respond(self._routes.answer(request), request.head)
            if not self._parser.begun:
                break
        if not (self._paused or self._ended):
            self._allow(self._limits.idle_s)

    def _wait(self) -> None:
        """Nothing can be answered before more has come."""
        if not self._begun and self._parser.begun:
            self._begun = True
            self._allow(self._limits.request_s)
        head = self._parser.waiting
        if head is None or head is self._looked_at:
            return
        self._looked_at = head
        refused = self._routes.refusal(head)
        if refused is not None:
            self._say(refused, keep_alive=False)
            self._end()
        elif head.expects_continue:
            self._write(_CONTINUE)

    def _respond(self, answered: Response, head: Head) -> None:
        self._looked_at = None
        if head.keep_alive and head.method != "HEAD":
            self._write(as_bytes(answered, keep_alive=True))
            return
        with_body = head.method != "HEAD"
        self._write(as_bytes(answered, keep_alive=head.keep_alive, with_body=with_body))
        if not head.keep_alive:
            self._end()

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._routes.counts.note(status)
        self._say(refusal(status, reason), keep_alive=False)
        self._end()

    def _say(self, response: Response, *, keep_alive: bool) -> None:
        self._write(as_bytes(response, keep_alive=keep_alive))

    def _drop(self) -> None:
        self._ended = True
        self._routes.counts.dropped += 1
        self.abort()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _end(self) -> None:
        self._ended = True
        self._allow(LINGER_S)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._transport.write_eof()

    def _allow(self, seconds: float) -> None:
        self.deadline = self._clients.now() + seconds
