"""Rows through the code that a device watches with, and what it says about them."""

import numpy as np
import numpy.typing as npt

from fleetloop_agent.serving.monitor import Monitor
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.drift.scan import Judged, Scan
from fleetloop_shared.manifest import Feature, Signature
from fleetloop_shared.profile import DriftThresholds, ReferenceProfile


def a_signature(reference: ReferenceProfile) -> Signature:
    """Of a model of the reference's features, of which everything is in range."""
    features = [
        Feature(name=f.name, categories=[str(k) for k in range(1_000)] if f.category else [])
        for f in reference.features
    ]
    return Signature(
        input_name="x",
        score_name="y",
        features=features,
        classes=[0, 1],
        positive=1,
        decision_threshold=0.5,
    )


def judged(
    reference: ReferenceProfile,
    thresholds: DriftThresholds,
    rows: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float64],
) -> list[Judged]:
    """All that a device tells of these rows."""
    signature = a_signature(reference)
    monitor = Monitor(Blocks(reference, signature), thresholds.scales[0].rows)
    monitor.extend(rows, scores)
    scan = Scan(reference, thresholds, signature)
    return [w for f in monitor.take() for w in scan.take(f.first_row, f.block)]


def closed(served: Predictor) -> list[Judged]:
    """The reporting windows that are over."""
    return [w.judged for w in served.collect().windows if w.judged.closed]
