"""The record of a run as it begins: everything that is needed to do it again."""

from fleetloop_hub.records import Run, RunState
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.tracking.environment import libraries, machine
from fleetloop_hub.training.job import Job
from fleetloop_shared.ids import sha256_hex


def opened(job: Job, spec: ModelSpec, started_at: float) -> Run:
    """The record of a run that is under way.

    The same dataset version, spec, seed, code and libraries give the same artifact, byte for byte,
    on a processor of the same kind.
    """
    return Run(
        key=job.run,
        model=spec.model.name,
        state=RunState.RUNNING,
        dataset=job.dataset,
        spec=sha256_hex(job.spec.encode()),
        seed=spec.model.seed,
        metric=spec.gates.metric,
        code=job.code,
        libraries=libraries(),
        started_at=started_at,
        number=job.version,
        floor=job.floor,
        champion=None if job.champion is None else job.champion.sha256,
        machine=machine(),
        asked_by=job.asked_by,
        reason=job.reason,
        decision=job.decision,
        reproduces=job.reproduces,
        imported=job.imported,
    )
