"""Runs, as tables: many in brief, one at length, several side by side."""

import time
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleetloop_hub.records import Run, RunState
from fleetloop_hub.run_parts import Candidate
from fleetloop_hub.tables.forms import Lines, Noted, interval, table
from fleetloop_hub.tracking.comparison import Comparison
from fleetloop_hub.tracking.summaries import RunSummary
from fleetloop_hub.web.words import ago, exactly, number, size

_STYLES = {
    RunState.QUEUED: "blue",
    RunState.WAITING: "yellow",
    RunState.RUNNING: "blue",
    RunState.FINISHED: "green",
    RunState.FAILED: "red",
    RunState.CANCELLED: "yellow",
}


def runs_table(runs: list[RunSummary]) -> Lines:
    """A line a run."""
    shown = Lines("run", "state", "taken", "metric", "became", "began", "took", note="why")
    for run in runs:
        shown.add_row(
            run.key,
            Text(run.state, _STYLES[run.state]),
            run.chosen or "",
            _headline(run),
            _became(run),
            ago(run.started_at, time.time()),
            f"{run.duration_s:,.0f} s" if run.duration_s else "",
            note=run.error or _why(run),
        )
    return shown


def run_story(run: Run) -> RenderableType:
    """All that is known about a run."""
    facts = table("", "", wraps="")
    for name, value in _facts(run):
        facts.add_row(Text(name, "dim"), value)
    parts: list[RenderableType] = [Text(f"run {run.key}", "bold"), facts]
    if run.candidates:
        parts += [Text("\ncandidates", "bold"), pick(run)]
        parts += [_parameters(candidate) for candidate in run.candidates]
    if run.metrics:
        parts += [
            Text("\nmetrics of the artifact on the held-out rows", "bold"),
            metrics_table(run.metrics),
        ]
    parts += [Text(f"note: {note}") for note in run.notes]
    if run.reproduction is not None:
        parts += [Text(), verdict(run)]
    return Group(*parts)


def verdict(run: Run) -> RenderableType:
    """What came of doing a run again."""
    found = run.reproduction
    if found is None:
        return Text(f"{run.key} is no reproduction that has ended")
    if found.equal:
        sha256 = run.artifacts.get("artifact.onnx", "")
        text = f"{run.reproduces} is reproduced: {run.key} made the same bytes, SHA-256 {sha256}"
        return Text(text, "green")
    head = Text(f"{run.reproduces} is not reproduced by {run.key}:", "bold red")
    return Group(head, *(Text(f"  {text}") for text in found.differences))


def comparison_table(found: Comparison) -> RenderableType:
    """Runs side by side, in three parts."""
    parts: list[RenderableType] = []
    for title, rows in found.parts.items():
        if not rows:
            continue
        shown = table(title, *found.runs, wraps="")
        for row in rows:
            style = "" if row.same else "bold"
            shown.add_row(row.name, *(Text(value, style) for value in row.values))
        parts += [shown, Text()]
    return Group(*parts[:-1]) if parts else Text("Nothing differs; --all shows what they share.")


def candidates_table(candidates: list[Candidate], chosen: str | None) -> Noted:
    """A line a candidate: what it is worth, and what it costs; the dominated ones are marked."""
    shown = Noted("candidate", "float", "quantized", "size", "on the wire", "ms", note="note")
    for candidate in candidates:
        taken = candidate.name == chosen
        mark, style = (" (taken)", "bold") if taken else ("", "")
        if candidate.dominated and not taken:
            mark, style = " (dominated)", "dim"
        shown.add_row(
            Text(f"{candidate.name}{mark}", style),
            f"{candidate.score:.3f}",
            f"{candidate.quantized_score:.3f}",
            f"{size(candidate.artifact_bytes)} from {size(candidate.float_bytes)}",
            size(candidate.wire_bytes) if candidate.wire_bytes else "",
            f"{candidate.latency_ms:.3f}",
            # Why the one that is taken was taken stands below the table; see `pick`.
            note="; ".join([*([] if taken else [candidate.note]), *candidate.warnings]),
        )
    return shown


def pick(run: Run) -> RenderableType:
    """The candidates, and why one of them was taken."""
    parts: list[RenderableType] = [candidates_table(run.candidates, run.chosen)]
    if run.pick:
        parts.append(Text(f"taken: {run.chosen}, {run.pick}"))
    for name, settings in run.searches.items():
        parts.append(Text(f"{name}: {len(settings)} settings were tried", "dim"))
    parts += [Text(f"note: {note}") for note in run.notes]
    return Group(*parts)


def metrics_table(metrics: dict[str, float]) -> Table:
    """A line a metric, with its interval where it has one."""
    shown = table("metric", "value", "95 % interval", wraps="")
    for name, value in metrics.items():
        if not name.endswith(("_low", "_high")):
            ends = interval(metrics.get(f"{name}_low"), metrics.get(f"{name}_high"))
            shown.add_row(name.replace("_", " "), number(value), ends.strip(" ()"))
    return shown


def _headline(run: RunSummary) -> str:
    """The metric that the run was judged on, never another in its place; `runs show` has all."""
    value = run.metrics.get(run.metric)
    return "" if value is None else f"{run.metric.replace('_', ' ')} {number(value)}"


def _became(run: RunSummary) -> str:
    if run.reproduces is not None:
        verdict = {None: "", True: ", equal", False: ", not equal"}[run.equal]
        return f"{run.reproduces} again{verdict}"
    return "" if run.version is None else f"v{run.version}"


def _why(run: RunSummary) -> str:
    return f"{run.asked_by}: {run.reason}" if run.asked_by else run.reason


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    yield "model", run.model + (f", to become v{run.number}" if run.number else "")
    yield "state", f"{run.state}{f': {run.error}' if run.error else ''}"
    yield "began", f"{exactly(run.started_at)}, took {run.duration_s:,.1f} s"
    if run.reason:
        yield "why", f"{run.reason} (asked for by {run.asked_by}; {run.decision or 'no decision'})"
    yield "dataset", run.dataset
    yield "spec", f"{run.spec}, seed {run.seed}"
    yield "code", run.code
    yield "libraries", ", ".join(f"{name} {version}" for name, version in run.libraries.items())
    if run.machine is not None:
        machine = run.machine
        memory = f", {size(machine.memory_bytes)} of memory" if machine.memory_bytes else ""
        yield "machine", f"{machine.cpu}, {machine.cores} cores{memory}, {machine.platform}"
        yield "", ", ".join([*machine.extensions, *machine.threads])
    if run.pick:
        yield "taken", run.pick
    if run.champion is not None:
        yield "compared with", f"artifact {run.champion}"
    yield from sorted(run.artifacts.items())


def _parameters(candidate: Candidate) -> Text:
    told = ", ".join(f"{name} {value}" for name, value in candidate.parameters.items())
    return Text(f"{candidate.name}: {told}; {candidate.recipe}", "dim")
