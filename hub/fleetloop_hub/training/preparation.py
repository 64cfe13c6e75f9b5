"""Learns from training rows what happens to a row before a model sees it."""

import numpy as np

from fleetloop_hub.packaging.preparation import Floats, Preparation
from fleetloop_hub.spec.data_tables import FeatureTable
from fleetloop_hub.spec.scalars import Family

_TREES = frozenset({"random-forest", "extra-trees", "gradient-boosting", "isolation-forest"})
_CONSTANT = 1e-12


def learn_preparation(features: list[FeatureTable], values: Floats, family: Family) -> Preparation:
    """What a family of models needs: trees take numbers as they are, all others standardised.

    Args:
        features: What the spec says about each column.
        values: The training rows alone, shape (rows, features).
        family: Of the model.
    """
    plain = family in _TREES
    low, high = _limits(features, "clip")
    blank_low, blank_high = _limits(features, "missing")
    blank = np.isnan(values) | (values < blank_low) | (values > blank_high)
    fill = np.array([_fill(f, values[~blank[:, k], k]) for k, f in enumerate(features)], np.float32)
    filled = np.clip(np.where(blank, fill, values), low, high).astype(np.float64)
    number = np.array([f.kind == "number" for f in features])
    scaled = number & (not plain)
    mean = np.where(scaled, filled.mean(axis=0), 0.0)
    sd = np.where(scaled, filled.std(axis=0), 1.0)
    sd = np.where(sd > _CONSTANT * np.maximum(1.0, np.abs(mean)), sd, 1.0)
    return Preparation(
        fill=fill,
        blank_low=blank_low,
        blank_high=blank_high,
        low=low,
        high=high,
        categories=tuple(len(f.categories) for f in features),
        mean=mean.astype(np.float32),
        sd=sd.astype(np.float32),
        one_hot=not plain,
    )


def _limits(features: list[FeatureTable], outside: str) -> tuple[Floats, Floats]:
    chosen = [f if f.outside == outside else None for f in features]
    low = [-np.inf if f is None or f.low is None else f.low for f in chosen]
    high = [np.inf if f is None or f.high is None else f.high for f in chosen]
    return np.array(low, np.float32), np.array(high, np.float32)


def _fill(feature: FeatureTable, present: Floats) -> float:
    if feature.missing == "constant" and feature.fill is not None:
        return feature.fill
    finite = present[np.isfinite(present)]
    if not len(finite):
        return 0.0
    if feature.kind == "category":
        places, counts = np.unique(finite, return_counts=True)
        return float(places[counts.argmax()])
    return float(np.mean(finite) if feature.missing == "mean" else np.median(finite))
