"""One training run from job to result: prepare, fit, choose, judge, package, record."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fleetloop_hub.data import parquet
from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.packaging.assembly import Origin, World, assemble, signature
from fleetloop_hub.packaging.parity import compare
from fleetloop_hub.packaging.thresholds import shortcomings
from fleetloop_hub.records import RunState
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.spec.labels import positive_place
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.tracking.opening import opened
from fleetloop_hub.training import evaluation
from fleetloop_hub.training.classes import classes_of
from fleetloop_hub.training.job import Champion, Job, Progress, Result
from fleetloop_hub.training.split import Split, ordered, split
from fleetloop_hub.training.tournament import Tried, hold
from fleetloop_hub.validation.gates import Exam, judge
from fleetloop_hub.validation.metrics import Answers, threshold_for
from fleetloop_hub.validation.summary import summarise
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import NO_CLASS, Signature

Tell = Callable[[Progress], object]


@dataclass(frozen=True)
class Output:
    """What a run leaves behind.

    Attributes:
        result: All that is known about it.
        artifact: The quantized ONNX file.
        encoded: Its bytes as they travel.
        float_data: The same model, nothing quantized.
        evaluation: Truth and answers of the held-out rows.
    """

    result: Result
    artifact: bytes
    encoded: bytes
    float_data: bytes
    evaluation: bytes


@dataclass(frozen=True)
class _Prepared:
    """A job's rows, ready to be learned from."""

    spec: ModelSpec
    frame: Frame
    split: Split
    signature: Signature


def train(job: Job, tell: Tell) -> Output:
    """Do a job, in this process, start to end.

    Args:
        job: What to do.
        tell: Called whenever the run gets further.

    Raises:
        SpecError: The job's spec is not one.
        DataError: Its dataset version cannot be read.
        TrainingError: It came to nothing; the text says what to change.
    """
    started_at, clock = time.time(), time.monotonic()
    tell(Progress(share=0.0, text="reading the dataset version"))
    prepared = _prepare(job)
    spec = prepared.spec
    tell(Progress(share=0.1, text=f"fitting {len(spec.candidates)} candidates"))
    winner, candidates = hold(spec, prepared.split, prepared.signature)
    tell(Progress(share=0.6, text=f"judging {winner.record.name} on the held-out rows"))
    exam = _examine(job, prepared, winner)
    gates, metrics = judge(exam, spec.gates, spec.budget), summarise(exam)
    tell(Progress(share=0.8, text="calibrating drift thresholds"))
    manifest, encoded = assemble(
        spec,
        winner.signature,
        winner.packed.data,
        World(rows=prepared.frame.by_device(), held_out=prepared.split.held_out.values),
        Origin(job.version, job.floor, job.dataset, job.run, started_at),
    )
    run = msgspec.structs.replace(
        opened(job, spec, started_at),
        state=RunState.FINISHED,
        candidates=candidates,
        chosen=winner.record.name,
        metrics=metrics,
        notes=shortcomings(len(prepared.frame), spec.drift.window_rows),
        duration_s=time.monotonic() - clock,
    )
    result = Result(run=run, gates=gates, parity=exam.parity, manifest=manifest)
    held_out = evaluation.encode(exam.challenger, prepared.split.held_out)
    return Output(result, winner.packed.data, encoded, winner.packed.float_data, held_out)


def _prepare(job: Job) -> _Prepared:
    spec = specs.parse(job.spec)
    _read(job.dataset_path, job.dataset, "dataset version")
    frame = ordered(parquet.read_frame(Path(job.dataset_path), spec), spec)
    classes = classes_of(frame, spec)
    parts = split(frame, spec)
    older = frame.take(slice(0, len(frame) - len(parts.held_out)))
    form = signature(spec, classes, _threshold(older, spec, classes), _score_range(older, spec))
    return _Prepared(spec, frame, parts, form)


def _threshold(older: Frame, spec: ModelSpec, classes: list[int]) -> float:
    place = positive_place(spec, classes)
    if place == NO_CLASS:
        return 0.0
    return threshold_for(spec.gates.metric, float((older.label == classes[place]).mean()))


def _score_range(older: Frame, spec: ModelSpec) -> tuple[float, float]:
    """Where the score histogram lies: [0, 1], or half as wide again as a regression's labels."""
    if spec.model.task != "regression":
        return 0.0, 1.0
    low, high = float(older.label.min()), float(older.label.max())
    margin = (high - low) / 4
    return low - margin, high + margin


def _examine(job: Job, prepared: _Prepared, winner: Tried) -> Exam:
    held_out, form, packed = prepared.split.held_out, winner.signature, winner.packed
    outputs = Artifact(packed.data, form).outputs(held_out.values)
    return Exam(
        challenger=Answers(held_out.label, outputs, form),
        champion=None if job.champion is None else _champion(job.champion, prepared),
        parity=compare(packed.data, packed.float_data, form, held_out.values),
        seed=prepared.spec.model.seed,
        task=prepared.spec.model.task,
    )


def _champion(champion: Champion, prepared: _Prepared) -> Answers:
    """What the champion says about the same rows, in the columns that it knows."""
    names = [feature.name for feature in prepared.spec.features]
    wanted = [feature.name for feature in champion.signature.features]
    if unknown := [name for name in wanted if name not in names]:
        raise TrainingError(
            f"the champion reads {', '.join(unknown)}, which the spec no longer names, so the two "
            "cannot be compared: keep the column, or add the model under a new name"
        )
    held_out = prepared.split.held_out
    artifact = Artifact(_read(champion.path, champion.sha256, "champion"), champion.signature)
    outputs = artifact.outputs(held_out.values[:, [names.index(name) for name in wanted]])
    return Answers(held_out.label, outputs, champion.signature)


def _read(path: str, sha256: str, what: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TrainingError(f"the {what} cannot be read: {error}") from error
    if sha256_hex(data) != sha256:
        raise TrainingError(f"the {what} in {path} is not {sha256[:12]}: restore it from a copy")
    return data
