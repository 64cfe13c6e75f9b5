"""The local HTTP endpoint: an event loop in a thread of its own, for programs on this device."""

import asyncio
import socket
import threading

from fleetloop_agent.errors import ConfigError
from fleetloop_agent.serving.connection import Connection
from fleetloop_agent.serving.routes import Routes

_BACKLOG = 64


class LocalApi:
    """Listens from `start` to `stop`, once."""

    def __init__(self, routes: Routes, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Nothing listens yet.

        Args:
            routes: What is answered.
            host: Where to listen; loopback unless told otherwise.
            port: 0 takes any free port.
        """
        self._routes = routes
        self._host = host
        self._port = port
        self._address = ""
        self._connections: set[Connection] = set()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Server, threading.Thread] | None
        self._running = None

    @property
    def address(self) -> str:
        """Where it listens: `http://host:port`, "" before `start`."""
        return self._address

    def start(self) -> None:
        """Listen; returns when connections are accepted.

        Raises:
            ConfigError: The address cannot be had.
        """
        listener = self._listen()
        host, port = listener.getsockname()[:2]
        self._address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(
            loop.create_server(
                lambda: Connection(self._routes, self._connections, loop),
                sock=listener,
                backlog=_BACKLOG,
            )
        )
        thread = threading.Thread(target=loop.run_forever, name="local-api", daemon=True)
        thread.start()
        self._running = loop, server, thread

    def stop(self) -> None:
        """Close every connection and end the thread; no error if nothing runs."""
        if self._running is None:
            return
        loop, server, thread = self._running
        self._running = None
        asyncio.run_coroutine_threadsafe(self._close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    async def _close(self, server: asyncio.Server) -> None:
        server.close()
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)
        await server.wait_closed()

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            return socket.create_server((self._host, self._port), family=family, backlog=_BACKLOG)
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"the local endpoint cannot listen on {self._host} port {self._port}: {error}; "
                "change http.host or http.port in the agent's config"
            ) from error
