"""The local HTTP endpoint: an event loop in a thread of its own, for programs on this device."""

import asyncio
import ipaddress
import logging
import os
import socket
import threading
from pathlib import Path
from typing import Any

from fleetloop_agent.errors import ConfigError
from fleetloop_agent.http_config import HttpConfig
from fleetloop_agent.serving.connection import Clients, Connection
from fleetloop_agent.serving.routes import Routes

SWEEP_S = 0.25
"""How often is looked for clients whose time is over."""

_BACKLOG = 128
"""Clients that the system lets wait until they are let in."""

_AT_ONCE = 16
"""Clients let in at once, so that a crowd is counted before it has taken every open file."""

_SOCKET_MODE = 0o660
_log = logging.getLogger(__name__)


class LocalApi:
    """Listens from `start` to `stop`, once."""

    def __init__(self, routes: Routes, config: HttpConfig) -> None:
        """Nothing listens yet.

        Args:
            routes: What is answered.
            config: Where it listens, and its limits.
        """
        self._routes = routes
        self._config = config
        self._address = ""
        self._clients: Clients | None = None
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Server, threading.Thread] | None
        self._running = None

    @property
    def address(self) -> str:
        """Where it listens: `http://host:port` or `unix:/path`, "" before `start`."""
        return self._address

    def start(self) -> None:
        """Listen; returns when connections are accepted.

        Raises:
            ConfigError: The address cannot be had, or needs a token.
        """
        path = self._config.unix_socket
        listener = self._listen() if path is None else self._listen_on_path(path)
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(self._note_fault)
        clients = Clients(self._routes, self._config, loop.time)
        server = loop.run_until_complete(_serve(loop, clients, listener))
        thread = threading.Thread(target=loop.run_forever, name="local-api", daemon=True)
        self._clients, self._running = clients, (loop, server, thread)
        loop.call_soon(self._sweep)
        thread.start()

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
        if self._config.unix_socket is not None:
            self._config.unix_socket.unlink(missing_ok=True)

    async def _close(self, server: asyncio.Server) -> None:
        for _ in range(2):  # one poll more, and what it finds: who is coming in is let in
            await asyncio.sleep(0)
        for listener in server.sockets:  # and then shown out
            asyncio.get_running_loop().remove_reader(listener.fileno())
        coming_in = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*coming_in, return_exceptions=True)
        server.close()
        for connection in list(self._clients.connected) if self._clients else []:
            connection.abort()
        await asyncio.sleep(0)
        await server.wait_closed()

    def _sweep(self) -> None:
        if self._running is not None and self._clients is not None:
            self._clients.sweep()
            self._running[0].call_later(SWEEP_S, self._sweep)

    def _note_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A client that could not be let in is counted, and said once; anything else is a fault."""
        if not isinstance(context.get("exception"), OSError):
            loop.default_exception_handler(context)
            return
        if not self._routes.counts.shut_out:
            _log.warning("clients cannot be let in: %s; others are served", context["exception"])
        self._routes.counts.shut_out += 1

    def _listen(self) -> socket.socket:
        host, port = self._config.host, self._config.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"the local endpoint cannot listen on {host} port {port}: {error}; "
                "change http.host or http.port in the agent's config"
            ) from error
        bound, bound_port = listener.getsockname()[:2]
        if self._config.token is None and not ipaddress.ip_address(bound).is_loopback:
            listener.close()
            raise ConfigError(
                f"the local endpoint would answer everybody who reaches {host}; nothing listens: "
                "write http.token or http.token_file, or keep http.host = 127.0.0.1"
            )
        self._address = f"http://[{bound}]" if ":" in bound else f"http://{bound}"
        self._address += f":{bound_port}"
        return listener

    def _listen_on_path(self, path: Path) -> socket.socket:
        """A Unix socket for the agent's user and group; one that a dead agent left is replaced."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if path.is_socket() and not _answers(path):
                path.unlink()
            os.fchmod(listener.fileno(), _SOCKET_MODE)  # so it is never open to others
            listener.bind(str(path))
            path.chmod(_SOCKET_MODE)
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            raise ConfigError(
                f"the local endpoint cannot listen on {path}: {error}; "
                "change http.unix_socket in the agent's config"
            ) from error
        self._address = f"unix:{path}"
        return listener


async def _serve(
    loop: asyncio.AbstractEventLoop, clients: Clients, listener: socket.socket
) -> asyncio.Server:
    listener.settimeout(0)

    def connected() -> Connection:
        return Connection(clients)

    create = loop.create_unix_server if listener.family == socket.AF_UNIX else loop.create_server
    server = await create(connected, sock=listener, backlog=_AT_ONCE)
    listener.listen(_BACKLOG)
    return server


def _answers(path: Path) -> bool:
    """Whether somebody listens on a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
        return knocking.connect_ex(str(path)) == 0
