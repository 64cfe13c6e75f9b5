"""What the catalog keeps about the fleet: devices, tokens, cohorts, rollouts, seeded content."""

from enum import StrEnum
from typing import ClassVar

import msgspec

from fleetloop_hub.judgement_records import Judgement
from fleetloop_hub.records import Record


class Device(Record, frozen=True, kw_only=True):
    """An enrolled device; `key` is its id. What it last said is kept in telemetry.

    Attributes:
        cohort: The cohort it belongs to.
        hardware: Its hardware type.
        password: Its broker password, which the broker's own files need.
        enrolled_at: Unix seconds.
    """

    cohort: str
    hardware: str
    password: str
    enrolled_at: float


class Discovery(Record, frozen=True, kw_only=True):
    """Below which prefix Home Assistant is told of devices; there is one.

    Attributes:
        password: Of its account at the broker, which reads and writes nothing of ours.
        prefix: "" for nowhere.
        url: Where the console is for people, "" if nobody has said.
        former: Prefixes below which what was told is still to be cleared.
    """

    KEY: ClassVar[str] = "home-assistant"

    password: str
    prefix: str = ""
    url: str = ""
    former: list[str] = msgspec.field(default_factory=list)


class LabelSource(Record, frozen=True, kw_only=True):
    """An account at the broker that may tell labels and nothing else; `key` is its name.

    Attributes:
        password: For the broker, whose own files need it.
        made_at: Unix seconds.
    """

    password: str
    made_at: float


class Token(Record, frozen=True, kw_only=True):
    """A one-time enrolment token; `key` is the SHA-256 of its secret.

    Attributes:
        cohort: Where the device will belong.
        created_at: Unix seconds.
        expires_at: Unix seconds.
        roots: Versions of image and director root that its fingerprint stands for.
        device: Who has used it, None while it is unused.
    """

    cohort: str
    created_at: float
    expires_at: float
    roots: tuple[int, int]
    device: str | None = None


class RolloutState(StrEnum):
    """States of a rollout; `delivery/rollout_states.py` has the table of what leads where."""

    WAITING = "waiting"
    APPROVED = "approved"
    OPEN = "open"
    SOAKING = "soaking"
    JUDGED = "judged"
    PAUSED = "paused"
    HALTING = "halting"
    DONE = "done"
    REVERTED = "reverted"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


UNDER_WAY = frozenset(
    {
        RolloutState.WAITING,
        RolloutState.APPROVED,
        RolloutState.OPEN,
        RolloutState.SOAKING,
        RolloutState.JUDGED,
        RolloutState.PAUSED,
        RolloutState.HALTING,
    }
)
"""States from which a rollout still moves."""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout came into a state.

    Attributes:
        at: Unix seconds.
        state: Which.
        text: Why, in words.
    """

    at: float
    state: RolloutState
    text: str


class Rollout(Record, frozen=True, kw_only=True):
    """One version's way to some devices of one cohort.

    Attributes:
        model: The model.
        version: What is rolled out.
        control: The version that the others keep, None if they have none.
        cohort: The devices' cohort.
        where: Label query of the devices that get it, "" for all of the cohort.
        place: What people call them: a cohort's name, or cohort and query.
        salt: Decides who is in which phase.
        phases: Each a share of the devices or "N devices", the last 1.0; the first is the canary.
        phase: Index of the phase that is open, 0 before the first is.
        bucket: Upper bucket of the open phase for hardware types without one of their own.
        phase_by_hardware: The same by type, as counted when the phase opened.
        devices: How many devices it was about when the phase opened.
        state: Where it stands.
        since: Unix seconds at which it came into this state.
        resumes: The state that it was paused in.
        phase_since: Unix seconds at which the phase opened.
        started_at: Unix seconds.
        expires_at: Unix seconds at which it ends wherever it stands; None: never.
        deadline: After this no device of the open phase begins, Unix seconds; None: no limit.
        ended_at: Unix seconds, None while it runs.
        approval: Who has approved it and why, "" if nobody had to.
        exempt: Devices that had given the artifact up before it began; they do not count.
        evidence: Counts of the last look.
        judgement: How the devices that took it do beside the control, as of the last look that
            had both to compare.
        text: The last look in words.
        history: Every state it came into, oldest first; the newest hundred.
        decision: Key of the decision that asked for it, "" if a person did.
        noted: The state whose consequences its version and its decision have already.
    """

    model: str
    version: int
    control: int | None
    cohort: str
    where: str = ""
    place: str = ""
    salt: str
    phases: list[float | str]
    phase: int
    bucket: int = 0
    phase_by_hardware: dict[str, int] = msgspec.field(default_factory=dict)
    devices: int = 0
    state: RolloutState
    since: float = 0.0
    resumes: RolloutState | None = None
    phase_since: float
    started_at: float
    expires_at: float | None = None
    deadline: float | None = None
    ended_at: float | None = None
    approval: str = ""
    exempt: list[str] = msgspec.field(default_factory=list)
    evidence: dict[str, int] = msgspec.field(default_factory=dict)
    judgement: Judgement | None = None
    text: str = ""
    history: list[Passage] = msgspec.field(default_factory=list)
    decision: str = ""
    noted: RolloutState | None = None

    @property
    def under_way(self) -> bool:
        """Whether it still moves."""
        return self.state in UNDER_WAY


class LabelCohort(Record, frozen=True, kw_only=True):
    """A name for the devices of a cohort that a label query is about; `key` is the name.

    Attributes:
        home: The cohort.
        where: The label query.
        gone: Whether a person has taken the name back.
    """

    home: str
    where: str
    gone: bool = False


class Quarantine(Record, frozen=True, kw_only=True):
    """An artifact that no device of a hardware type is offered; `key` is "SHA256/HARDWARE".

    Attributes:
        model: Its model.
        version: Its version.
        artifact: SHA-256 of the artifact.
        hardware: The type.
        reason: What it did there, in words.
        rollout: Where that was seen.
        at: Unix seconds.
        lifted: Who has lifted it and why, "" while it stands.
        lifted_at: Unix seconds, None while it stands.
    """

    model: str
    version: int
    artifact: str
    hardware: str
    reason: str
    rollout: str
    at: float
    lifted: str = ""
    lifted_at: float | None = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What some devices of a cohort have from a rollout that has ended well.

    Attributes:
        where: Label query that says which.
        version: Key of the version.
    """

    where: str
    version: str


class Cohort(Record, frozen=True, kw_only=True):
    """A named set of devices and the number of the last statement signed for it.

    Attributes:
        sequence: Of the last desired state; never goes back.
        signings: How often something was signed for it, a signing anew among them; the version of
            its metadata, which never goes back.
        statement: SHA-256 of the blob that holds the last signed statement.
        versions: Keys of the versions that this statement names.
        base: Key of the version that went to the whole cohort last, None before the first.
        previous: The one before it, for hardware types that the base is barred from.
        settled: What parts of it have, the newest first.
    """

    sequence: int
    signings: int = 0
    statement: str | None = None
    versions: list[str] = msgspec.field(default_factory=list)
    base: str | None = None
    previous: str | None = None
    settled: list[Kept] = msgspec.field(default_factory=list)


class Listing(Record, frozen=True, kw_only=True):
    """What the image repository says; there is one.

    Attributes:
        statement: SHA-256 of the blob that holds the bundle that was published last.
    """

    statement: str


class Awaited(Record, frozen=True, kw_only=True):
    """A version that waits for people's signatures; `key` is the version's.

    Attributes:
        cohorts: Where it goes as soon as it is signed; none once it is on its way.
        decision: Key of the decision that wants it there.
    """

    cohorts: list[str]
    decision: str


class Seeded(Record, frozen=True, kw_only=True):
    """Content whose chunks the broker keeps; `key` is its SHA-256.

    Attributes:
        chunks: How many topics hold it.
        live: False once they have been cleared.
    """

    chunks: int
    live: bool
