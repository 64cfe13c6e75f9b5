"""Whether the parts of a manifest agree with each other: the first thing that is asked of one."""

import math

from fleetloop_shared.errors import ManifestError
from fleetloop_shared.estimate.records import contradictions
from fleetloop_shared.manifest import (
    ANOMALY,
    ANSWER,
    CLASSIFICATION,
    NO_CLASS,
    REFUSE,
    REGRESSION,
    SCHEMA,
    Golden,
    Manifest,
    Signature,
)
from fleetloop_shared.profile import SCORE_BINS
from fleetloop_shared.squeeze import ENCODINGS

_TASKS = frozenset({CLASSIFICATION, REGRESSION, ANOMALY})
_FEWEST_CLASSES = 2


def check(manifest: Manifest) -> Manifest:
    """Return `manifest` if its parts agree with each other.

    Raises:
        ManifestError: Naming the first contradiction.
    """
    problems = (
        {
            f"schema {manifest.schema}, this agent reads {SCHEMA}: update the older of the two": (
                manifest.schema != SCHEMA
            )
        }
        | _in_transport(manifest)
        | _in_signature(manifest.signature)
        | _in_reference(manifest)
        | _in_golden(manifest.golden, manifest.signature)
        | contradictions(manifest.accuracy, manifest.signature.classes)
    )
    for problem, present in problems.items():
        if present:
            raise ManifestError(f"manifest of {manifest.model} {manifest.version}: {problem}")
    return manifest


def _in_transport(manifest: Manifest) -> dict[str, bool]:
    transport = manifest.transport
    return {
        "an encoding this agent does not know": transport.encoding not in ENCODINGS,
        "the artifact is larger than its budget": (
            manifest.length_bytes > manifest.budget.artifact_bytes
        ),
        "chunks do not add up to the transport's length": (
            transport.chunk_bytes < 1
            or len(transport.chunks) != math.ceil(transport.length_bytes / transport.chunk_bytes)
        ),
        "a transport longer than what it carries": transport.length_bytes > manifest.length_bytes,
        "an identity transport of another length": (
            transport.encoding == "identity" and transport.length_bytes != manifest.length_bytes
        ),
    }


def _in_signature(signature: Signature) -> dict[str, bool]:
    classes, regression = signature.classes, signature.task == REGRESSION
    return {
        f"a task this agent does not know: {signature.task[:80]!r}": signature.task not in _TASKS,
        "no features": not signature.features,
        "a regression with classes": regression and bool(classes),
        "fewer than two classes: nothing to answer": (
            not regression and len(classes) < _FEWEST_CLASSES
        ),
        "a class stands twice": len(set(classes)) != len(classes),
        "class names are not one a class": (
            bool(signature.class_names) and len(set(signature.class_names)) != len(classes)
        ),
        "the positive class is not among the classes": not (
            NO_CLASS <= signature.positive < len(classes)
        ),
        "the score histogram has no width": not signature.score_low < signature.score_high,
        "an out_of_range this agent does not know": any(
            f.out_of_range not in {ANSWER, REFUSE} for f in signature.features
        ),
        "a category stands twice": any(
            len(set(f.categories)) != len(f.categories) for f in signature.features
        ),
    }


def _in_reference(manifest: Manifest) -> dict[str, bool]:
    features, reference = manifest.signature.features, manifest.reference
    width, scales = len(features), manifest.thresholds.scales
    rows = [scale.rows for scale in scales]
    return {
        "reference features are not the model's inputs": (
            [(f.name, f.category) for f in reference.features]
            != [(f.name, bool(f.categories)) for f in features]
        ),
        "a reference feature whose bins and counts differ": any(
            len(f.counts) != len(f.edges) + 1 or f.sd <= 0 for f in reference.features
        ),
        "correlations are not one a pair": len(reference.correlations) != width * (width - 1) // 2,
        "the score histogram has another number of bins": (
            len(reference.score_counts) != SCORE_BINS
        ),
        "thresholds are not one a feature": any(
            {len(scale.anderson_darling), len(scale.triangular), len(scale.rare)} != {width}
            for scale in scales
        ),
        "drift scales that are not ascending": rows != sorted(set(rows)) or not rows or rows[0] < 1,
        "a drift scale that is no whole number of blocks": (
            bool(rows) and any(r % max(rows[0], 1) for r in rows)
        ),
        "the reporting window is no drift scale": manifest.thresholds.window_rows not in rows,
    }


def _in_golden(golden: Golden, signature: Signature) -> dict[str, bool]:
    return {
        "golden rows are not the model's inputs": any(
            len(row) != len(signature.features) for row in golden.inputs
        ),
        "golden rows without their outputs": (
            not golden.inputs or len(golden.inputs) != len(golden.outputs)
        ),
        "golden outputs are not the model's": any(
            len(row) != signature.columns for row in golden.outputs
        ),
    }
