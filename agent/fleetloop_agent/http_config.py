"""Where the local HTTP endpoint listens, who may ask it, and how much at once."""

from pathlib import Path
from typing import Annotated, Self

import msgspec

from fleetloop_agent.errors import ConfigError

Count = Annotated[int, msgspec.Meta(ge=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
SHOWN_FORM = r"^[!-~]{16,256}\Z"
Token = Annotated[str, msgspec.Meta(pattern=SHOWN_FORM)]
"""16 to 256 printable characters without blanks."""


class HttpConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The local HTTP endpoint.

    Attributes:
        host: Where it listens; loopback unless told otherwise.
        port: 0 takes any free port.
        unix_socket: It listens on this Unix socket instead, for the agent's user and group;
            relative to the config file.
        token: What clients must show; needed where `host` is not loopback.
        token_file: A file that holds it instead; relative to the config file.
        max_connections: Clients at the same time.
        max_body_bytes: The longest body of a request, also when it is unpacked.
        max_rows: The most rows of one request.
        request_s: Seconds in which a request that has begun must be whole, or its response read.
        idle_s: Seconds after which a connection on which nothing is asked is closed.
        metrics: Whether `GET /metrics` tells Prometheus what this device does.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8490
    unix_socket: Path | None = None
    token: Token | None = None
    token_file: Path | None = None
    max_connections: Count = 64
    max_body_bytes: Count = 1024 * 1024
    max_rows: Count = 4_096
    request_s: Positive = 10.0
    idle_s: Positive = 30.0
    metrics: bool = False

    def beside(self, folder: Path) -> Self:
        """The same with whole paths, and the token of its file.

        Args:
            folder: That of the config file.

        Raises:
            ConfigError: Two tokens, or a file that holds none.
        """
        unix_socket = folder / self.unix_socket if self.unix_socket is not None else None
        if self.token_file is None:
            return msgspec.structs.replace(self, unix_socket=unix_socket)
        path = folder / self.token_file
        if self.token is not None:
            raise ConfigError("http.token and http.token_file are two tokens; take one of them out")
        try:
            token = msgspec.convert(path.read_text("ascii").strip(), Token)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"http.token_file {path} cannot be read: {error}") from error
        except msgspec.ValidationError as error:
            raise ConfigError(
                f"http.token_file {path} holds no token: write 16 to 256 printable characters into "
                "it and nothing else"
            ) from error
        return msgspec.structs.replace(self, unix_socket=unix_socket, token=token, token_file=path)
