"""Compares the quantized artifact with the float file on real held-out rows."""

import numpy as np

from fleetloop_hub.packaging.artifact import Artifact, Outputs, Rows
from fleetloop_hub.version_parts import Parity
from fleetloop_shared.answers import Rule
from fleetloop_shared.manifest import NO_CLASS, REGRESSION, Signature

_NOTICEABLE = 0.01
"""Of the standard deviation of a regression's values."""

_ROUNDING = 1e-5
"""Of a probability; what sums in float32 may be off by."""


def label_flips(outputs: Outputs, others: Outputs, signature: Signature) -> int:
    """Rows on which two artifacts answer differently; values of a regression by a hundredth.

    A row on which the reference itself is undecided (half of a forest's trees say yes) is no flip
    as long as the artifact says the same numbers: which of two equals is taken hangs on the last
    bit of a sum. If its numbers are others, it is a flip there as anywhere.

    Args:
        outputs: The artifact's.
        others: The reference's.
        signature: How both are read.
    """
    rule = Rule(signature)
    answers, reference = rule.answer(outputs)[1], rule.answer(others)[1]
    if signature.task == REGRESSION:
        return int(np.count_nonzero(np.abs(answers - reference) > _NOTICEABLE * reference.std()))
    same_numbers = np.abs(outputs - others).max(axis=1) <= _ROUNDING
    tie = same_numbers & (_margin(others, signature) <= _ROUNDING)
    return int(np.count_nonzero((answers != reference) & ~tie))


def _margin(outputs: Outputs, signature: Signature) -> Outputs:
    """How far each row's outputs are from another answer."""
    ordered = np.sort(outputs, axis=1)
    top: Outputs = ordered[:, -1] - ordered[:, -2]
    if signature.positive == NO_CLASS:
        return top
    from_border: Outputs = np.abs(outputs[:, signature.positive] - signature.decision_threshold)
    if outputs.shape[1] == 2:  # noqa: PLR2004  # yes and no: the threshold alone decides
        return from_border
    others = np.sort(np.delete(outputs, signature.positive, axis=1), axis=1)
    margin: Outputs = np.minimum(from_border, others[:, -1] - others[:, -2])
    return margin


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
