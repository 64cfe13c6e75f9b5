"""The reference of a manifest in C: the bins, means and spreads that rows are counted on."""

import numpy as np

from fleetloop_hub.packaging.c_program.flash import Flash
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.profile import ReferenceFeature


def facts(manifest: Manifest) -> dict[str, str | int]:
    """What stands in model_reference.h."""
    signature, features = manifest.signature, manifest.reference.features
    return {
        "bins": sum(len(feature.counts) for feature in features),
        "window_rows": manifest.thresholds.window_rows,
        "score_low": double(signature.score_low),
        "score_high": double(signature.score_high),
    }


def source(manifest: Manifest) -> str:
    """model_reference.c: the tables."""
    flash = Flash()
    rows = "".join(f"    {_row(flash, f)},\n" for f in manifest.reference.features)
    head = '#include "model_reference.h"\n\n#include <math.h>\n#include <stddef.h>\n'
    name = f"const model_bins model_reference[{len(manifest.reference.features)}]"
    return f"{head}\n{flash.text()}\n{name} = {{\n{rows}}};\n"


def _row(flash: Flash, feature: ReferenceFeature) -> str:
    edges = np.array(feature.edges, np.float32)
    table = flash.table(edges) if len(edges) else "NULL"
    sd = "INFINITY" if feature.category else double(feature.sd)
    return f"{{{table}, {len(edges)}, {double(feature.mean)}, {sd}}}"


def double(value: float) -> str:
    """A float64 as C.

    >>> double(0.1), double(2), double(-1e300)
    ('0.1', '2.0', '-1e+300')
    """
    return repr(float(value))
