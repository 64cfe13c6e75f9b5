"""Receivers of notices: HTTP servers that take, refuse, redirect, drip or never answer; SMTP."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from aiosmtpd.smtp import AuthResult, LoginPassword
from msgspec.structs import replace

from fleetloop_hub.alert_records import AlertEvent, AlertLevel, Channel, ChannelKind, Mail
from fleetloop_hub.notifying.cloud_event import Notice, notice_of
from fleetloop_hub.notifying.delivery import Delivery
from support.alerted import an_alert
from support.hubrecords import START

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Posted:
    """What a receiver was sent."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server, and what it got."""

    url: str
    got: list[Posted] = field(default_factory=list)


@contextlib.contextmanager
def receiver(
    status: int = 204, *, context: ssl.SSLContext | None = None, location: str = ""
) -> Iterator[Receiver]:
    """A receiver that answers each POST with a status."""
    got: list[Posted] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            told = {name.lower(): value for name, value in self.headers.items()}
            got.append(Posted(self.path, told, self.rfile.read(length)))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a refused handshake
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        scheme = "http" if context is None else "https"
        yield Receiver(f"{scheme}://127.0.0.1:{server.server_port}/hook?team=a", got)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def silent_receiver(say: Callable[[socket.socket], None] = lambda _: None) -> Iterator[str]:
    """A receiver that takes connections and says what it is told to say, or nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                taken.append(connection)
                say(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            for connection in taken:
                connection.close()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


class _Kept(MessageHandler):
    def __init__(self) -> None:
        super().__init__()
        self.letters: list[Message] = []

    def handle_message(self, message: Message) -> None:
        self.letters.append(message)


@dataclass
class MailServer:
    """An SMTP server, and what it got."""

    port: int
    letters: list[Message]


@contextlib.contextmanager
def mail_server(
    context: ssl.SSLContext | None = None, *, login: tuple[str, str] | None = None
) -> Iterator[MailServer]:
    """A mail server, with STARTTLS and a login where they are given."""

    def knows(*asked: object) -> AuthResult:
        given = asked[-1]
        assert isinstance(given, LoginPassword)
        right = login is not None and (given.login.decode(), given.password.decode()) == login
        return AuthResult(success=right, handled=right)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    kept = _Kept()
    controller = Controller(
        kept,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=context is not None,
        authenticator=knows,
        auth_required=login is not None,
        auth_require_tls=context is not None,
    )
    controller.start()
    try:
        yield MailServer(port, kept.letters)
    finally:
        controller.stop()


def a_webhook(url: str, name: str = "ops", *, private: bool = True) -> Channel:
    return Channel(
        key=name,
        kind=ChannelKind.WEBHOOK,
        made_at=START,
        by="ann",
        level=AlertLevel.WARN,
        private=private,
        url=url,
        secret=SECRET,
    )


def an_email(port: int, security: str = "none", username: str = "", password: str = "") -> Channel:
    mail = Mail(
        host="127.0.0.1",
        port=port,
        security=security,
        sender="hub@example.org",
        to=["ann@example.org", "bob@example.org"],
        username=username,
        password=password,
    )
    return Channel(
        key="mail", kind=ChannelKind.EMAIL, made_at=START, by="ann", private=True, mail=mail
    )


def a_notice(subject: str = "rain") -> Notice:
    return notice_of(replace(an_alert(subject), owed=AlertEvent.OPENED, owed_at=START))


def a_delivery(channel: str = "ops") -> Delivery:
    notice = a_notice()
    return Delivery(notice.id, channel, notice.event, notice.body, START, START)
