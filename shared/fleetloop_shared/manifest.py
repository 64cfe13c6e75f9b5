"""What is signed about an artifact: all a device needs to check it, run it and watch it."""

import msgspec

from fleetloop_shared.estimate.records import AccuracyReference
from fleetloop_shared.groups import GroupLimits
from fleetloop_shared.profile import DriftThresholds, ReferenceProfile

SCHEMA = 2

CLASSIFICATION = "classification"
REGRESSION = "regression"
ANOMALY = "anomaly"

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
        groups: Groups of people that devices count answers of, and how far they may be apart; None
            where no feature is such a group.
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
    groups: GroupLimits | None = None
