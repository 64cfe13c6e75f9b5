"""Which values a signature refuses, alike on hub and device."""

from collections.abc import Sequence

import numpy as np

from fleetloop_shared.manifest import REFUSE, Feature

Refused = tuple[int, float | None, float | None]
"""A feature's place, and the lowest and highest value that is answered; None: no such bound."""


def refused_ranges(features: Sequence[Feature]) -> list[Refused]:
    """The features that refuse what is out of range; bounds are float32, as values are.

    A category refuses `OTHER`, which is below its first place. NaN, a missing value, is within any
    range.

    Examples:
        >>> refused_ranges([
        ...     Feature(name="any", low=0.0),
        ...     Feature(name="wind", low=0.5, out_of_range="refuse"),
        ...     Feature(name="sky", categories=["clear", "rain"], out_of_range="refuse"),
        ... ])
        [(1, 0.5, None), (2, 0.0, None)]
    """
    return [
        (place, 0.0 if f.categories else _as_float32(f.low), _as_float32(f.high))
        for place, f in enumerate(features)
        if f.out_of_range == REFUSE
    ]


def _as_float32(bound: float | None) -> float | None:
    """0.7 is not below 0.7."""
    with np.errstate(over="ignore"):
        return None if bound is None else float(np.float32(bound))
