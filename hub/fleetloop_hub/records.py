"""What the catalog keeps: one frozen struct a kind of document."""

from enum import StrEnum

import msgspec

from fleetloop_hub.dataset_parts import DeviceShare, Fault, Shift, SourceMark
from fleetloop_hub.run_parts import Candidate, Imported, Machine, Reproduction, Setting
from fleetloop_hub.version_parts import Approval, Evidence, GateResult, Parity
from fleetloop_shared.manifest import CLASSIFICATION


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A document of the catalog, found by its kind and its `key`."""

    key: str


class Dataset(Record, frozen=True, kw_only=True):
    """An immutable dataset version; `key` is the SHA-256 of its rows.

    Attributes:
        model: The model it is for.
        source: Where its rows came from, in words.
        rows: How many can be trained on.
        positives: How many carry the positive label.
        quarantined: How many rows failed each check; a row that failed several counts for each.
        parent: The dataset version it grew from.
        created_at: Unix seconds.
        quarantined_rows: Rows that were kept out.
        waiting: Rows whose label has not come yet.
        added: Rows that the parent did not have, of all kinds.
        gone: Rows of the parent that are not in it any more, since sources were read anew.
        read_anew: Those sources: they have not only grown, or the spec asks other things of rows.
        timed: Whether a row's time is its own, and not only its place in its source.
        labels: Rows of each class, by its number; of no class that no row has.
        names: Texts of categories and classes by their numbers, by the column of its rows' file.
        sources: What was read, and where to go on.
        shape: SHA-256 of what the spec says about rows; another shape is read anew.
        quarantine: SHA-256 of the Parquet file with the quarantined rows, if there are any.
        late_labels: SHA-256 of the Parquet file with the late labels that were read, if any.
        faults: Every failed check with its count and first rows.
        drift: The new rows against the parent's, the column that moved most first.
        devices: The rows from the field by device, the largest first, 200 at most.
        labelled: Labelled rows of devices that had come when it was built, used or not.
        window: Which of all rows it keeps, in words; "" where sources were read.
    """

    model: str
    source: str
    rows: int
    positives: int
    quarantined: dict[str, int]
    parent: str | None
    created_at: float
    quarantined_rows: int = 0
    waiting: int = 0
    added: int = 0
    gone: int = 0
    read_anew: list[str] = []
    timed: bool = True
    labels: dict[str, int] = {}
    names: dict[str, dict[str, str]] = {}
    sources: list[SourceMark] = []
    shape: str = ""
    quarantine: str | None = None
    late_labels: str | None = None
    faults: list[Fault] = []
    drift: list[Shift] = []
    devices: list[DeviceShare] = []
    labelled: int = 0
    window: str = ""


class RunState(StrEnum):
    """How far a run has come; QUEUED until the hub is free, WAITING for a person's word."""

    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self in {RunState.FINISHED, RunState.FAILED, RunState.CANCELLED}


class Run(Record, frozen=True, kw_only=True):
    """One training run, small enough for a catalog; what is bulky lies among the blobs.

    Attributes:
        model: The model it was for.
        state: How far it has come.
        dataset: The dataset version it was trained on.
        spec: SHA-256 of the model spec.
        seed: Of every random choice.
        code: The code's version and revision, and a hash of what is changed in a clone.
        libraries: Versions of the libraries that bear on the result.
        candidates: What was tried, best first; their curves may lie among the artifacts.
        chosen: The candidate that was taken.
        metrics: Of the chosen quantized artifact on the held-out rows.
        metric: The one of them that candidates were chosen by and judged on.
        started_at: Unix seconds.
        duration_s: How long it took.
        notes: What a person should know about the result, in words.
        error: Why it failed, with the next step.
        number: The version that it was to become.
        floor: The security floor at which that would be released.
        champion: SHA-256 of the artifact it was compared with, None if there was none.
        machine: What it ran on.
        asked_by: A person's name, or what the hub was led by: "drift", "accuracy".
        reason: Why it was trained, in words.
        decision: The decision record it comes from; "" if it is a reproduction.
        artifacts: What it left, as SHA-256 by file name: `log.txt`, `artifact.onnx`, ...
        reproduces: The run that this one did again; such a run never becomes a version.
        reproduction: What came of that.
        pick: Why the chosen candidate was taken, in words.
        searches: Every setting that was tried, by candidate.
        part_rows: How many rows each part of the dataset version has.
        imported: The file that was taken in instead of training, None if it was trained.
        swept: Of its artifacts only the names are left.
    """

    model: str
    state: RunState
    dataset: str
    spec: str
    seed: int
    code: str
    libraries: dict[str, str]
    started_at: float
    candidates: list[Candidate] = []
    chosen: str | None = None
    metrics: dict[str, float] = {}
    metric: str = ""
    duration_s: float = 0.0
    notes: list[str] = []
    error: str | None = None
    number: int = 0
    floor: int = 0
    champion: str | None = None
    machine: Machine | None = None
    asked_by: str = ""
    reason: str = ""
    decision: str = ""
    artifacts: dict[str, str] = {}
    reproduces: str | None = None
    reproduction: Reproduction | None = None
    pick: str = ""
    searches: dict[str, list[Setting]] = {}
    part_rows: dict[str, int] = {}
    imported: Imported | None = None
    swept: bool = False


class VersionState(StrEnum):
    """What may be done with a version."""

    BLOCKED = "blocked"
    WAITING = "waiting"
    REJECTED = "rejected"
    READY = "ready"
    RELEASED = "released"
    REVERTED = "reverted"
    ARCHIVED = "archived"
    DELETED = "deleted"


class Version(Record, frozen=True, kw_only=True):
    """A model version; `key` is `model/number`.

    Attributes:
        model: The model.
        number: From 1.
        state: What may be done with it; of a deleted version only this record is left.
        run: The run that made it.
        dataset: What it was trained on.
        artifact: SHA-256 of the quantized ONNX file.
        manifest: SHA-256 of the signed manifest, None while a gate blocks it.
        manifest_bytes: Length of the signed manifest.
        transport: SHA-256 of the encoded bytes that travel.
        gates: Every gate's verdict.
        parity: Quantized against float.
        metrics: On the held-out rows.
        decision: The decision record that says why it exists.
        created_at: Unix seconds.
        evidence: What the gates looked at.
        approvals: What people have said to it, oldest first.
        needs_approval: Whether its spec wants a person to approve it.
        unsigned: SHA-256 of the manifest as it would be signed.
        task: "classification", "regression" or "anomaly".
        tags: What people have noted about it, by key.
    """

    model: str
    number: int
    state: VersionState
    run: str
    dataset: str
    artifact: str
    manifest: str | None
    manifest_bytes: int
    transport: str | None
    gates: list[GateResult]
    parity: Parity
    metrics: dict[str, float]
    decision: str
    created_at: float
    task: str = CLASSIFICATION
    tags: dict[str, str] = {}
    evidence: Evidence = Evidence()
    approvals: list[Approval] = []
    needs_approval: bool = False
    unsigned: str | None = None


class Alias(Record, frozen=True, kw_only=True):
    """A name for a version; `key` is `model/champion`, `model/challenger`, `model/previous` ...

    Attributes:
        version: The version's number; NO_VERSION if the name has been taken from the one it meant.
    """

    version: int


NO_VERSION = 0
"""The number of no version."""


class Verdict(StrEnum):
    """What the hub can decide to do."""

    WAIT = "wait"
    INVESTIGATE = "investigate-device"
    RETRAIN = "retrain"
    ROLL_BACK = "roll-back"


class Model(Record, frozen=True, kw_only=True):
    """A model, by its name, and the spec that describes its life.

    Attributes:
        spec: SHA-256 of the blob that holds the spec's text.
        floor: Security floor; versions released below it are not installed.
        added_at: Unix seconds.
    """

    spec: str
    floor: int
    added_at: float
