"""Every metric of the hub, one line each: docs/metrics.md, the exposition and tests read it here.

Names follow Prometheus' conventions: base units, `_total` for what only grows. No label names a
device; what a label may say is one of few, and what is beyond `MOST_SERIES` is `other`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from fleetloop_shared.latency import BINS, bounds_us
from fleetloop_shared.reports import EventKind
from fleetloop_shared.sampling import Reason

OTHER = "other"
"""Stands for label values beyond those that are told apart."""

MOST_SERIES = 100
"""Sets of label values of one metric that are told apart."""

_US_PER_S = 1e6
FIRST_BIN = 9
"""The first bin of devices that is not within the first bucket, which holds 16 µs."""


class Kind(StrEnum):
    """What a metric is, in Prometheus' words."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Family:
    """A metric.

    Attributes:
        name: As it is exposed.
        kind: Counter, gauge or histogram.
        text: What it counts.
        labels: What its series are told apart by.
        known: Values of its one label that are exposed from the beginning, at 0: a rate misses
            the first of whatever appears later.
        bounds: Upper ends of a histogram's buckets, in seconds, without the last, which has none.
    """

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


ANSWER_BOUNDS_S = tuple(bounds_us(k)[1] / _US_PER_S for k in range(FIRST_BIN - 1, BINS - 1, 2))
"""Every second end of the bins that devices count in: 16 µs, 32 µs, ... 8.4 s."""

_WORK_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_VERSION = ("model", "version")


def _counter(name: str, text: str, *labels: str, known: Iterable[str] = ()) -> Family:
    values = tuple(str(value) for value in known)
    return Family(f"fleetloop_{name}_total", Kind.COUNTER, text, labels, values)


def _gauge(name: str, text: str, *labels: str) -> Family:
    return Family(f"fleetloop_{name}", Kind.GAUGE, text, labels)


def _histogram(name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Family:
    return Family(f"fleetloop_{name}", Kind.HISTOGRAM, text, labels, bounds=bounds)


# --- counted when asked, from what is kept --------------------------------------------------------

DEVICES = _gauge(
    "devices", "Enrolled devices: online, offline, or never heard of.", "cohort", "state"
)
UPDATES = _gauge(
    "device_updates", "Devices by the state of their update, as they report it.", "state"
)
SERVING = _gauge("devices_serving", "Devices by the version that they have loaded.", *_VERSION)
VERSIONS = _gauge("versions", "Model versions by what may be done with them.", "state")
RUNS = _gauge("runs", "Training runs by how far they have come.", "state")
ROLLOUTS = _gauge("rollouts", "Rollouts by where they stand.", "state")
QUARANTINES = _gauge("quarantines", "Artifacts that no device of a hardware type is offered.")
DECISIONS = _gauge("decisions", "Decisions that are kept, by what they say to do.", "verdict")
REFUSED = _counter(
    "refused", "What the hub has refused, ever, by the name of what was tried.", "reason"
)
LABELS_WAITING = _gauge("labels_waiting", "Labels whose rows have not come.")

# --- counted as it comes in, since the hub started ------------------------------------------------

REPORTS = _counter("reports_stored", "Reports of devices taken in, each once.", "kind")
EVENTS = _counter("device_events", "Events that devices have reported.", "kind", known=EventKind)
PREDICTIONS = _counter(
    "predictions", "Rows that devices have answered, as they report it.", *_VERSION
)
FAILURES = _counter("prediction_errors", "Rows that a model has failed on.", *_VERSION)
REJECTED = _counter(
    "predictions_refused",
    "Rows and labels that devices refused for their form or value.",
    *_VERSION,
)
ANSWER_S = _histogram(
    "prediction_duration_seconds",
    "How long models took for a call on devices; the sum is estimated from the bins' middles.",
    ANSWER_BOUNDS_S,
    *_VERSION,
)
LABELS = _counter("labels", "Labels that devices had for their own answers.", *_VERSION)
LABELS_RIGHT = _counter(
    "labels_correct", "Those of them that said that the answer was right.", *_VERSION
)
WINDOWS = _counter("drift_windows", "Reporting windows that devices have judged.", *_VERSION)
ALARMS = _counter("drift_alarms", "Those of them that were alarms.", *_VERSION)
SAMPLES = _counter("samples", "Served rows that devices have sent, by why.", "reason", known=Reason)
DROPPED = _counter(
    "device_dropped", "Blocks, samples and labels that devices gave up for want of room."
)
EGRESS = _counter("egress_bytes", "Payload that the hub has handed to the broker.")

# --- how the hub itself does ----------------------------------------------------------------------

STEPS = _histogram("step_duration_seconds", "How long a step of the hub took.", _WORK_BOUNDS_S)
STEP_FAULTS = _counter("step_faults", "Steps that ended with an error; the next one tries again.")
STEPPED_AT = _gauge("last_step_timestamp_seconds", "When the last step ended, Unix time.")
CONNECTED = _gauge("broker_connected", "1 while the hub is connected to its broker.")
BACKLOG = _gauge("broker_backlog_bytes", "Handed to the link and not at the broker yet.")
QUEUED = _gauge("queue_length", "What waits for its turn.", "queue")
REQUESTS = _counter("http_requests", "Requests answered.", "route", "method", "status")
REQUEST_S = _histogram(
    "http_request_duration_seconds", "How long an answer took.", _WORK_BOUNDS_S, "route"
)
BUILD = _gauge("build_info", "1; the hub's version.", "version")

FAMILIES = tuple(family for family in globals().copy().values() if isinstance(family, Family))
"""All of them, in this order."""
