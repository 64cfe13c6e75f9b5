"""Everything that is said on the wire, one frozen struct a message.

Times are Unix seconds as the sender's clock has them. A report is ordered by (boot, seq), never by
arrival, and is kept by its sender until the hub has acknowledged it.
"""

import msgspec

from fleetloop_shared.sampling import SamplingPolicy

SCHEMA = 1


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Anything on the wire; `schema` grows when a reader of the old form would misread it."""

    schema: int = SCHEMA


# --- device to hub, retained ---------------------------------------------------------------------


class DeviceState(Message, frozen=True, kw_only=True):
    """Birth certificate and last will of a device's connection.

    A late will of an earlier connection is told by its (boot, conn).

    Attributes:
        online: False in the will.
        boot: How often the agent has started on this device.
        conn: The connection's number within this boot; 0 in the will, which is made before.
        agent: The agent's version.
        hardware: The hardware type.
        artifact: SHA-256 of the loaded artifact, None if no model is loaded.
        labels: What its config calls it, for label queries.
    """

    online: bool
    boot: int
    conn: int
    agent: str
    hardware: str
    artifact: str | None = None
    labels: dict[str, str] = {}


class ReportedState(Message, frozen=True, kw_only=True):
    """What a device is running and doing, with the hash of the bytes it has really loaded.

    Attributes:
        at: When.
        boot: The agent's start count.
        sequence: The last desired state it has accepted, 0 for none.
        state: The update state, in the words of the agent's table.
        model: The loaded model's name.
        version: The loaded model's version.
        artifact: SHA-256 of the loaded bytes.
        target: The version it is moving to, if any.
        chunks_have: Chunks of the target that are on its disk.
        chunks_total: Chunks the target has.
        attempts_left: Starts left to an armed trial.
        error: Why the last update ended badly, in words.
        refusals: How often each kind of refusal has happened since the state folder was made.
        resumed_fetches: Fetches taken up again after a restart.
        quarantined: SHA-256 of artifacts this device will not try again.
        free_bytes: Free space where artifacts are kept.
        slots: SHA-256 of the artifacts it may serve or go back to, best first.
        image_version: The version of the image repository's timestamp that it trusts, 0 for none.
        director_version: The same of the director repository.
        trusted_until: When the first of what it trusts expires; None before it trusts anything.
        time_floor: It was this late at least, by what was signed.
        waits_for: Why the update does not go on now, in words; None if it does.
        waits_until: When it looks again at the latest, None if it waits for nothing.
        challenger: The version that runs, or is to run, beside the loaded one; None: none.
        challenger_text: How far that is, or why it does not run, in words.
    """

    at: float
    boot: int
    sequence: int
    state: str
    model: str | None = None
    version: int | None = None
    artifact: str | None = None
    target: int | None = None
    chunks_have: int = 0
    chunks_total: int = 0
    attempts_left: int = 0
    error: str | None = None
    refusals: dict[str, int] = {}
    resumed_fetches: int = 0
    quarantined: list[str] = []
    free_bytes: int = 0
    slots: list[str] = []
    image_version: int = 0
    director_version: int = 0
    trusted_until: float | None = None
    time_floor: float = 0.0
    waits_for: str | None = None
    waits_until: float | None = None
    challenger: int | None = None
    challenger_text: str | None = None


# --- device to hub, asked for once; reports are in reports.py -------------------------------------


class ChunkRequest(Message, frozen=True, kw_only=True):
    """A device has waited for chunks that the broker does not have.

    Attributes:
        sha256: The transport's hash, or that of a manifest.
        missing: The indexes it waits for.
    """

    sha256: str
    missing: list[int]


# --- hub to device -------------------------------------------------------------------------------


class Ack(Message, frozen=True, kw_only=True):
    """The hub has committed these reports; the device may forget them.

    Attributes:
        boot: The reports' boot.
        seqs: Their numbers.
        at: When, by the hub's clock.
    """

    boot: int
    seqs: list[int]
    at: float | None = None


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A model version that a device may be told to run.

    Attributes:
        model: The model's name.
        version: Its version.
        manifest_sha256: Names the signed manifest, published as the one chunk of a blob.
        manifest_bytes: Its length.
    """

    model: str
    version: int
    manifest_sha256: str
    manifest_bytes: int


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What some devices of a cohort have from earlier rollouts, and keep.

    Attributes:
        where: Label query that says which.
        release: What they keep.
    """

    where: str
    release: Release


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """A challenger that runs beside the champion on the devices of a cohort.

    Attributes:
        release: The challenger.
        rows_share: Share of the served rows that it scores as well, 0 to 1; nobody is given what
            it says of them.
        most_delay_ms: No answer of the champion may wait longer for it: so long its runs may be.
        cpu_share: Share of one core that it may use.
        memory_bytes: What the agent may grow by when it is loaded.
        answer_share: Share of the keys whose rows it answers in place of the champion, 0 to 1.
        salt: Decides which keys.
        most_difference: Two numbers of a regression agree that are no further apart, in the
            label's unit; 0: a fiftieth of the range of its scores.
    """

    release: Release
    rows_share: float
    most_delay_ms: float
    cpu_share: float = 0.1
    memory_bytes: int = 64_000_000
    answer_share: float = 0.0
    salt: str = ""
    most_difference: float = 0.0


class DesiredState(Message, frozen=True, kw_only=True):
    """What the devices of one cohort should run now: signed, evaluated on each device.

    A device that `where` is about takes `release` if its `bucket(device, salt)` is below the phase
    of its hardware type; any other keeps what is `settled` for it, or takes `control`:
    `membership.assigned` is the rule.

    Attributes:
        cohort: Whom it is for.
        sequence: Grows with every statement; an older one is a replay.
        rollout: The rollout it belongs to.
        salt: Of the rollout, for the buckets.
        phase: 0 to 10,000, for hardware types that `phase_by_hardware` does not name.
        release: What is rolled out.
        control: What the others keep; None: whatever they have.
        floor: No version released below this security floor is installed.
        issued_at: When the hub signed it.
        soak_rows: Rows a trial serves before it is committed.
        soak_s: Seconds after which a trial is committed also without rows.
        sampling: Which served rows may leave devices as samples; None: none does.
        start_not_before: Nothing is fetched before, Unix seconds; 0: at once.
        spread_s: Each device begins at a moment of its own within so many seconds, so that they do
            not all begin together.
        deadline: Nothing is begun, and no trial armed, after this, Unix seconds; None: no limit.
        where: Label query of the devices that it is about; "" is all.
        phase_by_hardware: 0 to 10,000 by hardware type.
        settled: What devices keep that do not take the release: the first whose query they match.
        quarantined: SHA-256 of manifests that a hardware type never takes, by type.
        shadow: What runs beside it, None: nothing.
    """

    cohort: str
    sequence: int
    rollout: str
    salt: str
    phase: int
    release: Release
    control: Release | None
    floor: int
    issued_at: float
    soak_rows: int
    soak_s: float
    sampling: SamplingPolicy | None = None
    start_not_before: float = 0.0
    spread_s: float = 0.0
    deadline: float | None = None
    where: str = ""
    phase_by_hardware: dict[str, int] = {}
    settled: list[Settled] = []
    quarantined: dict[str, list[str]] = {}
    shadow: Shadow | None = None


class HubState(Message, frozen=True, kw_only=True):
    """Whether the hub is there; its will says that it is not.

    Attributes:
        online: False in the will.
        at: When the hub connected.
        retains: Whether the broker keeps retained messages. Where it does not, the hub answers a
            device's requests for chunks on the device's own topic, and says again what lasts
            whenever a device connects.
    """

    online: bool
    at: float = 0.0
    retains: bool = True


# --- hub to whoever watches ----------------------------------------------------------------------


class EnrolRequest(Message, frozen=True, kw_only=True):
    """A new device presents its one-time token.

    Attributes:
        token: The token's secret part.
        device: The name it wants.
        hardware: Its hardware type.
        agent: The agent's version.
    """

    token: str
    device: str
    hardware: str
    agent: str


class EnrolAnswer(Message, frozen=True, kw_only=True):
    """What an enrolled device needs to know; its fingerprint stood in the token.

    Attributes:
        device: Its name.
        cohort: The cohort it belongs to.
        broker: Address, `mqtt://host:port` or `mqtts://host:port`.
        username: For the broker.
        password: For the broker.
        image_root: Root metadata of the repository that says what exists, as it was signed.
        director_root: The same of the repository that says what to run.
    """

    device: str
    cohort: str
    broker: str
    username: str
    password: str
    image_root: str
    director_root: str
