"""What devices report: kept in the device's outbox until the hub has acknowledged it.

A report is named by (device, boot, seq) and ordered by (boot, seq), never by arrival.
"""

from enum import StrEnum

import msgspec

from fleetloop_shared.estimate.records import Estimate, LabelEvidence
from fleetloop_shared.groups import GroupCounts
from fleetloop_shared.messages import Message
from fleetloop_shared.profile import LiveProfile
from fleetloop_shared.sampling import Reason
from fleetloop_shared.system import ClockOffset, SystemHealth


class Report(Message, frozen=True, kw_only=True):
    """A report: named by (device, boot, seq), kept until the hub has acknowledged it.

    Attributes:
        device: Who says it; must be the device of the topic.
        boot: The agent's start count.
        seq: From 1 within the boot.
        at: When it was written.
    """

    device: str
    boot: int
    seq: int
    at: float


class FeatureDrift(msgspec.Struct, frozen=True, kw_only=True):
    """How far one feature of a window is from the reference.

    Attributes:
        name: The feature.
        ratio: The larger of statistic / threshold; an alarm from 1.
        anderson_darling: Binned Anderson-Darling statistic, judged; 0 for a category.
        triangular: Triangular discrimination, judged.
        psi: Population stability index, shown.
        js: Jensen-Shannon distance (base 2), shown.
        shift: Mean of the window minus the reference's, in the feature's unit; 0 for a category.
        shift_sd: The same in standard deviations of the reference.
        missing_ratio: Share of missing values in the window.
        rare: Deviance of the rare bins, judged: values that go missing or were hardly ever seen.
        unlisted_ratio: Share of values that a category does not list in the window; 0 for a number.
    """

    name: str
    ratio: float
    anderson_darling: float
    triangular: float
    psi: float
    js: float
    shift: float
    shift_sd: float
    missing_ratio: float
    rare: float = 0.0
    unlisted_ratio: float = 0.0


class CorrelationDrift(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of features whose correlation has moved.

    Attributes:
        a: One feature.
        b: The other.
        reference: Their correlation in the reference.
        live: Their correlation in the window.
        ratio: |Fisher z| / threshold; an alarm from 1.
    """

    a: str
    b: str
    reference: float
    live: float
    ratio: float


class DriftReport(Report, frozen=True, kw_only=True):
    """The verdict on one window of rows.

    A reporting window is reported when it is over. An alarm is said at once, once a reporting
    window; it is then about the window that first showed it, which may be shorter or longer.

    Attributes:
        model: The model that served them.
        version: Its version.
        artifact: SHA-256 of its artifact.
        first_row: Number of the window's first row since this version was activated, from 1.
        rows: Rows in the window.
        closed: Whether this is a reporting window that is over; False for an alarm said before.
        alarm: Whether any statistic passed its threshold, in a closed report also of any window
            that ended within it.
        since_row: With an alarm: the row from which on rows most plausibly differ, numbered as
            `first_row` is.
        ratio: The largest statistic / threshold.
        features: Every feature, largest ratio first.
        correlations: The pairs at or over their threshold, largest first, five at most.
        score_ratio: Triangular discrimination of the scores / threshold.
        estimate: With a closed window, how accurate the newest answers are by their scores alone:
            those of this window, and of those before it where it has few rows.
    """

    model: str
    version: int
    artifact: str
    first_row: int
    rows: int
    closed: bool
    alarm: bool
    since_row: int | None
    ratio: float
    features: list[FeatureDrift]
    correlations: list[CorrelationDrift]
    score_ratio: float
    estimate: Estimate | None = None


class ProfileReport(Report, frozen=True, kw_only=True):
    """The mergeable profile of one window; travels as zlib JSON."""

    model: str
    version: int
    first_row: int
    profile: LiveProfile


class HealthReport(Report, frozen=True, kw_only=True):
    """How serving went since the last health report.

    Attributes:
        model: The loaded model, if any.
        version: Its version.
        uptime_s: Since the agent started.
        rows: Rows answered since the last report.
        errors: Rows that the model failed on.
        refused: Rows and labels refused for their form or value.
        latency_counts: How long the model took for a call, counted in the bins of `latency`;
            counts of devices add up.
        latency_p50_ms: The median by these counts, None without calls; see `latency.ERROR_RATIO`.
        latency_p99_ms: The 99th percentile of the same.
        rss_bytes: Resident memory of the agent.
        outbox: Reports not yet acknowledged.
        outbox_bytes: Their payload.
        unkept: Reports that wait in memory for room on the disk.
        labels: Labels that came for answers of this version.
        labels_correct: Answers among those that were right; None for a regression, whose answers
            are near the truth or far from it, hardly ever right.
        inputs: Messages of sensors that wait for their answers, None where none are taken.
        system: How the machine is.
        clock: How far its clock is from the hub's, None where the hub has acknowledged nothing
            since the last report.
        evidence: What all labels since this version was loaded say against its being as good as
            its gate demands; None before the first, and of a model that has nothing to test by.
        groups: How groups of people were answered since the last report, as the manifest names
            them.
        dropped: Blocks, samples and labels given up since the last report: more came than is held,
            or the budget of samples had no room.
        abstained: Those of the refused rows that were refused for a value out of range.
        answer_counts: How often each class was answered since the last report, in the signature's
            order; of a regression, numbers in equal bins of the score.
    """

    model: str | None
    version: int | None
    uptime_s: float
    rows: int
    errors: int
    refused: int
    latency_counts: list[int]
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    rss_bytes: int
    outbox: int
    outbox_bytes: int
    unkept: int
    labels: int
    labels_correct: int | None
    inputs: int | None = None
    system: SystemHealth = SystemHealth()
    clock: ClockOffset | None = None
    evidence: LabelEvidence | None = None
    groups: list[GroupCounts] = msgspec.field(default_factory=list)
    dropped: int = 0
    abstained: int = 0
    answer_counts: list[int] = msgspec.field(default_factory=list)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One served row.

    Attributes:
        prediction_id: Names the answer; labels refer to it.
        at: Event time.
        values: In the order of the model's features, None where missing; a category as its place
            among the feature's categories.
        score: What `answers.Rule` makes of the model's outputs.
        label: What was answered: a class, or the number of a regression.
        version: The model version that answered.
        reason: Why it was sent.
        probability: That such a row was sent at that moment, so that whoever counts can weigh it by
            the reciprocal; None: it was picked afterwards, and stands for no other row.
    """

    prediction_id: str
    at: float
    values: list[float | None]
    score: float
    label: int | float
    version: int
    reason: Reason = Reason.RANDOM
    probability: float | None = 1.0


class SampleReport(Report, frozen=True, kw_only=True):
    """Served rows, as far as the sampling policy lets them leave the device.

    Attributes:
        model: The model that answered.
        samples: The rows.
        withheld: Features that the policy keeps on the device; they are None in every row here.
    """

    model: str
    samples: list[Sample]
    withheld: list[str] = msgspec.field(default_factory=list)


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about an answer, known later.

    Attributes:
        prediction_id: The answer it is about.
        label: What it should have been: a class, or the number of a regression.
        at: When it became known.
    """

    prediction_id: str
    label: int | float
    at: float


class LabelReport(Report, frozen=True, kw_only=True):
    """Labels that arrived at the device."""

    labels: list[Label]


class EventKind(StrEnum):
    """What an event report is about."""

    STARTED = "started"
    REFUSED = "refused"
    FETCHED = "fetched"
    RESUMED = "resumed"
    TRIAL = "trial"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled-back"
    CHALLENGER = "challenger"
    FAULT = "fault"


class EventReport(Report, frozen=True, kw_only=True):
    """Something that happened, once.

    Attributes:
        kind: What it is about.
        text: In words, for people.
        version: The model version it concerns.
        artifact: The artifact it concerns.
        reason: Of a refusal: the short name of what was tried, as in the error tree.
        topic: Of a refusal: where it came in, None if it did not come alone.
        content: Of a refusal: SHA-256 of the payload, or another name of what was refused.
    """

    kind: EventKind
    text: str
    version: int | None = None
    artifact: str | None = None
    reason: str | None = None
    topic: str | None = None
    content: str | None = None
