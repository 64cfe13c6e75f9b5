"""A world whose inputs move in fifteen ways, and whose meaning moves in four, for estimates.

Ten features: two pairs that are correlated, a sub-population that is off in two of them, one with a
long tail, a category of four, and one that is missing in 3 % of the rows. Labels depend on them in
ways that no straight line follows; what the label depends on never moves with a *shift*, and is the
only thing that moves with a *concept*.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_shared.manifest import Feature

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]

FEATURES = [
    Feature(name=f"f{k}", categories=["a", "b", "c", "d"] if k == 7 else []) for k in range(10)
]

SHIFTS = {
    "mean of one feature +0.25 sd": "mean 0.25",
    "mean of one feature +1 sd": "mean 1",
    "mean of another -0.75 sd": "mean other",
    "mean of all +0.3 sd": "mean all",
    "spread of one x1.25": "spread 1.25",
    "spread of six x1.5": "spread 1.5",
    "spread of six x0.7": "spread 0.7",
    "gain of one halved": "gain",
    "correlation 0.6 to 0": "correlation 0",
    "correlation 0.6 to -0.6": "correlation flip",
    "sub-population 20 % to 50 %": "mixture 0.5",
    "sub-population 20 % to 80 %": "mixture 0.8",
    "categories 50/30/15/5 % to 20/30/30/20 %": "category",
    "missing 3 % to 20 %": "missing",
    "longer tail": "tail",
}
"""Of the inputs alone, in words, by the name that `draw` knows them by."""

CONCEPTS = {
    "concept: labels grow noisier": "noise",
    "concept: more rows are positive": "bias",
    "concept: another feature takes over": "other",
    "concept: one feature turns round in the sub-population": "turn",
}
"""What inputs mean moves, the inputs do not."""


@dataclass(frozen=True)
class Drawn:
    """Rows with their truth.

    Attributes:
        values: Shape (rows, features), NaN where missing.
        label: 0 or 1.
        value: The label of a regression.
    """

    values: Rows
    label: Floats
    value: Floats


def draw(random: np.random.Generator, rows: int, shift: str = "", concept: str = "") -> Drawn:
    """Rows of the world, moved or not."""
    x = _inputs(random, rows, shift)
    signal = _signal(x, concept)
    odds = 1.6 * signal * (0.4 if concept == "noise" else 1.0)
    label = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    noise = np.exp(0.4 * x[:, 0]) * (1.6 if concept == "noise" else 1.0)
    value = 2 * signal + noise * random.standard_normal(rows)
    values = x.astype(np.float32)
    values[random.random(rows) < (0.2 if shift == "missing" else 0.03), 2] = np.nan
    return Drawn(values, label, value)


def _inputs(random: np.random.Generator, rows: int, shift: str) -> Floats:
    together = {"correlation 0": 0.0, "correlation flip": -0.6}.get(shift, 0.6)
    share = {"mixture 0.5": 0.5, "mixture 0.8": 0.8}.get(shift, 0.2)
    x = random.standard_normal((rows, len(FEATURES)))
    x[:, 1] = together * x[:, 0] + np.sqrt(1 - together**2) * x[:, 1]
    x[:, 3] = 0.5 * x[:, 2] + np.sqrt(0.75) * x[:, 3]
    apart = random.random(rows) < share
    x[apart, 4] += 2.0
    x[apart, 5] -= 1.5
    x[:, 6] = np.exp(0.6 * x[:, 6])
    usual, moved = [0.5, 0.3, 0.15, 0.05], [0.2, 0.3, 0.3, 0.2]
    x[:, 7] = random.choice(4, rows, p=moved if shift == "category" else usual)
    return _moved(x, shift)


def _moved(x: Floats, shift: str) -> Floats:
    numbers, six = [0, 1, 2, 3, 4, 5, 8, 9], [0, 1, 2, 3, 4, 5]
    match shift:
        case "mean 0.25" | "mean 1":
            x[:, 0] += float(shift.split()[1])
        case "mean other":
            x[:, 2] -= 0.75
        case "mean all":
            x[:, numbers] += 0.3
        case "spread 1.25":
            x[:, 0] *= 1.25
        case "spread 1.5" | "spread 0.7":
            x[:, six] *= float(shift.split()[1])
        case "gain":
            x[:, 2] *= 0.5
        case "tail":
            x[:, 6] **= 1.5
        case _:
            pass
    return x


def _signal(x: Floats, concept: str) -> Floats:
    main, second = 1.2 * x[:, 0], 1.0 * x[:, 1]
    if concept == "other":
        main = 1.2 * x[:, 8]
    if concept == "turn":
        main = main * np.where(x[:, 4] > 1, -1.0, 1.0)
    by_category = np.array([0.0, 0.6, -0.6, 1.2])[x[:, 7].astype(np.int64)]
    signal: Floats = (
        main
        - second * (x[:, 4] > 0)
        + 0.8 * np.sin(1.5 * x[:, 2])
        + 0.35 * x[:, 3] * x[:, 5]
        + 0.5 * (x[:, 6] - 1.2)
        + by_category
        - 0.4
        + (0.6 if concept == "bias" else 0.0)
    )
    return signal
