"""Compares the quantized artifact with the float file on real held-out rows."""

import numpy as np

from fleetloop_hub.packaging.artifact import Artifact, Rows, Scores
from fleetloop_hub.records import Parity
from fleetloop_shared.manifest import Signature


def label_flips(scores: Scores, others: Scores, threshold: float) -> int:
    """Rows on which two artifacts answer differently."""
    return int(np.count_nonzero((scores >= threshold) != (others >= threshold)))


def compare(data: bytes, float_data: bytes, signature: Signature, rows: Rows) -> Parity:
    """The parity report, measured with ONNX Runtime on both files."""
    quantized, exact = Artifact(data, signature), Artifact(float_data, signature)
    scores, others = quantized.scores(rows), exact.scores(rows)
    return Parity(
        rows=len(rows),
        label_flips=label_flips(scores, others, signature.decision_threshold),
        largest_gap=float(np.abs(scores - others).max()),
        float_bytes=len(float_data),
        artifact_bytes=len(data),
        float_ms=exact.median_ms(rows),
        artifact_ms=quantized.median_ms(rows),
    )
