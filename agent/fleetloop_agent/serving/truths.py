"""What answers and labels of one model can be: its classes, by number or name, or any number."""

import math

import numpy as np

from fleetloop_agent.errors import InputError
from fleetloop_shared.manifest import REGRESSION, Signature

_MAX_CLASS = 2**31
_SHOWN = 5

Said = tuple[int | float, str | None]
"""An answer, and what its class is called if it has a name."""


class Truths:
    """Reads labels of one model, and says its answers."""

    def __init__(self, signature: Signature | None) -> None:
        """Take task, classes and their names from a signature.

        Args:
            signature: Of the model; without one, any number is taken and no name is known.
        """
        self._names = signature.class_names if signature is not None else []
        classes = signature.classes if signature is not None else []
        self._numbers = dict(zip(self._names, classes, strict=False))
        names: list[str | None] = [*self._names] or [None] * len(classes)
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
        """A label as reports carry it: a class that never was among the model's is passed on.

        Raises:
            InputError: It is neither a number nor the name of a class.
        """
        if isinstance(label, str) and label in self._numbers:
            return self._numbers[label]
        if isinstance(label, int | float | np.integer | np.floating) and not isinstance(
            label, bool
        ):
            number = _finite(label)
            if number.is_integer() and abs(number) < _MAX_CLASS:
                return int(number)
            if self._any_number and math.isfinite(number):
                return number
        raise InputError(f"{str(label)[:80]!r} is not a label; give {self._expected()}")

    def _expected(self) -> str:
        if self._any_number:
            return "a number"
        more = ", ..." if len(self._names) > _SHOWN else ""
        listed = ", ".join(map(repr, self._names[:_SHOWN]))
        return f"a whole number{f', or one of {listed}{more}' if listed else ''}"


def _finite(number: float | np.integer | np.floating) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf
