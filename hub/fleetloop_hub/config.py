"""Where a hub keeps its state, where it listens, and which broker it uses."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from fleetloop_hub.errors import ConfigError
from fleetloop_hub.people_records import Role

DEFAULT_DIR = Path(".state/hub")
DEFAULT_URL = "http://127.0.0.1:8080"
URL_FILE = "hub.url"
"""Below the state folder: where the console of the running hub is."""

_EMBEDDED = frozenset({"nats", "mosquitto"})
_URL = re.compile(r"mqtts?://[^/\s]+")
_PREFIX = re.compile(r"(?!fleetloop$)[A-Za-z0-9_-]{1,64}")
_ISSUER = re.compile(r"https://[^\s?#]+|http://(?:localhost|127\.0\.0\.1)(?::\d+)?(?:/[^\s?#]*)?")
_MAX_PORT = 65_535
DAY_S = 86_400.0
_SLACK_S = 60.0


@dataclass(frozen=True)
class Lives:
    """How long signed metadata holds, in seconds.

    What the hub's own keys sign is signed anew at half of its life. What people sign is asked for
    `announce_s` before it ends.

    Attributes:
        root_s: Both roots.
        image_targets_s: The list of what exists.
        director_targets_s: What a cohort should run.
        snapshot_s: Which metadata belong together.
        timestamp_s: Which are the newest: as long as this can an attacker hide newer ones.
        announce_s: How early people are asked.
    """

    root_s: float = 365 * DAY_S
    image_targets_s: float = 365 * DAY_S
    director_targets_s: float = 30 * DAY_S
    snapshot_s: float = 30 * DAY_S
    timestamp_s: float = 7 * DAY_S
    announce_s: float = 30 * DAY_S

    def is_due(self, expires_at: float, life_s: float, now: float, *, people: bool) -> bool:
        """Whether to sign anew what holds until `expires_at`."""
        early_s = life_s / 2
        return expires_at - now < (min(self.announce_s, early_s) if people else early_s)

    def is_overlong(self, expires_at: float, now: float) -> bool:
        """Whether a timestamp holds longer than it should: the clock was wrong when it was signed.

        Otherwise it would not be signed anew for as long as the clock was ahead.
        """
        return expires_at - now > self.timestamp_s + _SLACK_S


@dataclass(frozen=True)
class OpenIdProvider:
    """Where people sign in beside the hub itself.

    Attributes:
        issuer: Its address, as its ID tokens say it.
        client: What the hub is called there.
        secret: What the hub proves that with, "" for a public client.
        name: What people call it.
        claim: The claim that gives roles, with dots into what lies deeper; "" where an admin does.
        roles: Values of the claim, and the role of each.

    Raises:
        ConfigError: A value that cannot work, with what to write instead.
    """

    issuer: str
    client: str
    secret: str = field(repr=False)
    name: str = "single sign-on"
    claim: str = ""
    roles: tuple[tuple[str, Role], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if _ISSUER.fullmatch(self.issuer) is None:
            raise ConfigError(
                f"issuer {self.issuer!r}: write https://HOST[/PATH] (http:// on this machine alone)"
            )
        if not self.client:
            raise ConfigError("the OpenID provider knows the hub by a client id: --oidc-client ID")
        if bool(self.claim) != bool(self.roles):
            raise ConfigError(
                "roles by claims need both: --oidc-claim groups --oidc-role fleet-admins=admin"
            )


def parse_role(text: str) -> tuple[str, Role]:
    """The value of a claim and its role in `VALUE=ROLE`.

    Raises:
        ConfigError: It is not that.

    >>> parse_role("cn=fleet,o=example=operator")
    ('cn=fleet,o=example', <Role.OPERATOR: 'operator'>)
    """
    value, equals, role = text.rpartition("=")
    if not equals or not value or role not in set(Role):
        raise ConfigError(f"role {text!r}: write VALUE=ROLE, with {', '.join(Role)} as the role")
    return value, Role(role)


@dataclass(frozen=True)
class HubConfig:
    """What `fleetloop serve` was told.

    Attributes:
        state_dir: Everything the hub keeps lies below it.
        http_host: Address on which console and API listen.
        http_port: Port of the same; 0 takes a free one.
        broker: "nats" or "mosquitto" as a child process, or the URL of one that runs.
        broker_host: Address on which a child broker listens.
        broker_port: Port of the same; 0 takes a free one.
        max_bytes_per_s: The fastest average pace at which models are published, None for no limit.
        keep_days: For how long reports of devices are kept.
        lives: How long what the hub signs holds.
        anonymous: What whoever reaches console or API without saying who they are may do: "viewer",
            or None for nothing.
        url: The address by which people reach console and API, such as that of a proxy that ends
            TLS; "" for the one on which it listens.
        home_assistant: Prefix below which Home Assistant is told of devices, "" for not at all.
        proxy: The address of that proxy, whose X-Forwarded-For is believed.
        provider: Where people may sign in beside the hub itself.

    Raises:
        ConfigError: A value that cannot work, with what to write instead.
    """

    state_dir: Path
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    broker: str = "nats"
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    max_bytes_per_s: int | None = None
    keep_days: float = 90.0
    lives: Lives = Lives()
    anonymous: Role | None = None
    url: str = ""
    home_assistant: str = ""
    proxy: str = "127.0.0.1"
    provider: OpenIdProvider | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.broker not in _EMBEDDED and _URL.fullmatch(self.broker) is None:
            raise ConfigError(
                f"broker {self.broker!r}: write nats, mosquitto, or mqtt://host:port of one that "
                "runs (mqtts:// with TLS)"
            )
        if self.url and re.fullmatch(r"https?://[^/\s?#]+/?", self.url) is None:
            raise ConfigError(f"url {self.url!r}: write https://HOST, without a path")
        if self.home_assistant and _PREFIX.fullmatch(self.home_assistant) is None:
            raise ConfigError(
                f"home assistant {self.home_assistant[:80]!r}: write the discovery prefix that "
                "Home Assistant is set to, 1 to 64 of a-z A-Z 0-9 _ -, such as homeassistant"
            )
        for name, port in (("http", self.http_port), ("broker", self.broker_port)):
            if not 0 <= port <= _MAX_PORT:
                raise ConfigError(f"{name} port {port}: write a number from 0 to {_MAX_PORT}")
        if not self.keep_days >= 1.0:
            raise ConfigError(f"keep days {self.keep_days}: write a number from 1")
        if self.max_bytes_per_s is not None and self.max_bytes_per_s < 1:
            raise ConfigError(
                f"max bytes per s {self.max_bytes_per_s}: write a number from 1, or leave it out"
            )


def parse_address(text: str) -> tuple[str, int]:
    """The host and port in `HOST:PORT`, `[IPV6]:PORT` or a bare port.

    Raises:
        ConfigError: It is none of these.
    """
    host, colon, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > _MAX_PORT or (colon and not host):
        raise ConfigError(f"address {text!r}: write HOST:PORT, such as 127.0.0.1:8080")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)
