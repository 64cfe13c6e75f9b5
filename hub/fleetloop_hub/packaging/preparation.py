"""What happens to a row before a model sees it, in numbers; inside the graph it is the same."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Preparation:
    """Fill what is missing, clip, spread categories, standardise; in this order.

    Every array has a value a feature; limits are infinite where there is none.

    Attributes:
        fill: What a missing value becomes; for a category the number of its place.
        blank_low: A value below is taken for missing.
        blank_high: A value above is taken for missing.
        low: A value below becomes this.
        high: A value above becomes this.
        categories: How many places a category has; 0 for a number.
        mean: Subtracted from a number.
        sd: What a number is divided by then; never 0.
        one_hot: Whether a category becomes a column a place, 1 where it is that one; else it stays
            the number of its place.
    """

    fill: Floats
    blank_low: Floats
    blank_high: Floats
    low: Floats
    high: Floats
    categories: tuple[int, ...]
    mean: Floats
    sd: Floats
    one_hot: bool

    @property
    def spreads(self) -> bool:
        """Whether any column is spread over several."""
        return self.one_hot and any(self.categories)

    @property
    def width(self) -> int:
        """Columns of what the model sees."""
        return sum(places if places and self.one_hot else 1 for places in self.categories)

    def transform(self, values: Floats) -> Doubles:
        """What the model sees, shape (rows, width): numbers and places first to last, in order.

        Args:
            values: Shape (rows, features), NaN where missing.
        """
        blank = np.isnan(values) | (values < self.blank_low) | (values > self.blank_high)
        filled = np.clip(np.where(blank, self.fill, values), self.low, self.high)
        x = (filled.astype(np.float64) - self.mean) / self.sd
        if not self.spreads:
            return x
        columns = []
        for feature, places in enumerate(self.categories):
            if places:
                columns.append((filled[:, feature, None] == np.arange(places)).astype(np.float64))
            else:
                columns.append(x[:, feature, None])
        return np.concatenate(columns, axis=1)
