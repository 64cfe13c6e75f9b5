"""Every metric that a device tells of itself, one line each; docs/metrics.md is made from it."""

from enum import StrEnum

import msgspec

_OF_PROCESS = "process_"


class Kind(StrEnum):
    """What a metric is, in Prometheus' words."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Family(msgspec.Struct, frozen=True):
    """A metric.

    Attributes:
        exposed: Its name as it is exposed.
        kind: Counter, gauge or histogram.
        text: What it counts.
        labels: What its series are told apart by.
    """

    exposed: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()


def _family(name: str, text: str, *labels: str, histogram: bool = False) -> Family:
    kind = Kind.COUNTER if name.endswith("_total") else Kind.GAUGE
    exposed = name if name.startswith(_OF_PROCESS) else f"fleetloop_agent_{name}"
    return Family(exposed, Kind.HISTOGRAM if histogram else kind, text, labels)


_V = ("model", "version")
_TABLE = (
    ("info", "1; who this is.", "device", "cohort", "agent"),
    ("connected", "1 while the hub's broker is there."),
    ("model_loaded", "1 for what is loaded.", *_V),
    ("update_state", "1 for the state that the update is in.", "state"),
    ("fetched_chunks", "Chunks of the next version that are on the disk."),
    ("quarantined_models", "Models that have failed here and are not tried again."),
    ("predictions_total", "Rows answered since the agent started.", *_V),
    ("prediction_errors_total", "Rows that the model failed on.", *_V),
    ("predictions_refused_total", "Rows and labels refused for their form or value.", *_V),
    ("predictions_abstained_total", "Those refused for a value out of range.", *_V),
    ("prediction_duration_seconds", "How long the model took for a call.", *_V),
    ("labels_total", "Labels that came for answers of the model.", *_V),
    ("labels_correct_total", "Those that said that the answer was right.", *_V),
    ("dropped_total", "Blocks, samples and labels given up for want of room.", *_V),
    ("drift_windows_total", "Reporting windows that were judged.", *_V),
    ("drift_alarms_total", "Those of them that were alarms.", *_V),
    ("drift_alarm", "1 while an episode of drift goes on."),
    ("drift_ratio", "Statistic by threshold of the last window; an alarm from 1.", "feature"),
    ("score_drift_ratio", "The same of the scores."),
    ("outbox_reports", "Reports that the hub does not have."),
    ("outbox_bytes", "Their payload."),
    ("unkept_reports", "Reports that wait in memory for room on the disk."),
    ("reports_total", "Reports written, ever."),
    ("reports_dropped_total", "Reports that had to make room, ever."),
    ("messages_refused_total", "What was refused of the broker's messages, ever.", "reason"),
    ("sensor_messages_total", "Messages of sensors by what became of them.", "result"),
    ("http_requests_total", "Requests to the local endpoint."),
    ("http_refused_total", "Those that were refused.", "status"),
    ("http_connections", "Clients of the local endpoint."),
    ("temperature_celsius", "The hottest thermal zone at the last health report."),
    ("disk_free_bytes", "Free on the state folder's disk then."),
    ("memory_available_bytes", "What programs could still have then."),
    ("clock_offset_seconds", "The device's clock minus the hub's then."),
    ("process_resident_memory_bytes", "Resident memory of the agent."),
    ("process_cpu_seconds_total", "Processor time that the agent has used."),
)

FAMILIES = {
    name: _family(name, text, *labels, histogram=name.endswith("duration_seconds"))
    for name, text, *labels in _TABLE
}
"""By the name without its prefix."""
