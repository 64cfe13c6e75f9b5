"""What a run takes: the winner of its candidates, or the file that it imports."""

import time
from dataclasses import dataclass
from pathlib import Path

from fleetloop_hub.child import Progress
from fleetloop_hub.packaging.head import GroupOffsets
from fleetloop_hub.packaging.packing import Packed
from fleetloop_hub.run_parts import Candidate, Setting
from fleetloop_hub.training.imported import enter
from fleetloop_hub.training.job import Job
from fleetloop_hub.training.prepared import Prepared
from fleetloop_hub.training.progress import Narrator, Tell
from fleetloop_hub.training.tournament import Rules, hold
from fleetloop_shared.manifest import Signature


@dataclass(frozen=True)
class Taken:
    """The model that a run goes on with.

    Attributes:
        record: What the run says about it.
        packed: Its files.
        signature: How its outputs are read.
        candidates: The records of all that was tried, best first.
        pick: Why it was taken, in words.
        searches: Every setting that was tried, by candidate.
        notes: What a person should know.
        groups: Thresholds of groups inside the graph, if there are any.
    """

    record: Candidate
    packed: Packed
    signature: Signature
    candidates: list[Candidate]
    pick: str
    searches: dict[str, list[Setting]]
    notes: list[str]
    groups: GroupOffsets | None = None


def contest(job: Job, prepared: Prepared, tell: Tell, part: tuple[float, float]) -> Taken:
    """Take in the file that a job imports, or hold a tournament of the spec's candidates.

    Args:
        job: What to do.
        prepared: Its rows.
        tell: Called whenever it gets further.
        part: Shares of the run at which this begins and ends.

    Raises:
        TrainingError: No candidate can be taken.
        ModelFileError: The file is not taken in.
    """
    spec = prepared.spec
    if job.imported is not None:
        tell(Progress(share=part[0], text=f"trying {job.imported.file}"))
        path = Path(job.imported_path)
        entered = enter(job.imported, path, spec, prepared.split, prepared.form)
        return Taken(
            record=entered.record,
            packed=entered.packed,
            signature=entered.signature,
            candidates=[entered.record],
            pick=entered.record.note,
            searches={},
            notes=entered.notes,
        )
    rules = Rules(Narrator(tell, time.monotonic, *part), time.monotonic)
    outcome = hold(spec, prepared.split, prepared.form, rules)
    winner = outcome.winner
    return Taken(
        record=winner.record,
        packed=winner.packed,
        signature=winner.model.signature,
        candidates=outcome.candidates,
        pick=outcome.pick,
        searches=outcome.searches,
        notes=outcome.notes,
        groups=winner.model.head.groups,
    )
