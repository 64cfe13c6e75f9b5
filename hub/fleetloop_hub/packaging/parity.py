"""Compares the quantized artifact with the float file on real held-out rows."""

import numpy as np

from fleetloop_hub.packaging.artifact import Artifact, Outputs, Rows
from fleetloop_hub.records import Parity
from fleetloop_shared.answers import Rule
from fleetloop_shared.manifest import REGRESSION, Signature

_NOTICEABLE = 0.01
"""Of the standard deviation of a regression's values."""


def label_flips(outputs: Outputs, others: Outputs, signature: Signature) -> int:
    """Rows on which two artifacts answer differently; values of a regression by a hundredth."""
    rule = Rule(signature)
    answers, reference = rule.answer(outputs)[1], rule.answer(others)[1]
    if signature.task == REGRESSION:
        return int(np.count_nonzero(np.abs(answers - reference) > _NOTICEABLE * reference.std()))
    return int(np.count_nonzero(answers != reference))


def compare(data: bytes, float_data: bytes, signature: Signature, rows: Rows) -> Parity:
    """The parity report, measured with ONNX Runtime on both files."""
    quantized, exact = Artifact(data, signature), Artifact(float_data, signature)
    outputs, others = quantized.outputs(rows), exact.outputs(rows)
    return Parity(
        rows=len(rows),
        label_flips=label_flips(outputs, others, signature),
        largest_gap=float(np.abs(outputs - others).max()),
        float_bytes=len(float_data),
        artifact_bytes=len(data),
        float_ms=exact.median_ms(rows),
        artifact_ms=quantized.median_ms(rows),
    )
