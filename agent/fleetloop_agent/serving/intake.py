"""Turns what a caller gives into the model's input, or says which value of which row is wrong."""

import math
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetloop_agent.errors import AbstainedError, InputError
from fleetloop_agent.ports import Rows
from fleetloop_shared.categories import Categories
from fleetloop_shared.manifest import OTHER, Signature
from fleetloop_shared.refused_ranges import refused_ranges

Row = Mapping[str, object]
"""Feature name to number, or to one of a category's values; None or NaN where it is missing."""

Given = Sequence[Row] | npt.NDArray[np.generic]
"""Rows as they are asked for: mappings, or an array with the features as its columns."""

_PLAIN = {float, int, type(None)}
_READ_AS_CATEGORY = {str, float, int, type(None)}
_SHOWN_NAMES = 5
_ORDER = "<" if sys.byteorder == "little" else ">"  # named, too large a number is refused
_VALUE = struct.Struct(f"{_ORDER}f")
_FLOAT32 = np.dtype(np.float32)


class Intake:
    """Enforces a model's signature on rows: all features, no others, each of its kind.

    A category that the signature does not list becomes `OTHER`. It and a value outside its range
    are answered, and the monitor counts them; unless the signature has their row refused.
    """

    def __init__(self, signature: Signature) -> None:
        """Take the features, and which of them refuse what is out of range, from a signature.

        Args:
            signature: Of the model that will answer.
        """
        features = signature.features
        self._features = features
        self._names = [f.name for f in features]
        self._keys = set(self._names)
        self._categories = [
            (k, Categories(f.categories)) for k, f in enumerate(features) if f.categories
        ]
        self._refusing = refused_ranges(features)
        self._one_row = (1, len(features))
        names = self._names
        self._read: Callable[[Mapping[str, Any]], Sequence[Any]] = (
            itemgetter(*names) if len(names) > 1 else lambda row: [row[names[0]]]
        )
        self._pack = struct.Struct(f"{_ORDER}{len(features)}f").pack

    def one(self, given: object) -> bytes | None:
        """One row given in the usual form, as the bytes of its float32 values; nobody else's.

        Args:
            given: As in `rows`.

        Returns:
            None if it is anything else, or something is wrong with it: `rows` takes it, or says
            what.
        """
        if type(given) is np.ndarray:
            kind = given.dtype
            if (kind is not _FLOAT32 and kind != _FLOAT32) or given.shape != self._one_row:
                return None
            for feature, categories in self._categories:
                if not categories.has_place(given.item(feature)):
                    return None
            return self._within(given.tobytes()) if self._refusing else given.tobytes()
        if type(given) is not list or len(given) != 1 or type(given[0]) is not dict:
            return None
        return self._one_mapping(given[0])

    def _within(self, row: bytes) -> bytes | None:
        """A row whose values may be answered; None where one of them has it refused."""
        for feature, low, high in self._refusing:
            (value,) = _VALUE.unpack_from(row, feature * _VALUE.size)
            if (low is not None and value < low) or (high is not None and value > high):
                return None
        return row

    def _one_mapping(self, row: dict[str, Any]) -> bytes | None:
        if len(row) != len(self._names):
            return None
        try:
            values = self._read(row)
        except KeyError:
            return None
        if self._categories:
            values = list(values)
            for feature, categories in self._categories:
                if type(values[feature]) not in _READ_AS_CATEGORY:
                    return None
                values[feature] = categories.place(values[feature])
        types = set(map(type, values))
        if not types <= _PLAIN:
            return None
        if type(None) in types:
            values = [math.nan if value is None else value for value in values]
        try:
            packed = self._pack(*values)
        except (OverflowError, struct.error):  # too large, also for a double
            return None
        return self._within(packed) if self._refusing else packed

    def rows(self, given: object) -> Rows:
        """The model's input, an array that nobody else holds.

        Args:
            given: An array, or a sequence of `Row`s, or whatever else a caller may have sent.

        Raises:
            InputError: Naming row (from 0) and feature.
        """
        if isinstance(given, np.ndarray):
            values = self._array(given)
        elif isinstance(given, Sequence) and not isinstance(given, str | bytes):
            values = self._mappings(given)
        else:
            raise InputError("give a list of rows; each row maps feature names to values")
        if not len(values):
            raise InputError("there are no rows; give at least one")
        if values.dtype == _FLOAT32:
            return self._all_within(values.astype(np.float32, order="C"))  # a copy
        with np.errstate(over="ignore"):
            rows = np.array(values, np.float32, order="C")
        if np.isinf(rows).any() and (np.isinf(rows) & np.isfinite(values)).any():
            row, feature = np.argwhere(np.isinf(rows) & np.isfinite(values))[0]
            raise self._wrong(row, feature, "is too large for float32")
        return self._all_within(rows)

    def _all_within(self, rows: Rows) -> Rows:
        for feature, low, high in self._refusing:
            values = rows[:, feature]
            outside = np.zeros(len(rows), np.bool_)
            if low is not None:
                outside |= values < low
            if high is not None:
                outside |= values > high
            if outside.any():
                row = int(np.argmax(outside))
                raise self._out_of_range(row, feature, values[row])
        return rows

    def _out_of_range(self, row: int, feature: int, value: np.float32) -> AbstainedError:
        known = self._features[feature]
        if known.categories:
            text = "is none of its categories, and they alone are answered"
            return AbstainedError(str(self._wrong(row, feature, text)))
        low = "" if known.low is None else f" from {known.low:g}"
        high = "" if known.high is None else f" to {known.high:g}"
        unit = f" {known.unit}" if known.unit else ""
        text = f"is {value:g}; values{low}{high}{unit} alone are answered"
        return AbstainedError(str(self._wrong(row, feature, text)))

    def infinite(self, rows: Rows, unanswered: npt.NDArray[np.bool_]) -> InputError | None:
        """What is wrong with rows that the model has no answer to, if that is an infinite value.

        Args:
            rows: All rows of the call.
            unanswered: Which of them have no answer.
        """
        places = np.argwhere(np.isinf(rows) & unanswered[:, None])
        if len(set(places[:, 0].tolist())) < np.count_nonzero(unanswered):
            return None
        return self._wrong(places[0][0], places[0][1], "is infinite: the model has no answer to it")

    def _array(self, given: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        if given.ndim != 2 or given.shape[1] != len(self._names):  # noqa: PLR2004  # rows, features
            raise InputError(
                f"an array of shape {given.shape}; give (rows, {len(self._names)}), "
                f"the columns being {self._listed(self._names)}"
            )
        if given.dtype.kind not in "fiu":
            raise InputError(f"an array of {given.dtype}; give float32")
        for feature, categories in self._categories:
            self._check_places(feature, len(categories), given[:, feature])
        return given

    def _check_places(self, feature: int, count: int, places: npt.NDArray[Any]) -> None:
        known = np.isnan(places) | (
            (places >= OTHER) & (places < count) & (places == np.rint(places))
        )
        if not known.all():
            row = int(np.argmin(known))
            raise self._wrong(
                row,
                feature,
                f"is {places[row]}, which is no place among its {count} categories; an array holds"
                f" 0 to {count - 1}, or {OTHER:.0f} for any other category",
            )

    def _mappings(self, given: Sequence[object]) -> npt.NDArray[np.float64]:
        values = np.empty((len(given), len(self._names)))
        for number, row in enumerate(given):
            if not isinstance(row, Mapping) or row.keys() != self._keys:
                raise self._misnamed(number, row)
            numbers: list[Any] = [row[name] for name in self._names]
            for feature, categories in self._categories:
                value = numbers[feature]
                if type(value) not in _READ_AS_CATEGORY:
                    value = self._category(number, feature, value)
                numbers[feature] = categories.place(value)
            if not _PLAIN.issuperset(map(type, numbers)):
                self._check_types(number, numbers)
            try:
                values[number] = numbers
            except OverflowError:
                feature = next(k for k, x in enumerate(numbers) if _overflows(x))
                raise self._wrong(number, feature, "is too large for float32") from None
        return values

    def _check_types(self, row: int, numbers: Sequence[object]) -> None:
        for feature, value in enumerate(numbers):
            if type(value) not in _PLAIN and not isinstance(value, np.floating | np.integer):
                kind = type(value).__name__
                raise self._wrong(row, feature, f"is of type {kind}; give a number, or null")

    def _category(self, row: int, feature: int, value: object) -> str | float:
        if isinstance(value, str):
            return str.__str__(value)  # an enumeration of texts would say its own name
        if isinstance(value, bool | np.bool_):
            return "true" if value else "false"
        if isinstance(value, np.integer | int):
            return int(value)
        if isinstance(value, np.floating | float):
            return float(value)
        kind = type(value).__name__
        raise self._wrong(row, feature, f"is of type {kind}; give a text, a number, or null")

    def _misnamed(self, number: int, row: object) -> InputError:
        if not isinstance(row, Mapping):
            return InputError(f"row {number} is no mapping of feature names to values")
        absent = [name for name in self._names if name not in row]
        unknown = [str(key)[:80] for key in row if key not in self._keys]
        if absent:
            more = f" and holds {self._listed(unknown)}, which the model does not know"
            return InputError(
                f"row {number} lacks {self._listed(absent)}{more if unknown else ''}; "
                "give null for what was not measured"
            )
        return InputError(
            f"row {number} holds {self._listed(unknown)}, which the model does not know; "
            f"its features are {self._listed(self._names)}"
        )

    def _wrong(self, row: int, feature: int, what: str) -> InputError:
        return InputError(f"row {row}: {self._names[feature]!r} {what}")

    @staticmethod
    def _listed(names: list[str]) -> str:
        more = len(names) - _SHOWN_NAMES
        listed = ", ".join(map(repr, names[:_SHOWN_NAMES]))
        return f"{listed} and {more} more" if more > 0 else listed


def _overflows(value: object) -> bool:
    return isinstance(value, int) and abs(value) > sys.float_info.max
