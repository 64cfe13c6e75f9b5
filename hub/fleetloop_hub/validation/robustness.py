"""Rows as a bad day would bring them: values missing, numbers noisy, numbers out of range."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fleetloop_hub.spec.model_spec import ModelSpec

Values = npt.NDArray[np.float32]
Where = npt.NDArray[np.bool_]

_SHARE = 0.1
_NOISE = 0.1
_FAR = 3.0
_HALF = 0.5

MISSING = "missing values"
NOISE = "noise"
RANGE = "out of range"


def disturbed(values: Values, older: Values, spec: ModelSpec, seed: int) -> dict[str, Values]:
    """The same rows, disturbed in each way.

    - missing values: every tenth value is missing.
    - noise: to numbers is added a tenth of their standard deviation, normally distributed.
    - out of range: every tenth number lies at an end of its range, or, if the spec gives none, at
      thrice the distance of the farthest older value from the median.

    Args:
        values: Held-out rows, shape (rows, features).
        older: What was trained on; says how much numbers spread.
        spec: Which features are numbers, and their ranges.
        seed: Of what is disturbed, and how.
    """
    changes: dict[str, Callable[[Values, Values, ModelSpec, np.random.Generator], Values]] = {
        MISSING: _missing,
        NOISE: _noisy,
        RANGE: _far,
    }
    return {
        name: change(values, older, spec, np.random.default_rng([seed, place]))
        for place, (name, change) in enumerate(changes.items())
    }


def _missing(values: Values, _: Values, spec: ModelSpec, rng: np.random.Generator) -> Values:
    return np.where(rng.random(values.shape) < _SHARE, np.float32(np.nan), values)


def _noisy(values: Values, older: Values, spec: ModelSpec, rng: np.random.Generator) -> Values:
    spread = np.nan_to_num(_by_column(np.nanstd, older)) * _numbers(spec)
    noise = rng.normal(0.0, 1.0, values.shape) * _NOISE * spread
    noisy: Values = (values + noise).astype(np.float32)
    return noisy


def _far(values: Values, older: Values, spec: ModelSpec, rng: np.random.Generator) -> Values:
    middle = _by_column(np.nanmedian, older)
    farthest = _by_column(np.nanmax, np.abs(older - middle))
    low = [
        _or(f.low, m - _FAR * d) for f, m, d in zip(spec.features, middle, farthest, strict=True)
    ]
    high = [
        _or(f.high, m + _FAR * d) for f, m, d in zip(spec.features, middle, farthest, strict=True)
    ]
    end = np.where(rng.random(values.shape) < _HALF, low, high)
    hit: Where = (rng.random(values.shape) < _SHARE) & _numbers(spec) & np.isfinite(end)
    return np.where(hit, end.astype(np.float32), values)


def _numbers(spec: ModelSpec) -> Where:
    return np.array([feature.kind == "number" for feature in spec.features])


def _by_column(
    compute: Callable[[npt.NDArray[np.float64]], float], values: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """A number a feature, NaN where a feature has no finite value."""
    columns = [column[np.isfinite(column)].astype(np.float64) for column in values.T]
    return np.array([compute(column) if len(column) else np.nan for column in columns])


def _or(limit: float | None, otherwise: float) -> float:
    return otherwise if limit is None else limit
