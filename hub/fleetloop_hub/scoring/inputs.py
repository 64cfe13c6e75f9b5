"""Turns columns of a file into the model's input, and says of each row it cannot why."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fleetloop_hub.data import columns
from fleetloop_shared.categories import Categories
from fleetloop_shared.manifest import Feature, Signature
from fleetloop_shared.refused_ranges import refused_ranges

Rows = npt.NDArray[np.float32]
Truths = npt.NDArray[np.bool_]


class Inputs:
    """What one model takes; equal to what a device makes of the same values.

    A category in a file of texts is looked up as it stands, and as a number if it reads as one,
    since a CSV file does not say which it is.
    """

    def __init__(self, signature: Signature) -> None:
        """Take the features from a signature."""
        self._features = signature.features
        self._categories = {f.name: Categories(f.categories) for f in signature.features}

    def rows(self, table: pa.Table) -> tuple[Rows, dict[int, list[str]]]:
        """The input, and what is wrong with rows that it cannot be made of, by their index.

        Args:
            table: With all features among its columns.
        """
        values = np.empty((table.num_rows, len(self._features)), np.float64)
        wrong: dict[int, list[str]] = {}
        for place, feature in enumerate(self._features):
            column = table.column(feature.name)
            if feature.categories:
                values[:, place] = self._places(feature, column)
            else:
                values[:, place], unread = columns.numbers(column)
                _note(wrong, unread, f"{feature.name} is not a number")
        with np.errstate(over="ignore"):
            rows = values.astype(np.float32)
        for place, feature in enumerate(self._features):
            large = np.isinf(rows[:, place]) & np.isfinite(values[:, place])
            _note(wrong, large, f"{feature.name} is too large for float32")
        for place, low, high in refused_ranges(self._features):
            outside = np.zeros(len(rows), np.bool_)
            if low is not None:
                outside |= rows[:, place] < low
            if high is not None:
                outside |= rows[:, place] > high
            _note(
                wrong, outside, f"{self._features[place].name} is out of range: devices refuse it"
            )
        return rows, wrong

    def _places(self, feature: Feature, column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
        known = self._categories[feature.name]
        encoded = column.combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        found = [_place(known, value) for value in encoded.dictionary.to_pylist()]
        codes = pc.fill_null(encoded.indices, len(found)).to_numpy(zero_copy_only=False)
        places: npt.NDArray[np.float64] = np.array([*found, np.nan])[codes]
        return places


def _place(known: Categories, value: object) -> float:
    """As a device would; a text that is not listed may be a number that is."""
    if isinstance(value, bool):
        return known.place(str(value).lower())
    if isinstance(value, int | float):
        return known.place(value)
    text = str(value).strip()
    if not text:
        return known.place(None)
    place = known.place(text)
    if place < 0:
        try:
            number = float(text)
        except ValueError:
            return place
        return place if number != number or "_" in text else known.place(number)  # noqa: PLR0124  # NaN
    return place


def _note(wrong: dict[int, list[str]], rows: Truths, reason: str) -> None:
    for row in np.flatnonzero(rows).tolist():
        wrong.setdefault(row, []).append(reason)
