"""The model spec: one TOML file that describes a model's whole life."""

import re
import tomllib
from pathlib import Path

import msgspec

from fleetloop_hub.errors import SpecError
from fleetloop_shared.chunks import CHUNK_BYTES
from fleetloop_shared.ids import NAME


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the spec; a key it does not know is an error, not a silence."""


class ModelTable(Table, frozen=True, kw_only=True):
    """Who this is about.

    Attributes:
        name: The model's name.
        seed: Of every random choice.
        hardware: Hardware types it may run on; empty means any.
    """

    name: str
    seed: int = 0
    hardware: list[str] = []


class SourceTable(Table, frozen=True, kw_only=True):
    """Where rows come from.

    Attributes:
        csv: A CSV file with a header, relative to the spec's folder.
        time: The column whose ascending order is time.
        label: The column that is predicted, with whole numbers.
        positive: The label whose probability is the score.
    """

    csv: str
    time: str
    label: str
    positive: int = 1


class FeatureTable(Table, frozen=True, kw_only=True):
    """One input of the model.

    Attributes:
        name: Its column.
        unit: What it is measured in.
        low: A value below is an error of measurement: the row is quarantined.
        high: A value above is one too.
    """

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None


class CandidateTable(Table, frozen=True, kw_only=True):
    """One algorithm to try.

    Attributes:
        name: What the run calls it.
        family: "logistic" or "mlp".
        hidden: Widths of the hidden layers, for "mlp".
        alpha: Strength of the L2 penalty.
    """

    name: str
    family: str
    hidden: list[int] = [64, 32]
    alpha: float = 0.01


class BudgetTable(Table, frozen=True, kw_only=True):
    """What the model may cost a device.

    Attributes:
        artifact_bytes: The largest artifact.
        latency_ms: The slowest median answer to one row, measured at the hub.
        memory_bytes: The most resident memory that loading it may add.
    """

    artifact_bytes: int = 1_000_000
    latency_ms: float = 5.0
    memory_bytes: int = 64_000_000


class GateTable(Table, frozen=True, kw_only=True):
    """What a version must reach, judged on the quantized bytes and held-out rows.

    Attributes:
        metric: "accuracy", "balanced_accuracy" or "roc_auc".
        floor: The lower end of the metric's 95 % interval must reach this.
        champion_margin: How far below the champion, on the same rows, the lower end of the 95 %
            interval of the difference may be.
        label_flips: The largest share of rows on which quantization may change the answer.
        held_out: The share of the newest rows that nothing is fitted or chosen on.
    """

    metric: str = "balanced_accuracy"
    floor: float = 0.6
    champion_margin: float = 0.0
    label_flips: float = 0.02
    held_out: float = 0.2


class DriftTable(Table, frozen=True, kw_only=True):
    """How devices watch the world.

    Attributes:
        window_rows: Rows in a window.
        false_alarms_per_1000_windows: The budget on rows like those of the reference.
    """

    window_rows: int = 256
    false_alarms_per_1000_windows: float = 1.0


class DeliveryTable(Table, frozen=True, kw_only=True):
    """How bytes travel.

    Attributes:
        chunk_bytes: The length of a chunk.
    """

    chunk_bytes: int = CHUNK_BYTES


class RolloutTable(Table, frozen=True, kw_only=True):
    """How a version takes over.

    Attributes:
        phases: Upper ends of the phases as shares of the cohort; the first is the canary.
        soak_rows: Rows a trial must serve on a device before it is committed.
        soak_s: Seconds after which a trial is committed also without rows.
        success_threshold: Share of decided and lost devices that must be well.
        error_threshold: Share of them at which the rollout is reverted.
        min_devices: Decided and lost devices needed for a judgement.
        lost_after_s: A device silent for so long in the middle of an update counts as failed.
    """

    phases: list[float] = [0.25, 1.0]
    soak_rows: int = 20
    soak_s: float = 60.0
    success_threshold: float = 0.9
    error_threshold: float = 0.2
    min_devices: int = 1
    lost_after_s: float = 120.0


class RetrainTable(Table, frozen=True, kw_only=True):
    """When and on what the model is trained anew.

    Attributes:
        drift_devices: Share of the reporting devices that must see drift.
        min_labels: Labelled rows since the drift began, before it is worth it.
        cooldown_s: Seconds between two retrainings.
        window: "all" rows, or "recent": the newest `window_rows`.
        window_rows: For "recent".
        sample_share: Share of served rows that devices may send.
    """

    drift_devices: float = 0.5
    min_labels: int = 500
    cooldown_s: float = 60.0
    window: str = "all"
    window_rows: int = 2_000
    sample_share: float = 1.0


class ModelSpec(Table, frozen=True, kw_only=True):
    """Everything about one model's life."""

    model: ModelTable
    source: SourceTable
    features: list[FeatureTable]
    candidates: list[CandidateTable]
    budget: BudgetTable = BudgetTable()
    gates: GateTable = GateTable()
    drift: DriftTable = DriftTable()
    delivery: DeliveryTable = DeliveryTable()
    rollout: RolloutTable = RolloutTable()
    retrain: RetrainTable = RetrainTable()


def parse(text: str) -> ModelSpec:
    """The spec in TOML text.

    Raises:
        SpecError: Naming the key, what is wrong with it and what to write instead.
    """
    try:
        spec = msgspec.convert(tomllib.loads(text), ModelSpec)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SpecError(f"model spec: {error}") from error
    for problem, present in _problems(spec).items():
        if present:
            raise SpecError(f"model spec: {problem}")
    return spec


def load(path: Path) -> tuple[ModelSpec, str]:
    """The spec in a file, and its text.

    Raises:
        SpecError: No such file, or not a spec.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"model spec {path}: {error}") from error
    return parse(text), text


def _problems(spec: ModelSpec) -> dict[str, bool]:
    names = [f.name for f in spec.features]
    candidates = [c.name for c in spec.candidates]
    phases = spec.rollout.phases
    return {
        f"model.name {spec.model.name!r}: use 1 to 64 of a-z 0-9 _ -": (
            re.fullmatch(NAME, spec.model.name) is None
        ),
        "features: name at least one column": not names,
        "features: a column is named twice": len(set(names)) < len(names),
        f"features: {spec.source.label!r} is the label; a model cannot be given its own answer": (
            spec.source.label in names
        ),
        "features: low must be below high": any(
            f.low is not None and f.high is not None and f.low >= f.high for f in spec.features
        ),
        "candidates: name at least one": not candidates,
        "candidates: a name is used twice": len(set(candidates)) < len(candidates),
        'candidates: family must be "logistic" or "mlp"': any(
            c.family not in {"logistic", "mlp"} for c in spec.candidates
        ),
        'gates.metric must be "accuracy", "balanced_accuracy" or "roc_auc"': (
            spec.gates.metric not in {"accuracy", "balanced_accuracy", "roc_auc"}
        ),
        "gates.held_out must be between 0.05 and 0.5": not 0.05 <= spec.gates.held_out <= 0.5,
        "drift.window_rows must be at least 16": spec.drift.window_rows < 16,
        "delivery.chunk_bytes must be 1,024 to 61,440": (
            not 1_024 <= spec.delivery.chunk_bytes <= CHUNK_BYTES
        ),
        "rollout.phases must ascend and end with 1.0": (
            not phases or phases[-1] != 1.0 or phases[0] <= 0 or sorted(set(phases)) != phases
        ),
        'retrain.window must be "all" or "recent"': spec.retrain.window not in {"all", "recent"},
        "retrain.sample_share must be 0 to 1": not 0 <= spec.retrain.sample_share <= 1,
    }
