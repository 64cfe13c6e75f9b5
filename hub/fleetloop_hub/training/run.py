"""One training run from job to result: prepare, fit, choose, judge, package, record."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fleetloop_hub.data import parquet
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.packaging.assembly import Origin, World, assemble, signature
from fleetloop_hub.packaging.packing import Packed
from fleetloop_hub.packaging.parity import compare
from fleetloop_hub.packaging.thresholds import shortcomings
from fleetloop_hub.records import RunState
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.tracking.opening import opened
from fleetloop_hub.training.examples import Examples, Split, split, to_examples
from fleetloop_hub.training.job import Champion, Job, Progress, Result
from fleetloop_hub.training.tournament import hold
from fleetloop_hub.validation.gates import Exam, judge
from fleetloop_hub.validation.metrics import Answers, threshold_for
from fleetloop_hub.validation.summary import summarise
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Signature

Tell = Callable[[Progress], object]


@dataclass(frozen=True)
class Output:
    """What a run leaves behind.

    Attributes:
        result: All that is known about it.
        artifact: The quantized ONNX file.
        encoded: Its bytes as they travel.
    """

    result: Result
    artifact: bytes
    encoded: bytes


@dataclass(frozen=True)
class _Prepared:
    """A job's rows, ready to be learned from."""

    spec: ModelSpec
    examples: Examples
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
    exam = _examine(job, prepared, winner.packed)
    gates, metrics = judge(exam, spec.gates, spec.budget), summarise(exam)
    tell(Progress(share=0.8, text="calibrating drift thresholds"))
    manifest, encoded = assemble(
        spec,
        prepared.signature,
        winner.packed.data,
        World(rows=prepared.examples.by_device(), held_out=prepared.split.held_out.values),
        Origin(job.version, job.floor, job.dataset, job.run, started_at),
    )
    run = msgspec.structs.replace(
        opened(job, spec, started_at),
        state=RunState.FINISHED,
        candidates=candidates,
        chosen=winner.record.name,
        metrics=metrics,
        notes=shortcomings(len(prepared.examples.truth), spec.drift.window_rows),
        duration_s=time.monotonic() - clock,
    )
    result = Result(run=run, gates=gates, parity=exam.parity, manifest=manifest)
    return Output(result, winner.packed.data, encoded)


def _prepare(job: Job) -> _Prepared:
    spec = specs.parse(job.spec)
    data = _read(job.dataset_path, job.dataset, "dataset version")
    rows = parquet.decode(data, [feature.name for feature in spec.features])
    examples, labels = to_examples(rows, int(spec.label.positive))
    parts = split(examples, spec.gates.held_out)
    older = len(examples.truth) - len(parts.held_out.truth)
    threshold = threshold_for(spec.gates.metric, float(examples.truth[:older].mean()))
    form = signature(spec, labels, labels.index(int(spec.label.positive)), threshold)
    return _Prepared(spec, examples, parts, form)


def _examine(job: Job, prepared: _Prepared, packed: Packed) -> Exam:
    held_out, form = prepared.split.held_out, prepared.signature
    scores = Artifact(packed.data, form).scores(held_out.values)
    return Exam(
        challenger=Answers(held_out.truth, scores, form.decision_threshold),
        champion=None if job.champion is None else _champion(job.champion, prepared),
        parity=compare(packed.data, packed.float_data, form, held_out.values),
        seed=prepared.spec.model.seed,
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
    scores = artifact.scores(held_out.values[:, [names.index(name) for name in wanted]])
    return Answers(held_out.truth, scores, champion.signature.decision_threshold)


def _read(path: str, sha256: str, what: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TrainingError(f"the {what} cannot be read: {error}") from error
    if sha256_hex(data) != sha256:
        raise TrainingError(f"the {what} in {path} is not {sha256[:12]}: restore it from a copy")
    return data
