"""The reference of a manifest in C: the bins, means and spreads that rows are counted on."""

import numpy as np

from fleetloop_hub.packaging.c_program.flash import Flash, literal
from fleetloop_shared.drift.moments import REACH_SD, STEPS, scales
from fleetloop_shared.drift.rolled import told_digits
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.profile import ReferenceFeature

_LARGEST = float(np.finfo(np.float32).max)


def facts(manifest: Manifest) -> dict[str, str | int]:
    """What stands in model_reference.h."""
    signature, features = manifest.signature, manifest.reference.features
    return {
        "steps": STEPS,
        "reach": int(REACH_SD * STEPS),
        "bins": sum(len(feature.counts) for feature in features),
        "window_rows": manifest.thresholds.window_rows,
        "score_low": double(signature.score_low),
        "score_high": double(signature.score_high),
    }


def source(manifest: Manifest) -> str:
    """model_reference.c: the tables."""
    flash, features = Flash(), manifest.reference.features
    means, sds = scales(features)
    with np.errstate(over="ignore"):
        per_unit = np.minimum(STEPS / sds, _LARGEST).astype(np.float32)
    scaled = zip(features, means.astype(np.float32), per_unit, strict=True)
    rows = "".join(f"    {_row(flash, *each)},\n" for each in scaled)
    expected = "".join(f"    {double(value)},\n" for value in _expected(manifest))
    return "\n".join(
        [
            '#include "model_reference.h"\n\n#include <stddef.h>\n',
            flash.text(),
            f"const model_bins model_reference[{len(features)}] = {{\n{rows}}};\n",
            f"const double model_correlations[MODEL_PAIRS] = {{\n{expected}}};\n",
        ]
    )


def _row(flash: Flash, feature: ReferenceFeature, mean: np.float32, per_unit: np.float32) -> str:
    edges = np.array(feature.edges, np.float32)
    table = flash.table(edges) if len(edges) else "NULL"
    digits = told_digits(feature.sd)
    rounding = f"{double(10.0 ** max(digits, 0))}, {double(10.0 ** max(-digits, 0))}"
    return f"{{{table}, {len(edges)}, {literal(mean)}, {literal(per_unit)}, {rounding}}}"


def _expected(manifest: Manifest) -> list[float]:
    """The correlations of the pairs i <= j, row by row."""
    width = len(manifest.reference.features)
    full = np.eye(width)
    full[np.triu_indices(width, 1)] = manifest.reference.correlations
    found: list[float] = full[np.triu_indices(width)].tolist()
    return found


def double(value: float) -> str:
    """A float64 as C.

    >>> double(0.1), double(2), double(-1e300)
    ('0.1', '2.0', '-1e+300')
    """
    return repr(float(value))
