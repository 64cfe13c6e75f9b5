"""Tokens that requests bear: those that are known let in, and guessing is slowed down.

Source: OWASP, Slow Down Online Guessing Attacks with Device Cookies: whoever was let in before is
not kept waiting by others who guess from the same address.
"""

import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus

from flask import request

from fleetloop_hub.people.tokens import ApiTokens
from fleetloop_hub.people_records import Role
from fleetloop_hub.web.access import ADMIN_TOKEN, API_TOKEN, Door, Who, bearer
from fleetloop_hub.web.guard import Attempts, source
from fleetloop_hub.web.problem import ProblemError
from fleetloop_shared.ids import sha256_hex

GUESSES, PER_S = 30, 60.0
"""Tokens that are not known here may come so often from one address, within so many seconds."""
_MOST_KNOWN = 1_000


def token_door(admin_token: str, tokens: ApiTokens, clock: Callable[[], float]) -> Door:
    """Whoever bears the admin token, or an API token that stands.

    Args:
        admin_token: Its holder is admin.
        tokens: The others.
        clock: Seconds that never go back.
    """
    guesses, known = Attempts(GUESSES, PER_S, clock), _Known()

    def door() -> Who | None:
        if "Authorization" not in request.headers:
            return None
        given, where = bearer() or "", source()
        if not known.has(where, given):
            guesses.check(where)
        found = _holder(given, admin_token, tokens)
        if found is None:
            guesses.failed(where)
            raise _unknown()
        known.note(where, given)
        return found

    return door


def _holder(given: str, admin_token: str, tokens: ApiTokens) -> Who | None:
    if hmac.compare_digest(given.encode(), admin_token.encode()):
        return Who("", Role.ADMIN, ADMIN_TOKEN)
    found = tokens.find(given)
    if found is None:
        return None
    token, role = found
    tokens.note_use(token)
    return Who(token.person or f"token {token.name}", role, API_TOKEN)


def _unknown() -> ProblemError:
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "This token is not known here, or no longer: take one that is, or the admin token, which "
        "stands in admin.token in the hub's state folder.",
        {"WWW-Authenticate": 'Bearer realm="fleetloop", error="invalid_token"'},
    )


class _Known:
    """Which tokens were good from which addresses, as hashes; the newest thousand."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def has(self, where: str, token: str) -> bool:
        with self._lock:
            return _pair(where, token) in self._seen

    def note(self, where: str, token: str) -> None:
        with self._lock:
            self._seen[_pair(where, token)] = None
            self._seen.move_to_end(_pair(where, token))
            if len(self._seen) > _MOST_KNOWN:
                self._seen.popitem(last=False)


def _pair(where: str, token: str) -> str:
    return sha256_hex(f"{where}\0{token}".encode())
