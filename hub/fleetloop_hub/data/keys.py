"""The names that rows have taken, as 64-bit hashes, so that millions of them fit in memory."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

Marks = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]


class Keys:
    """Which names are taken; 8 bytes a name.

    Two names of a million have the same hash with a probability of 3 in 100 million.
    """

    def __init__(self) -> None:
        """No name is taken."""
        self._taken = np.zeros(0, np.uint64)

    def taken(self, marks: Marks) -> npt.NDArray[np.bool_]:
        """Which of these names are taken, also by one before it here; from now on all are."""
        places = np.searchsorted(self._taken, marks)
        within = np.minimum(places, max(len(self._taken) - 1, 0))
        before = self._taken[within] == marks if len(self._taken) else np.zeros(len(marks), bool)
        _, first = np.unique(marks, return_index=True)
        again = np.ones(len(marks), bool)
        again[first] = False
        merged = np.concatenate([self._taken, marks[~before & ~again]])
        self._taken = np.sort(merged, kind="stable")
        result: npt.NDArray[np.bool_] = before | again
        return result


def hashed(names: pa.Array, at: Floats | None = None) -> Marks:
    """The hash of each name, or of each name at its time."""
    encoded = names.fill_null("").dictionary_encode()
    texts = np.array(encoded.dictionary.to_pylist(), dtype=object)
    marks: Marks = pd.util.hash_array(texts, categorize=False)[encoded.indices.to_numpy()]
    if at is not None:
        moments: Marks = pd.util.hash_array(np.ascontiguousarray(at), categorize=False)
        marks = marks ^ (moments * np.uint64(0x9E3779B97F4A7C15))
    return marks
