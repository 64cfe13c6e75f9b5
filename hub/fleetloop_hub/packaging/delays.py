"""How soon devices would see a change, by the thresholds that they will judge by."""

from typing import cast

import numpy as np
import numpy.typing as npt

from fleetloop_hub.delay_parts import UNSEEN, Delays, FeatureDelay, PairDelay
from fleetloop_hub.packaging.changed import KINDS, changed_shares
from fleetloop_shared.drift.anderson_darling import anderson_darling
from fleetloop_shared.drift.bins import Bins
from fleetloop_shared.drift.fisher_z import fisher_z
from fleetloop_shared.drift.rare_bins import rare_bins
from fleetloop_shared.drift.triangular import triangular_discrimination
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.profile import DriftThresholds, ReferenceProfile, ScaleThresholds

Rows = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PAIRS, WEAKEST = 5, 0.2
"""How many pairs are looked at, and the correlation below which a change of sign means nothing."""

_FRACTIONS = np.linspace(0, 1, 25)
_BEGINNINGS = 256


def delays(manifest: Manifest, rows: Rows) -> Delays:
    """The median of the rows until an alarm, over all places in a window at which a change begins.

    For each window length, the part of a window that must have changed before what is expected of
    its statistics reaches a threshold; and from these, when the first window ends in which so many
    rows have changed. Other statistics, such as the scores', may show a change sooner.

    Args:
        manifest: With reference profile and calibrated thresholds.
        rows: The reference's rows, NaN where missing.
    """
    reference, thresholds = manifest.reference, manifest.thresholds
    lengths = np.array([scale.rows for scale in thresholds.scales])
    soon = _feature_rows(reference, thresholds, rows)
    medians = _medians(soon, lengths)
    return Delays(
        features=[
            FeatureDelay(
                name=feature.name,
                unit=manifest.signature.features[k].unit,
                sd=feature.sd,
                **dict(zip(KINDS, medians[k], strict=True)),
            )
            for k, feature in enumerate(reference.features)
        ],
        pairs=_pair_delays(reference, thresholds, lengths),
    )


def _feature_rows(reference: ReferenceProfile, thresholds: DriftThresholds, rows: Rows) -> Floats:
    """Changed rows that a window must hold, shape (features, kinds, scales), NaN for no sense."""
    features = reference.features
    bins = Bins([f.edges for f in features])
    counts = bins.fill([f.counts for f in features], [f.missing for f in features])
    shares = counts / reference.rows
    after = np.array(
        [changed_shares(f, rows[:, k], counts.shape[1]) for k, f in enumerate(features)]
    )
    mixed = shares[:, None, None] + _FRACTIONS[:, None] * (after - shares[:, None])[:, :, None]
    known = np.isfinite(after[:, :, 0])
    ordered = np.array([not f.category for f in features])[:, None, None]
    found = [
        _needed(_ratios(counts[:, None, None], np.nan_to_num(mixed), scale, ordered)) * scale.rows
        for scale in thresholds.scales
    ]
    return np.where(known[:, :, None], np.stack(found, axis=-1), np.nan)


def _ratios(
    reference: Counts, shares: Floats, scale: ScaleThresholds, ordered: npt.NDArray[np.bool_]
) -> Floats:
    """The largest statistic / threshold that is expected, shape (features, kinds, fractions)."""
    window = cast("Counts", shares * scale.rows)  # expected counts are no whole numbers
    rows = reference.sum(axis=-1)
    by_chance = ((reference > 0).sum(axis=-1) - 1) / 2 * (1 / scale.rows + 1 / rows)
    limits = [
        np.array(limit)[:, None, None]
        for limit in (scale.anderson_darling, scale.triangular, scale.rare)
    ]
    order = (anderson_darling(reference, window) + 1) * ordered / limits[0]
    share = (triangular_discrimination(reference, window) + by_chance) / limits[1]
    largest: Floats = np.maximum(np.maximum(order, share), rare_bins(reference, window) / limits[2])
    return largest


def _needed(ratios: Floats) -> Floats:
    """The part of a window, 0 to 1, from which on the ratio stays at 1 or above; else infinity."""
    low = ratios < 1
    first = np.where(low.any(axis=-1), len(_FRACTIONS) - low[..., ::-1].argmax(axis=-1), 0)
    at = np.minimum(first, len(_FRACTIONS) - 1)[..., None]
    above = np.take_along_axis(ratios, at, axis=-1)[..., 0]
    below = np.take_along_axis(ratios, np.maximum(at - 1, 0), axis=-1)[..., 0]
    step = np.divide(1 - below, above - below, out=np.zeros_like(above), where=above > below)
    part = (first - 1 + np.clip(step, 0, 1)) * _FRACTIONS[1]
    needed: Floats = np.where(first < len(_FRACTIONS), np.maximum(part, 0.0), np.inf)
    return needed


def _medians(needed: Floats, lengths: npt.NDArray[np.int64]) -> list[list[int | None]]:
    """Rows until the first alarm, by feature and kind."""
    began = (np.arange(_BEGINNINGS) + 0.5) / _BEGINNINGS * lengths.max()
    left = lengths[:, None] - began % lengths[:, None]
    enough = needed[..., None]
    until = np.where(left >= enough, left, left + lengths[:, None])
    until = np.where(enough <= lengths[:, None], until, np.inf).min(axis=-2)
    medians = np.median(until, axis=-1)
    never = np.all(np.isnan(needed), axis=-1)
    return [
        [
            None if nothing else round(rows) if np.isfinite(rows) else UNSEEN
            for rows, nothing in zip(line, without, strict=True)
        ]
        for line, without in zip(medians.tolist(), never.tolist(), strict=True)
    ]


def _pair_delays(
    reference: ReferenceProfile, thresholds: DriftThresholds, lengths: npt.NDArray[np.int64]
) -> list[PairDelay]:
    before = np.array(reference.correlations, np.float64)
    strongest = [
        k for k in np.argsort(-np.abs(before), kind="stable")[:PAIRS] if abs(before[k]) >= WEAKEST
    ]
    if not strongest:
        return []
    r = before[strongest][:, None]
    live = r * (1 - 2 * _FRACTIONS)
    needed = [
        _needed(np.abs(fisher_z(r, live, reference.rows, scale.rows)) / scale.correlation)
        * scale.rows
        for scale in thresholds.scales
    ]
    medians = _medians(np.stack(needed, axis=-1)[None], lengths)[0]
    first, second = np.triu_indices(len(reference.features), 1)
    names = [f.name for f in reference.features]
    return [
        PairDelay(
            a=names[first[k]], b=names[second[k]], correlation=float(before[k]), flipped=rows or 0
        )
        for k, rows in zip(strongest, medians, strict=True)
    ]
