"""Runs the hub as a process: web server, hub and broker started in order, and ended in order."""

import contextlib
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from fleetloop_hub.bootstrap import bootstrap
from fleetloop_hub.config import URL_FILE, HubConfig
from fleetloop_hub.web.admin_token import ADMIN_TOKEN_FILE, read_or_make
from fleetloop_hub.web.app import create_app
from fleetloop_hub.web.server import WebServer
from fleetloop_shared.durable import RealDisk, replace


def serve(config: HubConfig, say: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT.

    Args:
        config: Where and with what.
        say: Told in a line each where console and broker are.

    Raises:
        ConfigError: The HTTP address is taken, or the admin token cannot be read.
        BrokerError: The broker cannot be started.
        CatalogError: Another hub uses the state folder.
    """
    asked, stop = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    token = read_or_make(config.state_dir / ADMIN_TOKEN_FILE)
    with contextlib.ExitStack() as ending:
        server = WebServer(config.http_host, config.http_port)
        ending.callback(server.stop)
        running = bootstrap(config)
        ending.callback(running.close)
        server.start(create_app(running, token, config.http_host, config.anonymous))
        replace(RealDisk(config.state_dir), Path(URL_FILE), f"{server.url}\n".encode())
        say(f"console  {server.url}")
        say(f"broker   {running.actions.status()['broker']}")
        threading.Thread(target=_end, args=(asked, server, stop), daemon=True).start()
        ending.pop_all()
    running.run_forever(stop)


def _end(asked: threading.Event, server: WebServer, stop: threading.Event) -> None:
    """Once asked, end the web first, so that nobody is answered by a hub that is half closed."""
    asked.wait()
    server.stop()
    stop.set()
