"""Streams of thirty mixed features for measuring drift detection, and what can go wrong in them."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter
from scipy.special import ndtr

from fleetloop_shared.manifest import Feature

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Change = Callable[[Rows, np.random.Generator], None]

WIDTH = 30
NORMAL = 0
"""A normal feature that has no partner; its values are never missing."""
PAIR = (1, 2)
"""Two normal features with a correlation of 0.6."""
LOGNORMAL, GAPPY, CATEGORY = 12, 20, 27
"""A lognormal feature, one that misses 2 % of its values, one with five categories and no sixth."""

_CATEGORIES = {27: 5, 28: 8, 29: 20}


def features() -> list[Feature]:
    """What a signature says about them."""
    return [
        Feature(name=f"f{k}", categories=[f"c{c}" for c in range(_CATEGORIES.get(k, 0))])
        for k in range(WIDTH)
    ]


def stream(count: int, seed: int, memory: float = 0.0) -> Rows:
    """Undrifted rows; each feature's normal score is AR(1) with a factor of `memory`.

    Twelve normal features (eight of them in pairs with a correlation of 0.6, or 0.3), four
    lognormal, three uniform, two exponential, two of Student's t with 5 degrees of freedom, two
    counts, two flags, three categories (5, 8 and 20 of them); one misses 2 % of its values.
    """
    random = np.random.default_rng(seed)
    z = random.standard_normal((count, WIDTH), np.float32)
    if memory:
        z[1:] *= np.float32(np.sqrt(1 - memory**2))
        z = lfilter([1.0], [1.0, -memory], z, axis=0).astype(np.float32)
    for second, strength in ((2, 0.6), (4, 0.6), (6, 0.3), (8, 0.3)):
        z[:, second] = strength * z[:, second - 1] + np.sqrt(1 - strength**2) * z[:, second]
    z[:, 12:16] = np.exp(0.8 * z[:, 12:16])
    z[:, 16:19] = ndtr(z[:, 16:19])
    z[:, 19:21] = -np.log(ndtr(-z[:, 19:21]))
    z[:, 21:23] /= np.sqrt(random.chisquare(5, (count, 2)) / 5)
    z[:, 23:25] = np.floor(np.exp(0.6 * z[:, 23:25] + 1.5))
    z[:, 25:27] = z[:, 25:27] > (0.5, 1.8)
    for place, categories in _CATEGORIES.items():
        shares = 1 / np.arange(1, categories + 1)
        bounds = np.cumsum(shares / shares.sum())[:-1]
        z[:, place] = np.searchsorted(bounds, ndtr(z[:, place]))
    z[random.random(count) < 0.02, GAPPY] = np.nan
    return z


def scores(rows: Rows) -> Floats:
    """What a model would say: a probability out of five of the features."""
    known = np.nan_to_num(rows[:, [0, 1, 5, 16, 25]]).astype(np.float64)
    return np.asarray(1 / (1 + np.exp(1.5 - known @ [0.8, 0.6, -0.5, 1.0, 0.7])))


def _moved(place: int, distance: float) -> Change:
    def change(rows: Rows, random: np.random.Generator) -> None:
        rows[:, place] += np.float32(distance)

    return change


def _spread(rows: Rows, random: np.random.Generator) -> None:
    rows[:, NORMAL] *= np.float32(1.5)


def _flipped(rows: Rows, random: np.random.Generator) -> None:
    rows[:, PAIR[1]] *= -1


def _loosened(rows: Rows, random: np.random.Generator) -> None:
    """0.6 becomes 0.4, the spread stays."""
    first, second = rows[:, PAIR[0]], rows[:, PAIR[1]]
    own = (second - np.float32(0.6) * first) / np.float32(0.8)
    rows[:, PAIR[1]] = np.float32(0.4) * first + np.float32(np.sqrt(1 - 0.4**2)) * own


def _put(place: int, share: float, value: float) -> Change:
    def change(rows: Rows, random: np.random.Generator) -> None:
        rows[random.random(len(rows)) < share, place] = value

    return change


SD_LOGNORMAL = float(np.sqrt((np.exp(0.64) - 1) * np.exp(0.64)))

CHANGES: dict[str, Change] = {
    "mean + 0.1 sd": _moved(NORMAL, 0.1),
    "mean + 0.25 sd": _moved(NORMAL, 0.25),
    "mean + 0.5 sd": _moved(NORMAL, 0.5),
    "mean + 1 sd": _moved(NORMAL, 1.0),
    "mean + 0.5 sd, lognormal": _moved(LOGNORMAL, 0.5 * SD_LOGNORMAL),
    "sd x 1.5": _spread,
    "correlation 0.6 to -0.6": _flipped,
    "correlation 0.6 to 0.4": _loosened,
    "new category 2 %": _put(CATEGORY, 0.02, -1.0),
    "missing 2 %": _put(NORMAL, 0.02, np.nan),
    "missing 2 % to 6 %": _put(GAPPY, 0.0408, np.nan),
}
"""What goes wrong, by what it is called; each changes rows in place."""
