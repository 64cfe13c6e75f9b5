"""The command line's way to a running hub: its HTTP API and the admin token."""

import contextlib
import getpass
import http.client
import ipaddress
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from fleetloop_hub.audit_records import BY
from fleetloop_hub.config import DEFAULT_DIR, DEFAULT_URL, URL_FILE
from fleetloop_hub.errors import ConfigError, RemoteError
from fleetloop_hub.web.admin_token import ADMIN_TOKEN_FILE, read

T = TypeVar("T")

_TIMEOUT_S = 120.0
_MAX_ANSWER_BYTES = 64_000_000
_PAGE = 1_000
_AS_IT_IS = "/?&=%~+,:@!$'()*;"


@dataclass(frozen=True)
class _Asking:
    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]


class _Problem(msgspec.Struct, frozen=True):
    detail: str


class Remote:
    """A hub that runs somewhere."""

    def __init__(
        self, url: str, token: str | None, held_in: str = "", *, near: bool = True
    ) -> None:
        """Nothing is asked yet.

        Args:
            url: Where its console is.
            token: An API token or the admin token, None to ask without one.
            held_in: Where the token stands, for whoever must correct it.
            near: Whether it runs on this machine, so that it can read the same files.

        Raises:
            RemoteError: The address is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise RemoteError(f"hub address {url!r}: write http://HOST:PORT")
        self.url = url.rstrip("/")
        self._token, self._held_in, self.near = token, held_in, near

    def get(self, path: str, type_: type[T]) -> T:
        """What the API says at `path`, below /api/v1.

        Raises:
            RemoteError: The hub does not answer, or not with this.
        """
        return self._decode(self._ask("GET", path, None), type_)

    def listed(self, path: str, name: str, type_: type[T], most: int | None = None) -> list[T]:
        """What a list at `path` holds, page after page.

        Args:
            path: Below /api/v1, with a query or without.
            name: What the list is called in the answer.
            type_: Of its entries.
            most: Entries, no more than so many; None is all.

        Raises:
            RemoteError: The hub does not answer, or not with this.
        """
        found: list[T] = []
        mark = "&" if "?" in path else "?"
        asked = f"{path}{mark}limit={min(most or _PAGE, _PAGE)}"
        cursor: str | None = ""
        while cursor is not None and (most is None or len(found) < most):
            page = self.get(f"{asked}&cursor={quote(cursor)}", dict[str, msgspec.Raw])
            found += self._decode(bytes(page.get(name, b"")), list[type_])  # type: ignore[valid-type]  # a type at run time
            cursor = self._decode(bytes(page.get("next", b"null")), str | None)  # type: ignore[arg-type]  # the same
        return found[:most]

    def read(self, path: str) -> bytes:
        """The bytes at `path`, below /api/v1.

        Raises:
            RemoteError: The hub does not answer, or has no such thing.
        """
        return self._ask("GET", path, None)

    def post(self, path: str, body: object, type_: type[T]) -> T:
        """Have something done; where the answer is lost it is asked for again, and done once.

        Raises:
            RemoteError: The hub does not answer or refuses; the text is the hub's.
        """
        return self._decode(self._ask("POST", path, msgspec.json.encode(body)), type_)

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = {}
        if body is not None:
            headers = {"Content-Type": "application/json", BY: _user()}
            headers["Idempotency-Key"] = secrets.token_urlsafe(16)
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        asking = _Asking(method, quote(path, safe=_AS_IT_IS), body, headers)
        try:
            try:
                answer, data, whole = self._send(asking)
            except ConnectionResetError:
                answer, data, whole = self._send(asking)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RemoteError(
                f"no hub answers at {self.url} ({error}): start one with `fleetloop serve`, or "
                "name another with --hub URL"
            ) from error
        if not whole:
            raise RemoteError(
                f"what {self.url} answers is longer than {_MAX_ANSWER_BYTES:,} bytes, and was not "
                "used: copy the file from the hub's state folder"
            )
        if answer.status >= http.client.BAD_REQUEST:
            raise RemoteError(self._refusal(answer, _detail(data)))
        return data

    def _send(self, asking: "_Asking") -> tuple[http.client.HTTPResponse, bytes, bool]:
        """The answer, its bytes, and whether these are all.

        Raises:
            OSError: There is none.
            http.client.HTTPException: It is no HTTP.
        """
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
        try:
            target = f"{parts.path}/api/v1{asking.path}"
            connection.request(asking.method, target, asking.body, asking.headers)
            answer = connection.getresponse()
            return answer, answer.read(_MAX_ANSWER_BYTES), not answer.read(1)
        finally:
            connection.close()

    def _refusal(self, answer: http.client.HTTPResponse, detail: str) -> str:
        """What the hub says to whoever asked in vain, in words for a terminal."""
        if answer.status == http.client.UNAUTHORIZED and self._token is None:
            return (
                f"the hub at {self.url} wants to know who asks, and nothing was done. "
                f"{detail.partition(':')[0]}: put an API token (`fleetloop tokens` makes them) or "
                "the hub's admin token into FLEETLOOP_TOKEN"
            )
        if answer.status == http.client.UNAUTHORIZED:
            return (
                f"the token in {self._held_in} is not one of the hub at {self.url}, or no longer, "
                f"and nothing was done: take another, or the one in {ADMIN_TOKEN_FILE} in that "
                "hub's state folder"
            )
        if answer.status == http.client.FORBIDDEN and self._token is not None:
            return f"{detail} The token is the one in {self._held_in}."
        return detail or f"the hub answered {answer.status} {answer.reason}"

    def _decode(self, data: bytes, type_: type[T]) -> T:
        try:
            return msgspec.json.decode(data, type=type_)
        except msgspec.MsgspecError as error:
            raise RemoteError(
                f"what answers at {self.url} is no hub of this version ({error}): check --hub"
            ) from error


def find_hub(state_dir: Path, url: str | None, *, change: bool) -> Remote:
    """The hub that is meant, with a token where there is one.

    The token is FLEETLOOP_TOKEN, else the state folder's admin token. The latter goes to no hub
    on another machine, unless the state folder is that hub's.

    Args:
        state_dir: The hub's state folder, asked for what is not said otherwise.
        url: Where the hub is; by default where the hub of this state folder said it is.
        change: Whether something is to be changed, which nobody may without a token.

    Raises:
        RemoteError: There is no token, the address is none, or the folder is no hub's.
    """
    named = url or _told_url(state_dir)
    near = url is None or _is_here(url) or _said(state_dir) == url.rstrip("/")
    token, held_in = os.environ.get("FLEETLOOP_TOKEN"), "FLEETLOOP_TOKEN"
    if not token and near:
        token, held_in = _held(state_dir), str(state_dir / ADMIN_TOKEN_FILE)
    remote = Remote(named, token, held_in, near=near)
    if change and not token:
        looked = f"no token can be read at {held_in}, and " if near else ""
        raise RemoteError(
            f"{looked}FLEETLOOP_TOKEN is not set, so nothing was asked of {named}: put an API "
            "token (`fleetloop tokens` makes them) or the hub's admin token into FLEETLOOP_TOKEN, "
            "or name the hub's state folder with --state-dir"
        )
    return remote


def _is_here(url: str) -> bool:
    """Whether an address is this machine's own for certain."""
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _said(state_dir: Path) -> str:
    """Where the hub of a state folder says it is, "" if it does not."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (state_dir / URL_FILE).read_text("utf-8").strip().rstrip("/")
    return ""


def _told_url(state_dir: Path) -> str:
    file = state_dir / URL_FILE
    if state_dir != DEFAULT_DIR and not (file.exists() or (state_dir / ADMIN_TOKEN_FILE).exists()):
        raise RemoteError(
            f"{state_dir} holds no hub's state, so no hub was asked: correct --state-dir, or "
            "name the hub with --hub URL"
        )
    return file.read_text("utf-8").strip() if file.exists() else DEFAULT_URL


def _held(state_dir: Path) -> str | None:
    with contextlib.suppress(ConfigError):  # whoever needs it is told
        return read(state_dir / ADMIN_TOKEN_FILE)
    return None


def _user() -> str:
    """Who asks, for the audit log: FLEETLOOP_BY, or the name of the account."""
    with contextlib.suppress(KeyError, OSError):  # an account without a name
        return os.environ.get("FLEETLOOP_BY") or getpass.getuser()
    return ""


def _detail(data: bytes) -> str:
    try:
        return msgspec.json.decode(data, type=_Problem).detail
    except msgspec.MsgspecError:
        return ""
