"""Long lists a page at a time, by a cursor that stays true while others come and go (RFC 8288)."""

import base64
import binascii
import heapq
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Annotated, Protocol, TypeVar
from urllib.parse import urlencode

import msgspec
from flask import Response, request

from fleetloop_hub.web.problem import ProblemError
from fleetloop_hub.web.speaking import JSON, Query
from fleetloop_shared.codec import encode

T = TypeVar("T")
Place = tuple[float | str, ...]
"""Where an entry stands in its list; no two stand at the same. Times are negative, so that the
newest come first."""

MOST = 1_000
_CURSOR_CHARS = 1_000


class PageAsk(Query, frozen=True, kw_only=True):
    """Which part of a list is wanted.

    Attributes:
        limit: Entries, no more than so many.
        cursor: The `next` of the page before; empty for the first page.
    """

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=_CURSOR_CHARS)] = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list.

    Attributes:
        next: The cursor of what comes behind; null at the end. The `Link` header has its address.
    """

    next: str | None = None


class Paged(Protocol):
    """An answer with a part of a list; a `Page`, or what looks like one and is made elsewhere."""

    @property
    def next(self) -> str | None:
        """The cursor of what comes behind."""


def cut(
    entries: Iterable[T], place: Callable[[T], Place], asked: PageAsk
) -> tuple[list[T], str | None]:
    """The part of a list that is asked for, and the cursor of the next.

    An entry that is added or goes meanwhile neither hides another nor shows it twice.

    Args:
        entries: All of them, in any order.
        place: Where one stands.
        asked: Which part.

    Raises:
        ProblemError: The cursor is none of this list.
    """
    behind = _place(asked.cursor) if asked.cursor else None
    placed = ((place(entry), number, entry) for number, entry in enumerate(entries))
    try:
        found = heapq.nsmallest(
            asked.limit + 1, (p for p in placed if behind is None or p[0] > behind)
        )
    except TypeError as error:
        raise _foreign() from error
    shown = found[: asked.limit]
    more = len(found) > asked.limit
    return [entry for _, _, entry in shown], _cursor(shown[-1][0]) if more else None


def paged(page: Paged) -> Response:
    """The answer with a page, and with the address of the next in its `Link` header."""
    response = Response(encode(page), content_type=JSON)
    if page.next is not None:
        query = request.args.to_dict() | {"cursor": page.next}
        response.headers["Link"] = f'<{request.path}?{urlencode(query)}>; rel="next"'
    return response


def _cursor(place: Place) -> str:
    told = msgspec.json.encode([request.endpoint, *place])
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def _place(cursor: str) -> Place:
    try:
        told = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        endpoint, *place = msgspec.json.decode(told, type=list[float | str])
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError) as error:
        raise _foreign() from error
    if endpoint != request.endpoint:
        raise _foreign()
    return tuple(place)


def _foreign() -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The cursor is none of this list: begin without one, then send what `next` says.",
    )
