"""Versions, their gates, and why they exist, as tables."""

from rich.table import Table
from rich.text import Text

from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.records import VersionState
from fleetloop_hub.tables.forms import Noted, interval, table
from fleetloop_hub.version_parts import GateResult
from fleetloop_hub.web.words import number, share, size


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
            gates_passed(version),
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


def gates_passed(version: VersionView) -> str:
    """How many gates let it through, and how many of these a person has waived."""
    waived = sum(gate.waived for gate in version.gates)
    told = f"{version.gates_passed}/{version.gates_judged}"
    return f"{told}, {waived} waived" if waived else told


def outcome(version: VersionView) -> Text:
    """What the gates say of a version together, and the next step."""
    name = f"{version.model}@{version.number}"
    said = "--by NAME --reason TEXT"
    failed = [gate for gate in version.gates if gate.blocks]
    if not failed:
        after = f"fleetloop rollouts start {version.model}@{version.number}"
        if version.state == VersionState.WAITING:
            after = f"fleetloop approve {name} {said}"
        return Text(f"{version.model} v{version.number} has passed its gates: {after}")
    lines = [f"{version.model} v{version.number} is blocked, and nothing was released:"]
    lines += [f"  {_missed(gate)}" for gate in failed]
    lines += ["Train again with better rows or candidates; or, if you answer for it, let it pass:"]
    lines += [f'  fleetloop waive {name} --gate "{gate.name}" {said}' for gate in failed]
    return Text("\n".join(lines))


def _missed(gate: GateResult) -> str:
    if gate.value is None or gate.limit is None:
        return f"{gate.name} could not be judged"
    ends = interval(gate.low, gate.high)
    return f"{gate.name}: measured {number(gate.value)}{ends}, limit {number(gate.limit)}"


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
