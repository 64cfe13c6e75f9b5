"""What is signed about an artifact: all a device needs to check it, run it and watch it."""

import math

import msgspec

from fleetloop_shared.errors import ManifestError
from fleetloop_shared.estimate.records import AccuracyReference, contradictions
from fleetloop_shared.profile import SCORE_BINS, DriftThresholds, ReferenceProfile
from fleetloop_shared.squeeze import ENCODINGS

SCHEMA = 2

CLASSIFICATION = "classification"
REGRESSION = "regression"
ANOMALY = "anomaly"
_TASKS = frozenset({CLASSIFICATION, REGRESSION, ANOMALY})
_FEWEST_CLASSES = 2

NO_CLASS = -1
"""As `Signature.positive`: no class is special."""

ANSWER, REFUSE = "answer", "refuse"
"""What a device does with a row that has a value outside its feature's range or categories."""

OTHER = -1.0
"""As a category's number: none of those that the model knows."""


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """One input of the model, as float32; a missing value is NaN.

    A category is given to the model as its place in `categories`, or as `OTHER`.

    Attributes:
        name: Its name.
        unit: What it is measured in, "" if it has no unit.
        low: Values below are out of range.
        high: Values above are out of range.
        categories: The values that a category can have; empty for a number. Others are out of
            range.
        out_of_range: "answer" such a value, and count it; or "refuse" its row, saying why. A
            missing value is never out of range.
    """

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    categories: list[str] = []
    out_of_range: str = ANSWER


class CalibrationMap(msgspec.Struct, frozen=True, kw_only=True):
    """How the graph makes probabilities of the model's own scores; for people, it is in the graph.

    Attributes:
        method: "none"; "sigmoid", of `x[0]` times the score's logit plus `x[1]`; "isotonic",
            straight lines between the points (x, y); "temperature", the softmax of `x[0]` times the
            log-probabilities.
        x: Parameters, or the places of the points.
        y: The heights of the points.
    """

    method: str = "none"
    x: list[float] = []
    y: list[float] = []


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """The model's input and output, enforced on the device at predict time.

    Attributes:
        input_name: The ONNX input, shape (rows, features), float32.
        score_name: The ONNX output, float32: probabilities of shape (rows, classes), or the values
            of a regression, of shape (rows, 1).
        features: In the order of the input's columns.
        classes: The labels, in the order of the output's columns; none for a regression.
        positive: The index in `classes` whose probability is the score, or `NO_CLASS`.
        decision_threshold: The label is `classes[positive]` where `score >= threshold`.
        task: "classification", "regression" or "anomaly"; see `answers.Rule` for how each is read.
        class_names: What the classes are called, in their order; empty where they are called by
            their number.
        score_low: Where the score histogram begins; a score below falls into its first bin.
        score_high: Where it ends; a score above falls into its last bin.
    """

    input_name: str
    score_name: str
    features: list[Feature]
    classes: list[int]
    positive: int
    decision_threshold: float
    task: str = CLASSIFICATION
    class_names: list[str] = []
    score_low: float = 0.0
    score_high: float = 1.0
    calibration: CalibrationMap = CalibrationMap()

    @property
    def columns(self) -> int:
        """How many columns the output has."""
        return 1 if self.task == REGRESSION else len(self.classes)


class Transport(msgspec.Struct, frozen=True, kw_only=True):
    """How the artifact's bytes travel: cut into chunks that are named by their hashes.

    Attributes:
        encoding: "identity", "zlib" (RFC 1950) or "xz"; see `squeeze`.
        sha256: Of the encoded bytes; the name under which chunks are published.
        length_bytes: Of the encoded bytes.
        chunk_bytes: The length of every chunk but the last.
        chunks: The SHA-256 of each chunk, in order.
    """

    encoding: str
    sha256: str
    length_bytes: int
    chunk_bytes: int
    chunks: list[str]


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs and the outputs they must give: the device proves its own runtime.

    Attributes:
        inputs: Rows of float32 values, None where missing.
        outputs: All outputs of each row, computed by the hub from the same artifact.
        tolerance: The largest absolute difference of one output that passes.
    """

    inputs: list[list[float | None]]
    outputs: list[list[float]]
    tolerance: float


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What a model may cost a device.

    Attributes:
        artifact_bytes: The largest artifact.
        latency_ms: The slowest median answer to one row.
        memory_bytes: The most resident memory that loading it may add.
    """

    artifact_bytes: int
    latency_ms: float
    memory_bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The signed description of one model version.

    Attributes:
        schema: The version of this form.
        model: The model's name.
        version: Its version, from 1.
        sha256: Of the artifact, an ONNX file.
        length_bytes: Of the artifact.
        transport: How it travels.
        signature: Inputs and outputs.
        reference: The profile of the training rows.
        thresholds: The calibrated drift thresholds.
        golden: Inputs and expected scores.
        budget: What it may cost.
        floor: The security floor at which it was released.
        hardware: The hardware types it is for; empty means any.
        dataset: The SHA-256 of the dataset version it was trained on.
        run: The run that made it.
        created_at: Unix seconds.
        accuracy: How its answers compared with held-out labels, None where there were none.
    """

    schema: int
    model: str
    version: int
    sha256: str
    length_bytes: int
    transport: Transport
    signature: Signature
    reference: ReferenceProfile
    thresholds: DriftThresholds
    golden: Golden
    budget: Budget
    floor: int
    hardware: list[str]
    dataset: str
    run: str
    created_at: float
    accuracy: AccuracyReference | None = None


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
