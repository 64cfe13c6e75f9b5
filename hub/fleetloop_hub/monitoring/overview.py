"""The state of the whole loop at one moment, as one frozen struct for console and API."""

from enum import StrEnum

import msgspec

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Quarantine
from fleetloop_hub.judgement_records import Judgement
from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.verdict_records import FleetVerdict
from fleetloop_shared.estimate.records import Estimate
from fleetloop_shared.reports import HealthReport


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the overview; made anew each time, never changed."""


class Level(StrEnum):
    """How much attention something wants; the console gives each an icon, a word and a colour."""

    GOOD = "good"
    BUSY = "busy"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"


class Health(View, frozen=True, kw_only=True):
    """The one sentence that says how things are.

    Attributes:
        level: How much attention they want.
        text: The sentence.
    """

    level: Level
    text: str


class NextStep(View, frozen=True, kw_only=True):
    """The one thing to do next.

    Attributes:
        text: What and why.
        command: What to type, None if there is nothing to do.
        page: Path of the page where it is done or seen, "" for none.
    """

    text: str
    command: str | None = None
    page: str = ""


class Stage(View, frozen=True, kw_only=True):
    """One stage of the loop with its live number.

    Attributes:
        name: The stage.
        page: Path of the page that tells it at length.
        number: The number, ready to be read.
        text: What the number counts.
        level: How much attention the stage wants.
    """

    name: str
    page: str
    number: str
    text: str
    level: Level


class MovedView(View, frozen=True, kw_only=True):
    """Something in which a device's window is further from training than its threshold.

    Attributes:
        name: A feature, a pair of them, or "the score".
        words: How it has moved, with its size in the feature's own unit.
        ratio: Statistic / threshold.
    """

    name: str
    words: str
    ratio: float


class DeviceView(View, frozen=True, kw_only=True):
    """A device, with the last that it said.

    Attributes:
        device: Its id.
        cohort: The cohort it is enrolled in, empty if it is not.
        hardware: Its hardware type.
        online: Whether the broker holds its connection.
        called: What its config calls it, for label queries.
        level: How much attention it wants.
        state: Its update state, in the agent's word.
        words: The same in plain words, with the reason if something went wrong.
        model: The loaded model.
        version: Its version.
        artifact: First 12 digits of the SHA-256 of the bytes it has loaded.
        target: The version it is moving to.
        chunks_have: Chunks of that version on its disk.
        chunks_total: Chunks that version has.
        rows: Rows answered, as far as the reports tell that are kept.
        drift_ratio: Largest statistic / threshold of its last window under the loaded version.
        drift_feature: The feature with the largest ratio in that window.
        alarm: Whether that window was an alarm, or an alarm has come since.
        since_row: With an alarm: since which row served under this version rows seem to differ.
        moved: With an alarm: what has moved, the furthest first, three at most.
        odd: What sets it apart from the other devices, in words; "" if nothing does.
        drift_history: Ratios of its last windows, oldest first, under any version.
        labels: Labels that came for answers of the loaded version.
        accuracy: Share of right answers among those, None without labels or for a regression.
        estimate: What its newest scores say of the loaded version, None if nothing yet.
        outbox: Reports it had still to send when it last reported its health.
        health: Its last health report, None before the first.
        seen_at: Unix seconds at which it was last heard, None if never.
    """

    device: str
    cohort: str
    hardware: str
    online: bool
    level: Level
    state: str
    words: str
    called: dict[str, str] = {}
    model: str | None = None
    version: int | None = None
    artifact: str | None = None
    target: int | None = None
    chunks_have: int = 0
    chunks_total: int = 0
    rows: int = 0
    drift_ratio: float | None = None
    drift_feature: str | None = None
    alarm: bool = False
    since_row: int | None = None
    moved: list[MovedView] = []
    odd: str = ""
    drift_history: list[float] = []
    labels: int = 0
    accuracy: float | None = None
    estimate: Estimate | None = None
    outbox: int | None = None
    health: HealthReport | None = None
    seen_at: float | None = None


class AnswerTimes(View, frozen=True, kw_only=True):
    """How long models took to answer, on all devices, by their last health reports.

    Attributes:
        calls: How many calls.
        p50_ms: The median, in milliseconds.
        p99_ms: The 99th percentile.
    """

    calls: int
    p50_ms: float
    p99_ms: float


class RolloutView(View, frozen=True, kw_only=True):
    """The rollout that is under way, or the last one.

    Attributes:
        key: Its key.
        model: The model.
        version: What is rolled out.
        control: What the others keep.
        cohort: Who gets it.
        state: Where it stands.
        level: How much attention it wants.
        phase: The open phase, from 1.
        shares: Upper ends of the phases as shares of the cohort.
        counts: Devices of the open phase by how they stand.
        text: The last judgement in words.
        judgement: How the devices that took it do beside the others; None: not compared.
        started_at: Unix seconds.
        ended_at: Unix seconds, None while it runs.
    """

    key: str
    model: str
    version: int
    control: int | None
    cohort: str
    state: str
    level: Level
    phase: int
    shares: list[float]
    counts: dict[str, int]
    text: str
    judgement: Judgement | None
    started_at: float
    ended_at: float | None


class EventView(View, frozen=True, kw_only=True):
    """Something that happened on a device.

    Attributes:
        at: Unix seconds, the device's clock.
        device: Where.
        kind: What it is about.
        level: How much attention it wants.
        text: In words.
    """

    at: float
    device: str
    kind: str
    level: Level
    text: str


class AttemptView(View, frozen=True, kw_only=True):
    """Something that was tried on a device or the hub, and came to nothing.

    Attributes:
        name: The name of the attack, as it is counted.
        title: The same in words.
        level: How grave it is.
        by: Who refused it: "hub" or a device's id.
        device: Whom it was tried on or in whose name it came; "unknown" where that is no device.
        topic: Where the last one came in, empty where nobody says.
        text: What was wrong with the last one, empty where nobody says.
        count: How often.
        first_at: Unix seconds of the first one, the hub's clock.
        at: Unix seconds of the last one that was told, the hub's clock.
    """

    name: str
    title: str
    level: Level
    by: str
    device: str
    topic: str
    text: str
    count: int
    first_at: float
    at: float


class Overview(View, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        at: Unix seconds at which it was put together.
        health: How things are.
        next_step: What to do.
        stages: The loop, in its order.
        devices: By id.
        answers: How long models took on all devices, None without calls.
        moved: Who has moved, of the devices that serve each model's champion.
        versions: Newest first.
        rollout: The current or last one, None before the first.
        quarantine: What is not offered to a hardware type any more.
        decisions: Newest first.
        events: Newest first.
        attempts: The last one first.
    """

    at: float
    health: Health
    next_step: NextStep
    stages: list[Stage]
    devices: list[DeviceView]
    answers: AnswerTimes | None
    moved: list[FleetVerdict]
    versions: list[VersionView]
    rollout: RolloutView | None
    quarantine: list[Quarantine]
    decisions: list[Decision]
    events: list[EventView]
    attempts: list[AttemptView]
