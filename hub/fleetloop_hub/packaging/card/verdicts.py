"""The parts of a card that tell how good a version is, for whom, and what nobody knows."""

from fleetloop_hub.packaging.card.parts import (
    Badge,
    Block,
    Cell,
    Facts,
    Level,
    Points,
    Reliability,
    Table,
    Text,
    Whisker,
)
from fleetloop_hub.packaging.card.words import moment, number, size
from fleetloop_hub.records import Run, Version
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.version_parts import GateResult, GroupGap, Rate

THRESHOLDS = (
    "Groups have decision thresholds of their own: people with the same score can be answered "
    "differently because of the group they belong to. The law of some countries forbids that "
    "(disparate treatment), whatever it does for equal rates. Have it judged by somebody who knows "
    "the law and the people before it decides about anybody."
)


def gates(version: Version, spec: ModelSpec) -> list[Block]:
    """Every gate with number, interval and limit."""
    lines: list[list[Cell]] = [
        [gate.name, _badge(gate), _picture(gate), number(gate.limit), gate.text]
        for gate in version.gates
    ]
    which = "rows that it was not" if spec.rows.shuffle else "rows newer than any that it was"
    return [
        Text(
            f"All measured on the quantized artifact under ONNX Runtime, on {which} fitted or "
            "chosen on."
        ),
        Table(["gate", "", "measured", "limit", "in words"], lines, frozenset({3})),
    ]


def slices(version: Version, spec: ModelSpec) -> list[Block]:
    """The metric by slice."""
    rows = version.evidence.slices
    if not rows:
        return []
    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    scale = (min([0.0, *ends]), max([1.0, *ends]))
    lines: list[list[Cell]] = [
        [
            row.column,
            row.name,
            f"{row.rows:,}",
            None
            if row.value is None or row.low is None or row.high is None
            else Whisker(row.value, row.low, row.high, scale, spec.gates.slice_floor),
            "" if row.judged else "too few rows to be judged",
        ]
        for row in rows
    ]
    metric = spec.gates.metric.replace("_", " ")
    return [
        Table(["column", "slice", "rows", metric, ""], lines, frozenset({2})),
        Text("The intervals of the judged slices hold together in 95 % of cases (Bonferroni)."),
    ]


def fairness(version: Version, spec: ModelSpec) -> list[Block]:
    """Rates by group, and how far groups are apart."""
    rows = version.evidence.groups
    if not rows:
        return []
    lines: list[list[Cell]] = [
        [
            row.column,
            row.group or "missing",
            f"{row.rows:,}",
            _rate(row.selection),
            _rate(row.true_positive),
            _rate(row.false_positive),
            "" if row.judged else "too few rows to be judged",
        ]
        for row in rows
    ]
    heads = ["column", "group", "rows", "answered yes", "yes if positive", "yes if negative", ""]
    blocks: list[Block] = [Table(heads, lines, frozenset({2}))]
    gaps: list[list[Cell]] = [
        [g.column, g.measure, _gap(g), number(g.limit), f"{g.lowest} against {g.highest}"]
        for g in version.evidence.gaps
        if g.value is not None
    ]
    blocks.append(Table(["column", "measure", "measured", "limit", "groups"], gaps, frozenset({3})))
    blocks.append(
        Text(
            "Rates have Wilson's, gaps bootstrap 95 % intervals. Equal rates are one idea of "
            "fairness among several that exclude each other; which one is right here is for people "
            "to say."
        )
    )
    if version.evidence.thresholds:
        told = [
            (f"{t.column} = {t.value}", f"yes from a score of {t.threshold:.3f}")
            for t in version.evidence.thresholds
        ]
        blocks += [Text(THRESHOLDS, Level.WARN), Facts(told)]
    return blocks


def calibration(version: Version) -> list[Block]:
    """Scores against what was true."""
    if not version.evidence.bins:
        return []
    return [
        Reliability(version.evidence.bins),
        Text(
            "Each point is a fifteenth of the held-out rows, by their score. On the line, of 100 "
            "rows with a score of 0.7, 70 are as it says."
        ),
    ]


def costs(version: Version, spec: ModelSpec) -> list[Block]:
    """What quantization changed, and what a device pays."""
    parity, cost = version.parity, version.evidence.cost
    changed = f"{parity.label_flips:,} of {parity.rows:,} answers change"
    lines: list[list[Cell]] = [
        ["size", size(parity.float_bytes), size(parity.artifact_bytes)],
        ["one row, ms", f"{parity.float_ms:.3f}", f"{parity.artifact_ms:.3f}"],
    ]
    told = [
        ("quantization", f"{changed}, outputs by up to {parity.largest_gap:.4f}"),
        ("budget", f"{size(spec.budget.artifact_bytes)}, {spec.budget.latency_ms:g} ms a row"),
    ]
    if cost is not None:
        told.append(("to load, until the first answer", f"{cost.load_ms:.1f} ms"))
    if cost is not None and cost.memory_bytes is not None:
        told.append(("memory it adds at most", size(cost.memory_bytes)))
    return [Table(["", "float", "quantized"], lines, frozenset({1, 2})), Facts(told)]


def caveats(version: Version, spec: ModelSpec, run: Run | None) -> list[Block]:
    """What is not known, and what should not be concluded."""
    evidence = version.evidence
    found = list(evidence.notes)
    found += [
        f"The gate {g.name} failed and was waived: {g.text}." for g in version.gates if g.waived
    ]
    found += [f"The gate {g.name} failed: {g.text}." for g in version.gates if g.blocks]
    shown = [gate.name for gate in version.gates if not gate.judged]
    if shown:
        found.append(f"Measured, but the spec demands nothing of it: {', '.join(shown)}.")
    small = [f"{r.column} {r.group or 'missing'}" for r in evidence.groups if not r.judged]
    if small:
        found.append(f"Groups with too few rows to be judged: {', '.join(small)}.")
    if spec.fairness.groups == [] and spec.model.task == "classification":
        found.append("No sensitive columns are named: nobody has looked at groups of people.")
    found += run.notes if run is not None else []
    age = (
        "drawn from the same time as those of training"
        if spec.rows.shuffle
        else "newer than those of training"
    )
    found.append(
        f"The held-out rows are {age}, and the world goes on: watch the drift, and the accuracy "
        "where labels come."
    )
    found.append("Latency, load time and memory were measured at the hub; devices are slower.")
    return [Points(found)]


def approvals(version: Version) -> list[Block]:
    """What people have said to it."""
    if not version.approvals:
        wanted = (
            "The spec wants an approval; nobody has given one." if version.needs_approval else ""
        )
        return [Text(wanted or "The spec wants no approval, and nobody has said anything.")]
    lines: list[list[Cell]] = [
        [moment(a.at), a.by, f"{a.saying} {a.gate}".strip(), a.reason, a.audit[:12]]
        for a in version.approvals
    ]
    return [Table(["when", "who", "said", "why", "audit log"], lines)]


def _badge(gate: GateResult) -> Badge:
    if gate.waived:
        return Badge(Level.WARN, "waived")
    if not gate.judged:
        return Badge(Level.OFF, "shown")
    return Badge(Level.GOOD, "passed") if gate.passed else Badge(Level.BAD, "failed")


def _picture(gate: GateResult) -> Cell:
    if gate.value is None:
        return "-"
    if gate.low is None or gate.high is None:
        return number(gate.value)
    ends = [gate.low, gate.high, 0.0, *([] if gate.limit is None else [gate.limit])]
    scale = min(ends), max([*ends, 1.0 if max(ends) > 0.5 else 0.25])  # noqa: PLR2004  # small losses are drawn large
    level = Level.GOOD if gate.passed else Level.BAD
    return Whisker(
        gate.value, gate.low, gate.high, scale, gate.limit, level if gate.judged else Level.OFF
    )


def _rate(rate: Rate) -> Cell:
    if rate.value is None:
        return "no such row"
    return Whisker(rate.value, rate.low, rate.high, (0.0, 1.0))


def _gap(gap: GroupGap) -> Cell:
    if gap.value is None:
        return "-"
    if gap.low is None or gap.high is None:
        return number(gap.value)
    level = Level.OFF
    if gap.limit is not None:
        fine = gap.value >= gap.limit if gap.measure.endswith("ratio") else gap.value <= gap.limit
        level = Level.GOOD if fine else Level.BAD
    return Whisker(gap.value, gap.low, gap.high, (0.0, 1.0), gap.limit, level)
