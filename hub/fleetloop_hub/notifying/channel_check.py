"""What a channel must be like, so that it can work and does no harm."""

import re
from urllib.parse import urlsplit

from fleetloop_hub.alert_records import AlertKind, Channel, ChannelKind, Mail
from fleetloop_hub.errors import AlertError
from fleetloop_hub.notifying import signing
from fleetloop_hub.notifying.alert_topics import BRIDGE
from fleetloop_shared.ids import check_name

MOST_RECEIVERS = 20
_LONGEST = 2_000
_MOST_PORT = 65_535
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?")
_MAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
)
_SECURITY = ("tls", "starttls", "none")
_PRINTED = re.compile(r"[!-~]*")


def check(channel: Channel) -> None:
    """See that a channel can work.

    Raises:
        AlertError: It cannot; the text says what to write instead. It holds no secret.
        InvalidIdError: Its name is none.
    """
    check_name(channel.key, "channel")
    if len(channel.kinds) > len(AlertKind):
        raise AlertError("name each kind of alert once")
    if (channel.kind is ChannelKind.MQTT) != (channel.key == BRIDGE):
        raise AlertError(
            f"the one bridge to MQTT is called {BRIDGE}: remove it to switch it off, add it to "
            "switch it on; other kinds take other names"
        )
    if channel.kind is ChannelKind.WEBHOOK:
        _webhook(channel)
    if channel.kind is ChannelKind.EMAIL:
        _mail(channel.mail)


def _webhook(channel: Channel) -> None:
    if not 0 < len(channel.url) <= _LONGEST or _PRINTED.fullmatch(channel.url) is None:
        raise AlertError(f"the address of a webhook is 1 to {_LONGEST:,} visible ASCII characters")
    try:
        parts = urlsplit(channel.url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AlertError(f"the address of the webhook is none ({error})") from error
    allowed = ("https", "http") if channel.private else ("https",)
    if parts.scheme not in allowed or _HOST.fullmatch(host) is None or port == 0:
        raise AlertError(
            "write the address of a webhook as https://HOST/PATH (http only with private, for a "
            "receiver in a network of your own)"
        )
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AlertError("no name, password or fragment in a webhook's address: it is signed")
    if signing.key_in(channel.secret) is None:
        raise AlertError(
            'a webhook\'s secret is "whsec_" and base64 of 24 to 64 bytes: leave it out, and one '
            "is made"
        )


def _mail(mail: Mail | None) -> None:
    if mail is None:
        raise AlertError("say how e-mail is sent: host, port, security, sender, to")
    if _HOST.fullmatch(mail.host) is None or not 0 < mail.port <= _MOST_PORT:
        raise AlertError("name the SMTP server by host and port, such as mail.example.org and 587")
    if mail.security not in _SECURITY:
        raise AlertError(f"security of e-mail is one of: {', '.join(_SECURITY)}")
    if not 0 < len(mail.to) <= MOST_RECEIVERS:
        raise AlertError(f"e-mail goes to 1 to {MOST_RECEIVERS} addresses")
    for address in (mail.sender, *mail.to):
        if _MAIL.fullmatch(address) is None:
            raise AlertError(f"{address[:80]!r} is no e-mail address: write NAME@HOST")
    if mail.username and mail.security == "none":
        raise AlertError("name and password are sent over tls or starttls only")
    if len(mail.username) > _LONGEST or len(mail.password) > _LONGEST:
        raise AlertError(f"name and password of e-mail are {_LONGEST:,} characters at most")
