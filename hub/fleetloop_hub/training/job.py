"""What hub and training process tell each other, besides the files that `child.py` names.

artifact.onnx       process → hub: the quantized model
encoded.bin         process → hub: the same as it travels
float.onnx          process → hub: the same model, nothing quantized
evaluation.parquet  process → hub: truth and answers of the held-out rows
labelled.parquet    process → hub: some of these rows themselves, with truth and answers
"""

from pathlib import Path

import msgspec

from fleetloop_hub.records import Run
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.version_parts import Evidence, GateResult, Parity
from fleetloop_shared.manifest import Manifest, Signature

ARTIFACT = Path("artifact.onnx")
ENCODED = Path("encoded.bin")
FLOAT = Path("float.onnx")
EVALUATION = Path("evaluation.parquet")
LABELLED = Path("labelled.parquet")


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
        must_beat: As in `runs.Order`.
        needs_approval: As in `runs.Order`.
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
    must_beat: bool = False
    needs_approval: bool = False


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
