"""One client of the local endpoint: requests in, responses out, in order, within limits."""

import asyncio
from http import HTTPStatus

from fleetloop_agent.serving.http11 import Head, HttpError, Parser, response
from fleetloop_agent.serving.routes import Response, Routes, refusal

MAX_CONNECTIONS = 64
IDLE_S = 30.0
"""A connection on which nothing is asked is closed after so long."""

REQUEST_S = 10.0
"""A request that has begun must be whole after so long, and its response read."""

LINGER_S = 2.0
"""What a client still sends after its last response is thrown away for so long, so that it reads
the response before the connection is gone."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """Serves one client; slow, greedy and garbled ones are told why and shown out."""

    def __init__(
        self,
        routes: Routes,
        connections: "set[Connection]",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Wait for a client.

        Args:
            routes: What is answered.
            connections: All that are open.
            loop: Whose clock is used.
        """
        self._routes = routes
        self._connections = connections
        self._loop = loop
        self._parser = Parser()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._begun = False
        self._paused = False
        self._ended = False
        self._continued: Head | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("the local endpoint speaks over byte streams")
        self._transport = transport
        self._allow(IDLE_S)
        self._connections.add(self)
        if len(self._connections) > MAX_CONNECTIONS:
            reason = f"{MAX_CONNECTIONS} connections are open; close one, or keep one alive"
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, reason)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()

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
        self._allow(REQUEST_S)

    def resume_writing(self) -> None:
        """The client has read."""
        self._paused = False
        if self._transport is not None:
            self._transport.resume_reading()
        if not self._ended:
            self._allow(IDLE_S)
            self._work()

    def abort(self) -> None:
        """Drop the client at once."""
        if self._transport is not None:
            self._transport.abort()

    def _work(self) -> None:
        while not (self._paused or self._ended):
            try:
                request = self._parser.next()
            except HttpError as error:
                self._refuse(error.status, error.reason)
                return
            if request is None:
                break
            self._begun = False
            self._respond(self._routes.answer(request), request.head)
        if not (self._paused or self._ended):
            self._wait()

    def _wait(self) -> None:
        """Nothing can be answered before more has come."""
        if not self._parser.begun:
            self._allow(IDLE_S)
        elif not self._begun:
            self._begun = True
            self._allow(REQUEST_S)
        head = self._parser.waiting
        if head is not None and head.expects_continue and head is not self._continued:
            self._continued = head
            self._write(_CONTINUE)

    def _respond(self, answered: Response, head: Head) -> None:
        self._write(
            response(
                answered.status,
                answered.body,
                keep_alive=head.keep_alive,
                headers=answered.headers,
                with_body=head.method != "HEAD",
            )
        )
        if not head.keep_alive:
            self._end()

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._write(response(status, refusal(status, reason).body, keep_alive=False))
        self._end()

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
        self._deadline = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._deadline:
            self._watch()

    def _watch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        """A deadline may have passed."""
        if self._loop.time() < self._deadline:
            self._watch()
        elif self._begun and not (self._ended or self._paused):
            reason = f"the request was not whole after {REQUEST_S:.0f} s"
            self._timer = None
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, reason)
        else:
            self.abort()
