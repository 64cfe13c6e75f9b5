"""Sends a notice as an e-mail over SMTP."""

import re
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

import msgspec

from fleetloop_hub.alert_records import Channel, Mail
from fleetloop_hub.notifying import addresses
from fleetloop_hub.notifying.cloud_event import CloudEvent
from fleetloop_hub.notifying.delivery import Delivery, DeliveryError

ACT_S = 15.0
"""One act on the connection may take so long."""
WHOLE_S = 60.0
"""All of it may take so long."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_LONGEST_SUBJECT = 150


def send(channel: Channel, delivery: Delivery) -> None:
    """Have the mail server of a channel take a notice.

    Raises:
        DeliveryError: It did not.
    """
    mail = channel.mail
    if mail is None:
        raise DeliveryError("this channel names no mail server: remove it and add it anew")
    letter = compose(mail, delivery)
    raw = addresses.connect(mail.host, mail.port, ACT_S, private=channel.private)
    try:
        with addresses.Deadline(raw, WHOLE_S) as deadline, _opened(mail, deadline) as server:
            if mail.username:
                server.login(mail.username, mail.password)
            server.send_message(letter)
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryError(
            f"{mail.host} does not take name and password of this channel ({error.smtp_code})"
        ) from error
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise DeliveryError(f"{mail.host} does not take the mail: {str(error)[:200]}") from error


def compose(mail: Mail, delivery: Delivery) -> EmailMessage:
    """The letter: a subject of one line, and what the alert says."""
    event = msgspec.json.decode(delivery.body, type=CloudEvent)
    alert = event.data
    letter = EmailMessage(policy=SMTP)
    subject = f"[fleetloop] {delivery.event}: {alert.kind} {alert.subject} ({alert.level})"
    letter["Subject"] = _line(subject)[:_LONGEST_SUBJECT]
    letter["From"], letter["To"] = mail.sender, ", ".join(mail.to)
    letter["Date"] = formatdate(delivery.made_at, usegmt=True)
    letter["Message-ID"] = f"<{_line(delivery.id)}@fleetloop>"
    letter["Auto-Submitted"] = "auto-generated"
    by = f" by {_line(alert.acknowledged_by)}" if alert.acknowledged_by else ""
    lines = [
        _line(alert.text),
        "",
        f"kind     {alert.kind}",
        f"about    {_line(alert.subject)}, {alert.count:,} concerned",
        f"level    {alert.level}",
        f"state    {alert.state}{by}",
        f"time     {event.time}",
        f"page     {_line(alert.page)} on the hub's console",
        f"command  fleetloop alerts show {alert.key}",
    ]
    letter.set_content("\n".join(lines) + "\n")
    return letter


def _line(text: str) -> str:
    """Text that stays on its line and is shown as it is."""
    return _CONTROL.sub(" ", text).strip()


def _opened(mail: Mail, deadline: addresses.Deadline) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if mail.security == "tls":
        deadline.socket = context.wrap_socket(
            deadline.socket, server_hostname=mail.host, do_handshake_on_connect=False
        )
        deadline.socket.do_handshake()
    server = _Smtp(deadline.socket, mail.host)
    if mail.security == "starttls":
        server.starttls(context=context)
        deadline.socket = server.sock or deadline.socket
    return server


class _Smtp(smtplib.SMTP):
    """Speaks over a connection that is there already."""

    def __init__(self, raw: socket.socket, host: str) -> None:
        self._raw = raw
        super().__init__(host, 1, timeout=ACT_S)
        self._host = host

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._raw
