"""What answers and labels of one model can be: its classes, by number or name, or any number."""

import math

import numpy as np

from fleetloop_agent.errors import InputError
from fleetloop_shared.manifest import REGRESSION, Signature

_MAX_WHOLE = 2**31
_SHOWN = 10

Said = tuple[int | float, str | None]
"""An answer, and what its class is called if it has a name."""


class Truths:
    """Reads labels of one model, and says its answers."""

    def __init__(self, signature: Signature | None) -> None:
        """Take task, classes and their names from a signature.

        Args:
            signature: Of the model; without one, any number is taken and no name is known.
        """
        called = signature.class_names if signature is not None else []
        classes = signature.classes if signature is not None else []
        texts = called or [str(number) for number in classes]
        self._numbers = dict(zip(texts, classes, strict=True))
        self._named = bool(called)
        names: list[str | None] = [*called] or [None] * len(classes)
        self._said: dict[float, Said] = {
            float(number): (number, name) for number, name in zip(classes, names, strict=True)
        }
        self._any_number = signature is None or signature.task == REGRESSION

    def said(self, answer: float) -> Said:
        """An answer as it is given to who asked; that of a regression is its number."""
        return self._said[answer] if self._said else (answer, None)

    def right(self, said: float, label: float) -> bool | None:
        """Whether an answer was right, None for a regression: it is near or far, not right."""
        return said == label if self._said else None

    def read(self, label: object) -> int | float:
        """A label as reports carry it: a class by its name or its number, or a regression's number.

        A class without a name may be given as a text as well, as the spec lists it.

        Raises:
            InputError: It is none of the classes, which are named; or no finite number.
        """
        if isinstance(label, str) and label in self._numbers:
            return self._numbers[label]
        if isinstance(label, int | float | np.integer | np.floating) and not isinstance(
            label, bool
        ):
            number = _finite(label)
            if number in self._said or (self._any_number and math.isfinite(number)):
                whole = number.is_integer() and abs(number) < _MAX_WHOLE
                return int(number) if whole else number
        given = repr(label[:80]) if isinstance(label, str) else str(label)[:80]
        if self._any_number:
            raise InputError(f"{given} is no label; give a finite number")
        raise InputError(f"{given} is no class; there are {self._listed()}")

    def _listed(self) -> str:
        """The classes: their names with their numbers, as one may be given as the other."""
        texts = [f"{t!r} ({n})" if self._named else t for t, n in self._numbers.items()]
        more = len(texts) - _SHOWN
        return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _finite(number: float | np.integer | np.floating) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf
