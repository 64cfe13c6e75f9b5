"""What hub and training process tell each other through the files of a run's folder.

job.json            hub → process: what to do
progress.jsonl      process → hub: a line whenever it gets further
artifact.onnx       process → hub: the quantized model
encoded.bin         process → hub: the same as it travels
float.onnx          process → hub: the same model, nothing quantized
evaluation.parquet  process → hub: truth and answers of the held-out rows
result.json         process → hub: written last, so that everything it speaks of is there
failure.json        process → hub: instead of a result
log.txt             what libraries print
"""

from pathlib import Path

import msgspec

from fleetloop_hub.records import Run
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.version_parts import Evidence, GateResult, Parity
from fleetloop_shared.manifest import Manifest, Signature

JOB = Path("job.json")
PROGRESS = Path("progress.jsonl")
ARTIFACT = Path("artifact.onnx")
ENCODED = Path("encoded.bin")
FLOAT = Path("float.onnx")
EVALUATION = Path("evaluation.parquet")
RESULT = Path("result.json")
FAILURE = Path("failure.json")
LOG = Path("log.txt")


class Champion(msgspec.Struct, frozen=True, kw_only=True):
    """The artifact that a new one has to measure itself against.

    Attributes:
        path: Its file.
        sha256: What that file must hold.
        signature: Its inputs, outputs and decision threshold.
    """

    path: str
    sha256: str
    signature: Signature


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One training run to be done.

    Attributes:
        run: Its id.
        spec: The model spec's text.
        version: The number that the model version will have.
        floor: The security floor it will be released at.
        dataset: SHA-256 of the dataset version.
        dataset_path: The file that holds it.
        code: The code's version.
        reason: Why it is trained, in words.
        champion: What it has to beat, None if there is nothing.
        asked_by: A person's name, or what the hub was led by.
        decision: The decision record it comes from, "" if it is a reproduction.
        reproduces: The run that is to be done again, None if this one is to become a version.
        imported: The file to take in instead of training, None if candidates are trained.
        imported_path: The file that holds it.
    """

    run: str
    spec: str
    version: int
    floor: int
    dataset: str
    dataset_path: str
    code: str
    reason: str
    champion: Champion | None = None
    asked_by: str = ""
    decision: str = ""
    reproduces: str | None = None
    imported: Imported | None = None
    imported_path: str = ""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is.

    Attributes:
        share: Of the work that is done, 0 to 1.
        text: What is being done, in words.
        left_s: Seconds that this stretch of it may still take, None while nobody knows.
    """

    share: float
    text: str
    left_s: float | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has made; the artifact lies beside it.

    Attributes:
        run: Its record.
        gates: Every gate's verdict.
        parity: Quantized against float.
        manifest: Of the artifact, not signed yet.
        evidence: What the gates looked at.
        needs_approval: Whether a person must approve what has passed.
    """

    run: Run
    gates: list[GateResult]
    parity: Parity
    manifest: Manifest
    evidence: Evidence = Evidence()
    needs_approval: bool = False


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run has come to nothing.

    Attributes:
        text: What happened and what to do next.
    """

    text: str
