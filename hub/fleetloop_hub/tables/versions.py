"""Versions, their gates, and why they exist, as tables."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleetloop_hub.monitoring.overview import VersionView
from fleetloop_hub.records import Decision, Run
from fleetloop_hub.tables.forms import Noted, interval, table
from fleetloop_hub.tables.runs import pick
from fleetloop_hub.version_parts import GateResult
from fleetloop_hub.web.words import exactly, number, share, size


def versions_table(versions: list[VersionView]) -> Table:
    """A line a version."""
    shown = table(
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
        shown.add_row(
            version.model,
            " ".join([f"v{version.number}", *version.aliases]),
            version.state,
            value,
            f"{version.gates_passed}/{version.gates_judged}",
            f"{size(version.artifact_bytes)} from {size(version.float_bytes)}",
            str(version.serving),
            _on_devices(version),
        )
    return shown


def _on_devices(version: VersionView) -> str:
    if version.field_error is not None:
        return f"{version.field_error:.4g} off, {version.field_labels:,} labels"
    right = version.field_accuracy
    return "" if right is None else f"{share(right)} right of {version.field_labels:,}"


def gates_table(gates: list[GateResult]) -> Noted:
    """A line a gate."""
    shown = Noted("gate", "", "measured", "limit", note="verdict")
    for gate in gates:
        shown.add_row(
            gate.name,
            _said(gate),
            f"{number(gate.value)}{interval(gate.low, gate.high)}",
            number(gate.limit),
            note=gate.text,
        )
    return shown


def _said(gate: GateResult) -> Text:
    if gate.waived:
        return Text("waived", "yellow")
    if not gate.judged:
        return Text("shown", "dim")
    return Text("passed", "green") if gate.passed else Text("failed", "bold red")


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
        parts += [Text(made), pick(run)]
    return Group(*parts, gates_table(version.gates))
