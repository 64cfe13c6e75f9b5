"""Counts how groups of people are answered, for the groups that a manifest names."""

import math
import struct
from array import array

import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows
from fleetloop_agent.serving.recent import RECENT_ANSWERS
from fleetloop_shared.groups import OTHER, GroupColumn, GroupCounts, GroupLimits
from fleetloop_shared.manifest import NO_CLASS, Manifest

Codes = npt.NDArray[np.int64]
Labels = npt.NDArray[np.float64]

_VALUE = struct.Struct("=f")
_TWO = 2


class _Column:
    """One column: its groups by number, the last two being "other" and "missing"."""

    def __init__(self, column: GroupColumn) -> None:
        values = np.array(column.values, np.float32)
        order = np.argsort(values, kind="stable")
        self.place = column.place
        self.names = [*column.names, OTHER, ""]
        self.size = len(self.names)
        self._sorted, self._order = values[order], order
        self._numbers = {float(value): k for k, value in enumerate(values.tolist())}

    def one(self, row: bytes) -> int:
        """The group of one row."""
        (value,) = _VALUE.unpack_from(row, self.place * _VALUE.size)
        found = self._numbers.get(value)
        if found is not None:
            return found
        return self.size - (1 if math.isnan(value) else 2)

    def many(self, rows: Rows) -> Codes:
        """The group of each row."""
        values = rows[:, self.place]
        codes = np.where(np.isnan(values), self.size - 1, self.size - 2).astype(np.int64)
        if len(self._sorted):
            places = np.minimum(np.searchsorted(self._sorted, values), len(self._sorted) - 1)
            known = self._sorted[places] == values
            codes[known] = self._order[places[known]]
        return codes


class GroupTally:
    """What one loaded model has answered to whom; not thread-safe.

    The group of each of the last answers is remembered, for labels that come later.
    """

    def __init__(self, limits: GroupLimits, positive: float) -> None:
        """Count nothing yet.

        Args:
            limits: The groups.
            positive: The class that means yes.
        """
        self._columns = [_Column(column) for column in limits.columns]
        self._named = [column.column for column in limits.columns]
        self._positive = positive
        self._codes = array("q", [0]) * RECENT_ANSWERS
        self._counts = [np.zeros((6, column.size), np.int64) for column in self._columns]

    @classmethod
    def of(cls, manifest: Manifest) -> "GroupTally | None":
        """For a model; None where it names no group, or has no yes and no."""
        signature, limits = manifest.signature, manifest.groups
        if limits is None or not limits.columns or signature.positive == NO_CLASS:
            return None
        if len(signature.classes) != _TWO:
            return None
        return cls(limits, float(signature.classes[signature.positive]))

    def note(self, number: int, row: bytes, label: float) -> None:
        """One answered row: the number of its answer, its float32 values, and the answer."""
        code = 0
        for column, counts in zip(self._columns, self._counts, strict=True):
            group = column.one(row)
            counts[0, group] += 1
            counts[1, group] += label == self._positive
            code = code * column.size + group
        self._codes[number % RECENT_ANSWERS] = code

    def note_many(self, first: int, rows: Rows, labels: Labels) -> None:
        """Many answered rows: the number of the first answer, their values, and the answers."""
        code = np.zeros(len(rows), np.int64)
        yes = labels == self._positive
        for column, counts in zip(self._columns, self._counts, strict=True):
            groups = column.many(rows)
            counts[0] += np.bincount(groups, minlength=column.size)
            counts[1] += np.bincount(groups[yes], minlength=column.size)
            code = code * column.size + groups
        last = code[-RECENT_ANSWERS:]
        places = (first + len(code) - len(last) + np.arange(len(last))) % RECENT_ANSWERS
        np.frombuffer(self._codes, np.int64)[places] = last

    def label(self, number: int, said: float, truth: float) -> None:
        """A label has come for an answer of this model that is remembered."""
        code = self._codes[number % RECENT_ANSWERS]
        kind = 2 if truth == self._positive else 4
        for column, counts in zip(reversed(self._columns), reversed(self._counts), strict=True):
            code, group = divmod(code, column.size)
            counts[kind, group] += 1
            counts[kind + 1, group] += said == self._positive

    def take(self) -> list[GroupCounts]:
        """The counts, which begin again; groups of which nothing was seen are left out."""
        taken = []
        for name, column, counts in zip(self._named, self._columns, self._counts, strict=True):
            for group in np.flatnonzero(counts.any(axis=0)).tolist():
                six = [int(n) for n in counts[:, group]]
                taken.append(_counts(name, column.names[group], six))
            counts[:] = 0
        return taken


def _counts(column: str, group: str, six: list[int]) -> GroupCounts:
    rows, yes, positive, positive_yes, negative, negative_yes = six
    return GroupCounts(
        column=column,
        group=group,
        rows=rows,
        yes=yes,
        positive=positive,
        positive_yes=positive_yes,
        negative=negative,
        negative_yes=negative_yes,
    )
