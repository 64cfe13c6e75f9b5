"""One training run from job to result: prepare, fit, choose, judge, package, record."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fleetloop_hub.data import parquet
from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.assembly import Origin, World, assemble, signature
from fleetloop_hub.packaging.thresholds import shortcomings
from fleetloop_hub.records import RunState
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.spec.labels import positive_place
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.tracking.opening import opened
from fleetloop_hub.training import evaluation
from fleetloop_hub.training.classes import classes_of
from fleetloop_hub.training.job import Job, Progress, Result
from fleetloop_hub.training.split import Split, ordered, split
from fleetloop_hub.training.tournament import Tried, hold
from fleetloop_hub.validation.exam import Exam
from fleetloop_hub.validation.examine import Papers, examine
from fleetloop_hub.validation.gates import judge
from fleetloop_hub.validation.metrics import threshold_for
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
    gates, evidence = judge(exam, spec)
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
        metrics=summarise(exam),
        notes=shortcomings(len(prepared.frame), spec.drift.window_rows),
        duration_s=time.monotonic() - clock,
    )
    result = Result(
        run=run,
        gates=gates,
        parity=exam.parity,
        manifest=manifest,
        evidence=evidence,
        needs_approval=spec.gates.approval,
    )
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
    contamination = winner.record.parameters.get("contamination")
    papers = Papers(
        packed=winner.packed,
        signature=winner.signature,
        champion=job.champion,
        contamination=contamination if isinstance(contamination, float) else None,
    )
    held_out = prepared.split.held_out
    older = prepared.frame.take(slice(0, len(prepared.frame) - len(held_out)))
    return examine(papers, older, held_out, prepared.spec)


def _read(path: str, sha256: str, what: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TrainingError(f"the {what} cannot be read: {error}") from error
    if sha256_hex(data) != sha256:
        raise TrainingError(f"the {what} in {path} is not {sha256[:12]}: restore it from a copy")
    return data
