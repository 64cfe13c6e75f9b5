"""The parts of a card that tell where a version comes from."""

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.delay_words import about, briefs
from fleetloop_hub.packaging.card.parts import (
    Badge,
    Block,
    Cell,
    Commands,
    Facts,
    Level,
    Points,
    Table,
    Text,
)
from fleetloop_hub.packaging.card.words import moment, number, plural, size
from fleetloop_hub.records import Dataset, Run, Version
from fleetloop_hub.run_parts import Candidate
from fleetloop_hub.spec.data_tables import FeatureTable
from fleetloop_hub.spec.labels import names_by_number
from fleetloop_hub.spec.model_spec import ModelSpec

_TASKS = {
    "classification": "Says which class a row belongs to",
    "regression": "Estimates a number for a row",
    "anomaly": "Says whether a row is unlike those it was trained on",
}


def sentence(spec: ModelSpec) -> str:
    """What the model does."""
    does = _TASKS[spec.model.task]
    label = f" ({spec.label.column})" if spec.label.column else ""
    return f"{does}{label}, from {plural(len(spec.features), 'feature')}, on devices of a fleet."


def purpose(spec: ModelSpec, decision: Decision | None) -> list[Block]:
    """What for, and why this version exists."""
    label = spec.label
    told: list[tuple[str, str]] = [("task", spec.model.task)]
    if label.column:
        told.append(("label", label.column))
    if label.classes:
        told.append(("classes", ", ".join(label.classes)))
    if spec.model.task == "classification" and len(label.classes) <= 2:  # noqa: PLR2004  # yes and no
        told.append(("positive class", str(label.positive)))
    if label.cost_false_positive and label.cost_false_negative:
        costs = f"{label.cost_false_positive:g} a false yes, {label.cost_false_negative:g} a no"
        told.append(("costs of mistakes", costs))
    told.append(("hardware", ", ".join(spec.model.hardware) or "any"))
    if decision is not None:
        told.append(("why it exists", "; ".join(decision.reasons) or decision.trigger))
    return [
        Facts(told),
        Text(
            "It is meant for rows like those below, from devices that measure the same features in "
            "the same units. It is not meant for anything else, nor to decide alone about people."
        ),
    ]


def data(spec: ModelSpec, dataset: Dataset | None, sha256: str) -> list[Block]:
    """What it was trained and judged on."""
    if dataset is None:
        return [Facts([("dataset version", sha256)])]
    held_out = spec.gates.held_out
    order = f"column {spec.rows.time}" if spec.rows.time else "the order of the source"
    chosen = "the newest"
    if spec.rows.shuffle:
        order, chosen = "none: the rows were shuffled", "a random"
    told = [
        ("dataset version", dataset.key),
        ("source", dataset.source),
        ("rows", number(dataset.rows)),
        ("made", moment(dataset.created_at)),
        ("order in time", order),
        ("held out for the gates", f"{chosen} {held_out:.0%}; nothing was fitted on them"),
        ("quarantined rows", number(dataset.quarantined_rows)),
    ]
    if spec.model.task == "classification" and dataset.labels:
        names = names_by_number(spec)
        counts = [f"{names.get(k, k)}: {count:,}" for k, count in dataset.labels.items()]
        told.append(("labels", ", ".join(counts)))
    if dataset.parent:
        told.append(("grown from", dataset.parent))
    blocks: list[Block] = [Facts(told)]
    if dataset.quarantined:
        lines = [[reason, f"{count:,}"] for reason, count in sorted(dataset.quarantined.items())]
        blocks.append(Table(["kept out because", "rows"], [list(x) for x in lines], frozenset({1})))
    return blocks


def features(spec: ModelSpec) -> list[Block]:
    """Every input."""
    lines = [[f.name, f.kind, f.unit or "-", _range(f), _filled(f)] for f in spec.features]
    heads = ["feature", "kind", "unit", "values", "a missing value becomes"]
    return [Table(heads, [list(line) for line in lines])]


def candidates(spec: ModelSpec, run: Run | None) -> list[Block]:
    """What was tried, and why this one was taken."""
    if run is None:
        return []
    heads = ["candidate", spec.gates.metric.replace("_", " "), "quantized", "size", "ms", "recipe"]
    lines = [
        [
            Badge(Level.GOOD, c.name) if c.name == run.chosen else c.name,
            f"{c.score:.3f}",
            f"{c.quantized_score:.3f}",
            size(c.artifact_bytes),
            f"{c.latency_ms:.3f}",
            c.recipe,
        ]
        for c in run.candidates
    ]
    notes = [f"{c.name}: {c.note}" for c in run.candidates if c.note]
    blocks: list[Block] = [Table(heads, [list(x) for x in lines], frozenset({1, 2, 3, 4}))]
    blocks += [Text(f"Taken: {run.pick}.")] if run.pick else []
    blocks += [Points(notes)] if notes else []
    chosen = next((c for c in run.candidates if c.name == run.chosen), None)
    return blocks if chosen is None else [*blocks, Facts(_parameters(chosen))]


def drift(spec: ModelSpec, version: Version) -> list[Block]:
    """How the world is watched, and how soon a change is seen."""
    rate = spec.drift.false_alarms_per_million_rows
    blocks: list[Block] = [
        Text(
            f"Devices compare their rows with those of training, and report every "
            f"{spec.drift.window_rows:,} rows; thresholds are calibrated to {rate:g} false "
            f"alarms in a million rows. The model is trained anew when "
            f"{spec.retrain.drift_devices:.0%} of the devices see drift and "
            f"{spec.retrain.min_labels:,} labels have come since."
        )
    ]
    told = version.evidence.delays
    if told is None:
        return blocks
    lines: list[list[Cell]] = [
        [
            brief.words,
            about(brief.soonest_rows),
            brief.soonest,
            about(brief.latest_rows),
            brief.latest,
            ", ".join(brief.unseen) or "-",
        ]
        for brief in briefs(told)
    ]
    heads = ["change", "seen after rows", "of", "at the latest after", "of", "never of"]
    blocks.append(Table(heads, lines, frozenset({1, 3})))
    blocks.append(
        Text(
            "Rows on one device, the median over all moments at which the change may begin. Not "
            "seen without labels, however large: a change of what the inputs mean."
        )
    )
    return blocks


def reproduction(version: Version, spec: ModelSpec, run: Run | None) -> list[Block]:
    """How to have the same bytes again."""
    told = [("artifact", version.artifact), ("seed", str(spec.model.seed))]
    if run is not None:
        told += [
            ("run", run.key),
            ("model spec", run.spec),
            ("code", run.code),
            ("libraries", ", ".join(f"{k} {v}" for k, v in run.libraries.items())),
            ("duration", f"{run.duration_s:.0f} s"),
        ]
        if run.machine is not None:
            told.append(("machine", f"{run.machine.cpu}, {run.machine.platform}"))
    commands = [f"fleetloop runs reproduce {version.run}"]
    return [
        Text("The same dataset version, spec, seed, code and libraries give the same artifact."),
        Commands(commands),
        Facts(told),
    ]


def _parameters(chosen: Candidate) -> list[tuple[str, str]]:
    known = {k: v for k, v in chosen.parameters.items() if v is not None}
    return [(f"{chosen.name}: {key}", str(value)) for key, value in known.items()]


def _filled(feature: FeatureTable) -> str:
    if feature.fill is not None:
        return f"{feature.fill:g}"
    if feature.missing == "quarantine":
        return "the row was kept out of training"
    return f"the {feature.missing}" if feature.kind == "number" else "the commonest"


def _range(feature: FeatureTable) -> str:
    if feature.kind == "category":
        shown = ", ".join(feature.categories[:8])
        more = len(feature.categories) - 8
        return f"{shown} and {more} more" if more > 0 else shown
    low = "" if feature.low is None else f"from {feature.low:g} "
    high = "" if feature.high is None else f"to {feature.high:g}"
    return f"{low}{high}".strip() or "any number"
