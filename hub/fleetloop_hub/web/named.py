"""A version as people write it in a form."""

import re
from http import HTTPStatus

from fleetloop_hub.web.problem import ProblemError

_VERSION = re.compile(r"([^@/]{1,64})@([0-9]{1,9})", re.ASCII)


def version_named(which: str) -> tuple[str, int]:
    """The model and the number in MODEL@NUMBER.

    Raises:
        ProblemError: It is no such name.
    """
    found = _VERSION.fullmatch(which.strip())
    if found is None:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"{which[:80]!r} is no version: write MODEL@NUMBER, such as rain@3.",
        )
    return found[1], int(found[2])
