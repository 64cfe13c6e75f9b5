"""Runs the hub as a process: web server, hub and broker started in order, and ended in order."""

import contextlib
import gc
import secrets
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fleetloop_hub.bootstrap import bootstrap
from fleetloop_hub.config import URL_FILE, HubConfig
from fleetloop_hub.fleet_records import Discovery
from fleetloop_hub.people.accounts import FIRST, Accounts
from fleetloop_hub.web.admin_token import ADMIN_TOKEN_FILE, read_or_make
from fleetloop_hub.web.app import Reached, create_app
from fleetloop_hub.web.server import WebServer
from fleetloop_shared.durable import RealDisk, replace

_SESSION_KEY = Path("keys") / "session.key"

_COLLECT = 20_000, 10, 1_000
"""Objects that come before cycles are looked for, and how seldom among those that have stayed: what
is known of thousands of devices stays, and to walk through it takes longer than to answer."""


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
    gc.set_threshold(*_COLLECT)
    asked, stop = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    token = read_or_make(config.state_dir / ADMIN_TOKEN_FILE)
    with contextlib.ExitStack() as ending:
        server = WebServer(config.http_host, config.http_port)
        ending.callback(server.stop)
        running = bootstrap(config)
        ending.callback(running.close)
        proxy = config.proxy if config.url else ""
        reached = Reached(_session_key(config.state_dir), config.url, config.provider)
        server.start(create_app(running, token, config.http_host, config.anonymous, reached), proxy)
        replace(RealDisk(config.state_dir), Path(URL_FILE), f"{server.url}\n".encode())
        say(f"console  {server.url}")
        say(f"broker   {running.actions.status()['broker']}")
        if password := Accounts(running.catalog, time.time).begin():
            say(f"admin    sign in as {FIRST} with the one-time password {password}")
        if (told := running.catalog.find(Discovery, Discovery.KEY)) and told.prefix:
            kept = Path("keys") / "home-assistant.password"
            replace(RealDisk(config.state_dir), kept, f"{told.password}\n".encode())
            say(f"home     Home Assistant signs in to the broker as {told.key}, password in {kept}")
        threading.Thread(target=_end, args=(asked, server, stop), daemon=True).start()
        ending.pop_all()
    running.run_forever(stop)


def _end(asked: threading.Event, server: WebServer, stop: threading.Event) -> None:
    """Once asked, end the web first, so that nobody is answered by a hub that is half closed."""
    asked.wait()
    server.stop()
    stop.set()


def _session_key(state_dir: Path) -> bytes:
    """What session cookies are signed with: made at the first start, kept beside the other keys."""
    disk = RealDisk(state_dir)
    with contextlib.suppress(FileNotFoundError):
        return disk.read(_SESSION_KEY)
    key = secrets.token_bytes(32)
    replace(disk, _SESSION_KEY, key)
    return key
