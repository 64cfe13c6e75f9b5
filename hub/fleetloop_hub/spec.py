"""The model spec: one TOML file that describes a model's whole life."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleetloop_hub.errors import SpecError
from fleetloop_hub.spec_errors import explain, first_not_finite
from fleetloop_shared.chunks import CHUNK_BYTES
from fleetloop_shared.ids import NAME

Name = Annotated[str, Meta(pattern=f"^{NAME}$")]
Column = Annotated[str, Meta(min_length=1, max_length=200)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Phase = Annotated[float, Meta(gt=0.0, le=1.0)]
Width = Annotated[int, Meta(ge=1, le=4096)]
Metric = Literal["accuracy", "balanced_accuracy", "roc_auc"]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the spec; a key it does not know is an error, not a silence."""


class ModelTable(Table, frozen=True, kw_only=True):
    """Who this is about.

    Attributes:
        name: The model's name.
        seed: Of every random choice.
        hardware: Hardware types it may run on; empty means any.
    """

    name: Name
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    hardware: list[Name] = []


class SourceTable(Table, frozen=True, kw_only=True):
    """Where rows come from.

    Attributes:
        csv: A CSV file with a header, relative to the spec's folder.
        time: The column whose ascending order is time.
        label: The column that is predicted, with whole numbers.
        positive: The label whose probability is the score.
    """

    csv: Column
    time: Column
    label: Column
    positive: int = 1


class FeatureTable(Table, frozen=True, kw_only=True):
    """One input of the model.

    Attributes:
        name: Its column.
        unit: What it is measured in.
        low: A value below is an error of measurement: the row is quarantined.
        high: A value above is one too.
    """

    name: Column
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

    name: Name
    family: Literal["logistic", "mlp"]
    hidden: Annotated[list[Width], Meta(min_length=1, max_length=8)] = msgspec.field(
        default_factory=lambda: [64, 32]
    )
    alpha: Annotated[float, Meta(gt=0.0)] = 0.01


class BudgetTable(Table, frozen=True, kw_only=True):
    """What the model may cost a device.

    Attributes:
        artifact_bytes: The largest artifact.
        latency_ms: The slowest median answer to one row, measured at the hub.
        memory_bytes: The most resident memory that loading it may add.
    """

    artifact_bytes: Positive = 1_000_000
    latency_ms: Annotated[float, Meta(gt=0.0)] = 5.0
    memory_bytes: Positive = 64_000_000


class GateTable(Table, frozen=True, kw_only=True):
    """What a version must reach, judged on the quantized bytes and held-out rows.

    Attributes:
        metric: What candidates are chosen by and judged on. "accuracy" counts every row alike and
            answers yes from a score of 0.5; "balanced_accuracy" and "roc_auc" count both classes
            alike and answer yes from the share of positive rows in training.
        floor: The lower end of the metric's 95 % interval must reach this.
        champion_margin: How far below the champion, on the same rows, the lower end of the 95 %
            interval of the difference may be.
        label_flips: The largest share of rows on which quantization may change the answer.
        held_out: The share of the newest rows that nothing is fitted or chosen on.
    """

    metric: Metric = "balanced_accuracy"
    floor: Share = 0.6
    champion_margin: Share = 0.0
    label_flips: Share = 0.02
    held_out: Annotated[float, Meta(ge=0.05, le=0.5)] = 0.2


class DriftTable(Table, frozen=True, kw_only=True):
    """How devices watch the world.

    Attributes:
        window_rows: Rows in a window.
        false_alarms_per_1000_windows: The budget on rows like those of the reference.
    """

    window_rows: Annotated[int, Meta(ge=16)] = 256
    false_alarms_per_1000_windows: Annotated[float, Meta(gt=0.0, lt=1000.0)] = 1.0


class DeliveryTable(Table, frozen=True, kw_only=True):
    """How bytes travel.

    Attributes:
        chunk_bytes: The length of a chunk.
    """

    chunk_bytes: Annotated[int, Meta(ge=1_024, le=CHUNK_BYTES)] = CHUNK_BYTES


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

    phases: Annotated[list[Phase], Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: [0.25, 1.0]
    )
    soak_rows: Annotated[int, Meta(ge=0)] = 20
    soak_s: Seconds = 60.0
    success_threshold: Share = 0.9
    error_threshold: Share = 0.2
    min_devices: Positive = 1
    lost_after_s: Seconds = 120.0


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

    drift_devices: Share = 0.5
    min_labels: Positive = 500
    cooldown_s: Seconds = 60.0
    window: Literal["all", "recent"] = "all"
    window_rows: Positive = 2_000
    sample_share: Share = 1.0


class ModelSpec(Table, frozen=True, kw_only=True):
    """Everything about one model's life."""

    model: ModelTable
    source: SourceTable
    features: Annotated[list[FeatureTable], Meta(min_length=1)]
    candidates: Annotated[list[CandidateTable], Meta(min_length=1)]
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
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(f"model spec: not TOML: {error}") from error
    if (key := first_not_finite(tables)) is not None:
        raise SpecError(f"model spec: {key} is not a number; write a finite one")
    try:
        spec = msgspec.convert(tables, ModelSpec)
    except msgspec.ValidationError as error:
        raise SpecError(f"model spec: {explain(str(error), ModelSpec)}") from error
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
    """What no single key can be wrong about: keys that contradict each other."""
    names = [f.name for f in spec.features]
    candidates = [c.name for c in spec.candidates]
    label, time, phases = spec.source.label, spec.source.time, spec.rollout.phases
    upside_down = [
        f.name
        for f in spec.features
        if f.low is not None and f.high is not None and f.low >= f.high
    ]
    return {
        f"features.name: {_twice(names)!r} stands twice; name each column once": (
            len(set(names)) < len(names)
        ),
        f"features.name: {label!r} is source.label; a model cannot be given its own answer": (
            label in names
        ),
        f"source.time: {label!r} is source.label as well; name the column that orders the rows": (
            time == label
        ),
        f"features.low of {', '.join(upside_down)}: write a low that is below high": (
            bool(upside_down)
        ),
        f"candidates.name: {_twice(candidates)!r} stands twice; give each a name of its own": (
            len(set(candidates)) < len(candidates)
        ),
        f"rollout.phases {phases}: write shares that ascend and end with 1.0": (
            phases[-1] != 1.0 or sorted(set(phases)) != phases
        ),
    }


def _twice(names: list[str]) -> str:
    return next((name for name in names if names.count(name) > 1), "")
