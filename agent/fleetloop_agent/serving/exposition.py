"""What this device does as text for Prometheus (text format 0.0.4), written by hand.

A library for it would be the only one that a device needs for nothing else. No thread but the one
of the local endpoint works here, and only while somebody asks.
"""

import time
from collections.abc import Callable
from itertools import accumulate

from fleetloop_agent.serving.metric_table import FAMILIES, Family
from fleetloop_agent.serving.refusals import Seen
from fleetloop_agent.serving.totals import Total, Totals
from fleetloop_agent.status import Status
from fleetloop_shared.latency import BINS, bounds_us

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_FEATURES = 64
"""Features whose drift is told; of the others the largest, as `other`."""

_US_PER_S = 1e6
_ENDS_S = [bounds_us(k)[1] / _US_PER_S for k in range(BINS - 1)]
_MIDDLES_S = [sum(bounds_us(k)) / 2 / _US_PER_S for k in range(BINS - 1)] + _ENDS_S[-1:]
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Number = float | int | None


class Exposition:
    """Writes the text anew for each who asks; safe to be called from other threads."""

    def __init__(
        self, totals: Totals, status: Callable[[], Status], rss_bytes: Callable[[], int]
    ) -> None:
        """Tell of these.

        Args:
            totals: What serving has added up to.
            status: What the agent does.
            rss_bytes: Resident memory of this process.
        """
        self._totals, self._status, self._rss_bytes = totals, status, rss_bytes

    def text(self, http: Seen) -> bytes:
        """The numbers of now.

        Args:
            http: What the local endpoint has seen.
        """
        lines = _Lines()
        status = self._status()
        for (model, version), total in self._totals.by_version().items():
            _serving(lines, total, model=model, version=str(version))
        self._drift(lines, status)
        _state(lines, status)
        _system(lines, status)
        _endpoint(lines, http)
        lines.put("process_resident_memory_bytes", self._rss_bytes())
        lines.put("process_cpu_seconds_total", time.process_time())
        return lines.text()

    def _drift(self, lines: "_Lines", status: Status) -> None:
        lines.put("drift_alarm", status.drift is not None and status.drift.alarm)
        if self._totals.last is None:
            return
        manifest, verdict = self._totals.last
        ratios = {feature.name: feature.ratio for feature in verdict.features}
        names = [feature.name for feature in manifest.signature.features]
        for name in names[:MOST_FEATURES]:
            lines.put("drift_ratio", ratios.get(name), feature=name)
        if len(names) > MOST_FEATURES:
            rest = [ratios.get(name, 0.0) for name in names[MOST_FEATURES:]]
            lines.put("drift_ratio", max(rest), feature="other")
        lines.put("score_drift_ratio", verdict.score_ratio)


class _Lines:
    """Gathers numbers by family, since a family's lines stand together."""

    def __init__(self) -> None:
        self._by: dict[str, list[str]] = {}

    def put(self, name: str, value: Number, suffix: str = "", **labels: str) -> None:
        """Add a number; None is none."""
        if value is None:
            return
        told = ",".join(f'{k}="{v.translate(_ESCAPED)}"' for k, v in labels.items())
        braces = f"{{{told}}}" if told else ""
        line = f"{FAMILIES[name].exposed}{suffix}{braces} {float(value)!r}"
        self._by.setdefault(name, []).append(line)

    def text(self) -> bytes:
        """All of it, in the table's order."""
        told = [_heading(f) + self._by[name] for name, f in FAMILIES.items() if name in self._by]
        return "".join(f"{line}\n" for lines in told for line in lines).encode()


def _heading(family: Family) -> list[str]:
    name = family.exposed
    return [f"# HELP {name} {family.text}", f"# TYPE {name} {family.kind}"]


def _serving(lines: _Lines, total: Total, **version: str) -> None:
    lines.put("predictions_total", total.rows, **version)
    lines.put("prediction_errors_total", total.errors, **version)
    lines.put("predictions_refused_total", total.refused, **version)
    lines.put("predictions_abstained_total", total.abstained, **version)
    lines.put("labels_total", total.labels, **version)
    lines.put("labels_correct_total", total.labels_correct, **version)
    lines.put("dropped_total", total.dropped, **version)
    lines.put("drift_windows_total", total.windows, **version)
    lines.put("drift_alarms_total", total.alarms, **version)
    name, counts = "prediction_duration_seconds", total.latency_counts
    below = list(accumulate(counts))
    for k, end_s in enumerate(_ENDS_S):
        lines.put(name, below[k], "_bucket", **version, le=repr(end_s))
    lines.put(name, below[-1], "_bucket", **version, le="+Inf")
    spent_s = sum(n * s for n, s in zip(counts, _MIDDLES_S, strict=True))
    lines.put(name, spent_s, "_sum", **version)
    lines.put(name, below[-1], "_count", **version)


def _state(lines: _Lines, status: Status) -> None:
    reported = status.reported
    lines.put("info", 1, device=status.device, cohort=status.cohort, agent=status.agent)
    lines.put("connected", status.connected)
    lines.put("update_state", 1, state=reported.state)
    if reported.model is not None:
        lines.put("model_loaded", 1, model=reported.model, version=str(reported.version))
    lines.put("fetched_chunks", reported.chunks_have)
    lines.put("quarantined_models", len(status.quarantine))
    lines.put("outbox_reports", status.unacknowledged)
    lines.put("outbox_bytes", status.outbox_bytes)
    lines.put("unkept_reports", status.unkept)
    lines.put("reports_total", status.reports)
    lines.put("reports_dropped_total", status.dropped)
    for reason, count in sorted(reported.refusals.items()):
        lines.put("messages_refused_total", count, reason=reason)
    if (sensors := status.sensors) is not None:
        for result in ("answered", "refused", "failed", "dropped", "unsent"):
            lines.put("sensor_messages_total", getattr(sensors, result), result=result)


def _system(lines: _Lines, status: Status) -> None:
    system = status.system
    lines.put("temperature_celsius", system.temperature_c)
    lines.put("disk_free_bytes", system.disk_free_bytes)
    lines.put("memory_available_bytes", system.memory_available_bytes)
    lines.put("clock_offset_seconds", status.clock.offset_s if status.clock else None)


def _endpoint(lines: _Lines, http: Seen) -> None:
    lines.put("http_requests_total", http.requests)
    lines.put("http_connections", http.connections)
    for status, count in http.refused.items():
        lines.put("http_refused_total", count, status=status[:3])
