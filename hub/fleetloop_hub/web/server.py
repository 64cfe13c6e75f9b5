"""Serves the web application from a thread of its own, with waitress."""

import contextlib
import socket
import threading

from flask import Flask
from waitress import create_server  # type: ignore[import-untyped]  # waitress ships no types
from waitress.wasyncore import close_all  # type: ignore[import-untyped]  # the same

from fleetloop_hub.errors import ConfigError
from fleetloop_hub.web.changes import CHANGES, MOST_STREAMS, Changes

_THREADS = 8
_MOST_CONNECTIONS = 1_000
_BACKLOG = 128
_MAX_BODY_BYTES = 2_097_152
_STOP_S = 5.0


class WebServer:
    """An HTTP server that can be started, asked for its address, and stopped."""

    def __init__(self, host: str, port: int) -> None:
        """Take the address, so that whoever comes second learns it before anything is started.

        Args:
            host: Name or address to listen on.
            port: The port; 0 takes a free one.

        Raises:
            ConfigError: The address cannot be taken.
        """
        try:
            self._socket = _bound(host, port)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {host}:{port} ({error}): choose another with --http HOST:PORT"
            ) from error
        self._host = host
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the console is, as a browser wants it."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._socket.getsockname()[1]}"

    def start(self, app: Flask, proxy: str = "") -> None:
        """Answer requests from now on.

        Args:
            app: Who answers.
            proxy: The address of a proxy before it, "" for none: of what this one sends, and of
                nobody else's, X-Forwarded-For says where a request comes from.
        """
        self._changes: Changes = app.extensions[CHANGES]
        self._server = create_server(
            app,
            sockets=[self._socket],
            threads=_THREADS + MOST_STREAMS,  # a stream holds its thread, which waits
            connection_limit=_MOST_CONNECTIONS,
            asyncore_use_poll=True,  # select() ends at 1,024 descriptors
            backlog=_BACKLOG,
            ident="fleetloop",
            **_behind(proxy),
            max_request_body_size=_MAX_BODY_BYTES,
        )
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let running requests end, then give the address back."""
        if self._thread is None:
            self._socket.close()
            return
        if not self._thread.is_alive():
            return
        self._changes.stop()
        self._server.task_dispatcher.shutdown(timeout=_STOP_S)
        sockets = self._server._map  # noqa: SLF001  # waitress offers no other way to end its loop
        with contextlib.suppress(OSError):  # a request that ends now may have woken it before us
            self._server.trigger.pull_trigger(lambda: close_all(sockets, ignore_all=True))
        self._thread.join(_STOP_S)


def _behind(proxy: str) -> dict[str, object]:
    """Settings of the server that believe a proxy, and nobody else, where requests come from."""
    if not proxy:
        return {"clear_untrusted_proxy_headers": True}
    return {
        "trusted_proxy": proxy,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for"},
        "clear_untrusted_proxy_headers": True,
    }


def _bound(host: str, port: int) -> socket.socket:
    family, kind, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound
