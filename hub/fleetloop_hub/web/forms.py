"""What people send from a page: read as the API reads its bodies, answered by another page."""

from http import HTTPStatus
from typing import TypeVar

import msgspec
from flask import Response, flash, g, redirect, request

from fleetloop_hub.web.access import who
from fleetloop_hub.web.problem import ProblemError

T = TypeVar("T")

_OURS = frozenset({"csrf_token", "confirm"})
_LONGEST_BYTES = 65_536


def read(type_: type[T]) -> T:
    """The form as the body that the API takes; who sends it stands in for `by`.

    Raises:
        ProblemError: Not of this type.
    """
    request.max_content_length = _LONGEST_BYTES
    told: dict[str, object] = {
        name: value
        for name, value in request.form.items()
        if name not in _OURS and value != ""  # a field left empty says nothing
    }
    if "by" in getattr(type_, "__struct_fields__", ()):
        told["by"] = who().name or who().way
    try:
        asked = msgspec.convert(told, type_, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"The form is not as agreed ({error}): go back and correct it; nothing was done.",
        ) from error
    g.get("note", lambda _: None)(asked)
    return asked


def confirmed(name: str) -> None:
    """See that the name was typed of what is to be stopped or destroyed.

    Raises:
        ProblemError: It was not.
    """
    if request.form.get("confirm", "").strip() != name:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"To confirm this, type {name}: go back and try again; nothing was done.",
        )


def done(text: str, to: str) -> Response:
    """Say what was done on the page that is shown next.

    Args:
        text: What was done.
        to: The path of that page.
    """
    flash(text)
    answer = redirect(to, HTTPStatus.SEE_OTHER)
    assert isinstance(answer, Response)  # noqa: S101  # flask's own redirect makes no other
    return answer
