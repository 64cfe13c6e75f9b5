"""One training run from job to result: prepare, fit, choose, judge, package, record."""

import time
from dataclasses import asdict, dataclass

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from fleetloop_hub.child import Progress
from fleetloop_hub.packaging.assembly import Origin, World, assemble
from fleetloop_hub.packaging.delays import delays
from fleetloop_hub.packaging.scales import shortcomings
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.tracking.opening import opened
from fleetloop_hub.training import evaluation
from fleetloop_hub.training.contest import Taken, contest
from fleetloop_hub.training.deciding import costs
from fleetloop_hub.training.job import Job, Result
from fleetloop_hub.training.prepared import Prepared, prepare
from fleetloop_hub.training.progress import Tell
from fleetloop_hub.validation import labelled
from fleetloop_hub.validation.accuracy import accuracy_reference
from fleetloop_hub.validation.exam import Exam
from fleetloop_hub.validation.examine import Papers, examine
from fleetloop_hub.validation.gates import judge
from fleetloop_hub.validation.summary import summarise
from fleetloop_shared.manifest_check import check

_READ, _HELD, _JUDGED = 0.05, 0.8, 0.9


@dataclass(frozen=True)
class Output:
    """What a run leaves behind.

    Attributes:
        result: All that is known about it.
        artifact: The quantized ONNX file.
        encoded: Its bytes as they travel.
        float_data: The same model, nothing quantized.
        evaluation: Truth and answers of the rows the gates judge by.
        labelled: Some of these rows themselves, with truth and answers.
    """

    result: Result
    artifact: bytes
    encoded: bytes
    float_data: bytes
    evaluation: bytes
    labelled: bytes


def train(job: Job, tell: Tell) -> Output:
    """Do a job, in this process, start to end; on one core, so that sums are always the same.

    Args:
        job: What to do.
        tell: Called whenever the run gets further.

    Raises:
        SpecError: The job's spec is not one.
        DataError: Its dataset version cannot be read.
        TrainingError: It came to nothing; the text says what to change.
    """
    with threadpool_limits(limits=1):
        return _train(job, tell)


def _train(job: Job, tell: Tell) -> Output:
    started_at, clock = time.time(), time.monotonic()
    tell(Progress(share=0.0, text="reading the dataset version"))
    prepared = prepare(job)
    spec = prepared.spec
    taken = contest(job, prepared, tell, (_READ, _HELD))
    tell(Progress(share=_HELD, text=f"judging {taken.record.name} on the held-out rows"))
    exam = _examine(job, prepared, taken)
    gates, evidence = judge(exam, spec)
    tell(Progress(share=_JUDGED, text="calibrating drift thresholds"))
    world = World(rows=prepared.frame.by_device(), held_out=prepared.split.held_out.values)
    manifest, encoded = assemble(
        spec,
        taken.signature,
        taken.packed.data,
        world,
        Origin(job.version, job.floor, job.dataset, job.run, started_at),
    )
    manifest = msgspec.structs.replace(manifest, accuracy=accuracy_reference(exam.challenger, spec))
    run = msgspec.structs.replace(
        _recorded(opened(job, spec, started_at), prepared, taken),
        metrics=summarise(exam) | _costs(exam, prepared),
        duration_s=time.monotonic() - clock,
    )
    result = Result(
        run=run,
        gates=gates,
        parity=exam.parity,
        manifest=check(manifest),
        evidence=msgspec.structs.replace(evidence, delays=delays(manifest, world.rows)),
        needs_approval=spec.gates.approval or job.needs_approval,
    )
    held_out = prepared.split.held_out
    judged = held_out.take(np.isfinite(held_out.label))
    return Output(
        result=result,
        artifact=taken.packed.data,
        encoded=encoded,
        float_data=taken.packed.float_data,
        evaluation=evaluation.encode(exam.challenger, judged),
        labelled=labelled.encode(exam.challenger, judged.values),
    )


def _recorded(run: Run, prepared: Prepared, taken: Taken) -> Run:
    parts = prepared.split
    return msgspec.structs.replace(
        run,
        state=RunState.FINISHED,
        candidates=taken.candidates,
        chosen=taken.record.name,
        pick=taken.pick,
        searches=taken.searches,
        part_rows={
            "train": len(parts.train),
            "validation": len(parts.validation),
            "held_out": len(parts.held_out),
        },
        notes=[
            *prepared.notes,
            *taken.notes,
            *shortcomings(len(prepared.frame), prepared.spec.drift.window_rows),
        ],
    )


def _costs(exam: Exam, prepared: Prepared) -> dict[str, float]:
    found = costs(exam.challenger, prepared.spec.label)
    return {} if found is None else {f"cost_{k}": float(v) for k, v in asdict(found).items()}


def _examine(job: Job, prepared: Prepared, taken: Taken) -> Exam:
    contamination = taken.record.parameters.get("contamination")
    papers = Papers(
        packed=taken.packed,
        signature=taken.signature,
        champion=job.champion,
        contamination=contamination if isinstance(contamination, float) else None,
        offsets=taken.groups,
    )
    held_out = prepared.split.held_out
    older = prepared.frame.take(slice(0, len(prepared.frame) - len(held_out)))
    return examine(papers, older, held_out, prepared.spec, must_beat=job.must_beat)
