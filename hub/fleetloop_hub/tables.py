"""What the command line shows, as tables."""

import time

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleetloop_hub.monitoring.overview import DeviceView, Level, VersionView
from fleetloop_hub.records import Candidate, Decision, GateResult, Run
from fleetloop_hub.web.words import ago, exactly, number, share, size

_STYLES = {
    Level.GOOD: "green",
    Level.BUSY: "blue",
    Level.WARN: "yellow",
    Level.BAD: "red",
    Level.OFF: "dim",
}


def devices_table(devices: list[DeviceView]) -> Table:
    """A line a device."""
    table = _table(
        "device", "cohort", "state", "model", "rows", "drift", "right", "last heard", wraps="state"
    )
    for device in devices:
        drift = "" if device.drift_ratio is None else f"{device.drift_ratio:.2f}"
        table.add_row(
            device.device,
            device.cohort,
            Text(
                device.words if device.online else f"offline, {device.words}", _STYLES[device.level]
            ),
            "" if device.version is None else f"{device.model} v{device.version}",
            f"{device.rows:,}",
            Text(f"{drift} alarm", "yellow") if device.alarm else drift,
            "" if device.accuracy is None else f"{share(device.accuracy)} of {device.labels:,}",
            "never" if device.seen_at is None else ago(device.seen_at, time.time()),
        )
    return table


def versions_table(versions: list[VersionView]) -> Table:
    """A line a version."""
    table = _table(
        "model",
        "version",
        "state",
        "metric",
        "gates",
        "size",
        "devices",
        "on devices",
        wraps="metric",
    )
    for version in versions:
        value = "" if version.value is None else f"{version.metric} {version.value:.3f}"
        right = version.field_accuracy
        table.add_row(
            version.model,
            " ".join([f"v{version.number}", *version.aliases]),
            version.state,
            value,
            f"{version.gates_passed}/{len(version.gates)}",
            f"{size(version.artifact_bytes)} from {size(version.float_bytes)}",
            str(version.serving),
            "" if right is None else f"{share(right)} right of {version.field_labels:,}",
        )
    return table


def gates_table(gates: list[GateResult]) -> Table:
    """A line a gate."""
    table = _table("gate", "", "measured", "must reach", "verdict", wraps="verdict")
    for gate in gates:
        interval = "" if gate.low is None or gate.high is None else _interval(gate.low, gate.high)
        table.add_row(
            gate.name,
            Text("passed", "green") if gate.passed else Text("failed", "bold red"),
            f"{number(gate.value)}{interval}",
            number(gate.limit),
            gate.text,
        )
    return table


def candidates_table(candidates: list[Candidate], chosen: str | None) -> Table:
    """A line a candidate."""
    table = _table("candidate", "score", "quantized", "size", "ms a row", "note", wraps="note")
    for candidate in candidates:
        taken = candidate.name == chosen
        table.add_row(
            Text(f"{candidate.name} (taken)" if taken else candidate.name, "bold" if taken else ""),
            f"{candidate.score:.3f}",
            f"{candidate.quantized_score:.3f}",
            f"{size(candidate.artifact_bytes)} from {size(candidate.float_bytes)}",
            f"{candidate.latency_ms:.3f}",
            candidate.note,
        )
    return table


def story(version: VersionView, decision: Decision | None, run: Run | None) -> RenderableType:
    """Why a version exists, from the decision to the gates."""
    name = f"{version.model} v{version.number}"
    parts: list[RenderableType] = [Text(f"{name}, {version.state}, {exactly(version.created_at)}")]
    if decision is not None:
        parts.append(Text(f"{decision.verdict} by {decision.trigger}:"))
        parts += [Text(f"  {reason}") for reason in decision.reasons]
        told = ", ".join(
            f"{key.replace('_', ' ')} {number(value)}" for key, value in decision.evidence.items()
        )
        parts += [Text(f"  evidence: {told}", "dim")] if told else []
        parts += [Text(f"  outcome: {decision.outcome}")] if decision.outcome else []
    if run is not None:
        made = f"run {run.key}: dataset {run.dataset[:12]}, seed {run.seed}, {run.duration_s:.0f} s"
        parts += [Text(made), candidates_table(run.candidates, run.chosen)]
        parts += [Text(f"note: {note}") for note in run.notes]
    return Group(*parts, gates_table(version.gates))


def _table(*headings: str, wraps: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading != wraps)
    return table


def _interval(low: float, high: float) -> str:
    return f" ({number(low)} to {number(high)})"
