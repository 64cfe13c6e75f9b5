"""What a route of the API takes and gives, said beside it, so that its document can be made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

import msgspec
from flask import request

from fleetloop_hub.web.problem import ProblemError

V = TypeVar("V", bound=Callable[..., object])
Q = TypeVar("Q", bound="Query")

_SPEAKS = "fleetloop_speaks"
JSON = "application/json"


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may stand behind the `?` of an address; a name it does not know is an error."""


@dataclass(frozen=True, kw_only=True)
class Speaks:
    """A decorator that says what a view takes and gives; to stand right above it, below `needs`.

    The first line of the view's docstring is its summary in the document, the rest says more.

    Attributes:
        takes: Type of the body, None without one.
        example: A body as it could be sent.
        query: Type of the query, None if it is not read.
        gives: Type of the answer; None if it is no JSON.
        status: The status when all went well.
        kind: Media type of the answer.
        secret: Whether the answer holds a secret, and is therefore kept nowhere.
        matched: Whether `If-Match` is heeded.
    """

    takes: object = None
    example: Mapping[str, object] = field(default_factory=dict)
    query: type[Query] | None = None
    gives: object = None
    status: HTTPStatus = HTTPStatus.OK
    kind: str = JSON
    secret: bool = False
    matched: bool = False

    def __call__(self, view: V) -> V:
        """Note it with the view."""
        setattr(view, _SPEAKS, self)
        return view


def spoken(view: Callable[..., object]) -> Speaks | None:
    """What a view has declared, None if it has not."""
    found: Speaks | None = getattr(view, _SPEAKS, None)
    return found


def asked(type_: type[Q]) -> Q:
    """What the query of this request says.

    Raises:
        ProblemError: It is not of this type, or says something twice.
    """
    given = request.args.to_dict(flat=False)
    twice = next((name for name, values in given.items() if len(values) > 1), None)
    if twice is not None:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, f"The query says {twice[:80]!r} twice: say it once."
        )
    once = {name: values[0] for name, values in given.items()}
    try:
        found = msgspec.convert(once, type_, strict=False)
    except msgspec.ValidationError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"The query is wrong: {error}.") from error
    nothing = next((name for name in once if getattr(found, name) is None), None)
    if nothing is not None:  # msgspec takes the word for it
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, f"The query is wrong: `{nothing}` cannot be null."
        )
    return found
