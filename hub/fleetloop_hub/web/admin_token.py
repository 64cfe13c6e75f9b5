"""The secret that lets its holder change things: made at the first start, kept in one file."""

import secrets
from pathlib import Path

from fleetloop_hub.errors import ConfigError
from fleetloop_shared.durable import RealDisk, replace

ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105  # the name of a file
"""Below the state folder."""


def read_or_make(path: Path) -> str:
    """The admin token in `path`, made there if there is none, readable by its owner only.

    Raises:
        ConfigError: The file is there and empty, or cannot be read.
    """
    if not path.exists():
        replace(RealDisk(path.parent), Path(path.name), f"{secrets.token_urlsafe(32)}\n".encode())
    return read(path)


def read(path: Path) -> str:
    """The admin token in `path`.

    Raises:
        ConfigError: No such file, not to be read, or empty.
    """
    try:
        token = path.read_text("ascii").strip()
    except FileNotFoundError as error:
        raise ConfigError(f"there is no admin token at {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the admin token {path} cannot be read: {error}") from error
    if not token:
        raise ConfigError(f"the admin token {path} is empty: remove the file and start anew")
    return token
