"""The usable rows of a dataset version as columns, in order of time; what training begins with."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Which = slice | npt.NDArray[np.bool_] | npt.NDArray[np.int64]


@dataclass(frozen=True)
class Frame:
    """Rows as columns; all of the same length.

    Attributes:
        values: The features, shape (rows, features); NaN where missing; a category as its place
            among the spec's categories, or -1 where it is none of them.
        label: The truth: a class as its number (`LabelTable.classes` in their order, or the whole
            number itself), or the value of a regression; NaN where unknown.
        at: Place in time.
        label_at: When the label became known; `at` where nobody said.
        device: Who saw it, "" for a source.
        groups: What slices and fairness part the rows by, as text, by the name of the column.
    """

    values: npt.NDArray[np.float32]
    label: npt.NDArray[np.float64]
    at: npt.NDArray[np.float64]
    label_at: npt.NDArray[np.float64]
    device: npt.NDArray[np.str_]
    groups: dict[str, npt.NDArray[np.str_]]

    def __len__(self) -> int:
        """How many rows."""
        return len(self.at)

    def take(self, which: Which) -> "Frame":
        """Some of them, in the order given."""
        return Frame(
            values=self.values[which],
            label=self.label[which],
            at=self.at[which],
            label_at=self.label_at[which],
            device=self.device[which],
            groups={name: column[which] for name, column in self.groups.items()},
        )

    def by_device(self) -> npt.NDArray[np.float32]:
        """The values as each device saw them: one after the other, each in order of time."""
        return self.values[np.argsort(self.device, kind="stable")]
