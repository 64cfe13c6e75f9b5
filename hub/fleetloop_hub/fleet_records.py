"""What the catalog keeps about the fleet: devices, tokens, cohorts, rollouts, seeded content."""

from enum import StrEnum

import msgspec

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
    """States of a rollout; `delivery/rollout.py` has the table of moves."""

    OPEN = "open"
    DONE = "done"
    REVERTED = "reverted"
    SUPERSEDED = "superseded"


class Rollout(Record, frozen=True, kw_only=True):
    """One version's way into one cohort.

    Attributes:
        model: The model.
        version: What is rolled out.
        control: The version that the others keep, None if they have none.
        cohort: Who gets it.
        salt: Decides who is in which phase.
        phases: Upper bucket of each phase, the last 10,000; the first is the canary.
        phase: Index of the phase that is open.
        state: Where it stands.
        phase_since: Unix seconds at which the phase opened.
        started_at: Unix seconds.
        ended_at: Unix seconds, None while it runs.
        evidence: Counts of the last judgement.
        text: The last judgement in words.
    """

    model: str
    version: int
    control: int | None
    cohort: str
    salt: str
    phases: list[int]
    phase: int
    state: RolloutState
    phase_since: float
    started_at: float
    ended_at: float | None = None
    evidence: dict[str, int] = msgspec.field(default_factory=dict)
    text: str = ""


class Cohort(Record, frozen=True, kw_only=True):
    """A named set of devices and the number of the last statement signed for it.

    Attributes:
        sequence: Of the last desired state; never goes back.
        signings: How often something was signed for it, a signing anew among them; the version of
            its metadata, which never goes back.
        statement: SHA-256 of the blob that holds the last signed statement.
        versions: Keys of the versions that this statement names.
    """

    sequence: int
    signings: int = 0
    statement: str | None = None
    versions: list[str] = msgspec.field(default_factory=list)


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
    """

    cohorts: list[str]


class Seeded(Record, frozen=True, kw_only=True):
    """Content whose chunks the broker keeps; `key` is its SHA-256.

    Attributes:
        chunks: How many topics hold it.
        live: False once they have been cleared.
    """

    chunks: int
    live: bool
