"""Writes the first spec: every guess stands beside its reason and what else could be written."""

import os
from pathlib import Path

from fleetloop_hub.data.wanted import MOST_COLUMNS
from fleetloop_hub.drafting import demands, plan
from fleetloop_hub.drafting.facts import look
from fleetloop_hub.drafting.inputs import features, rules
from fleetloop_hub.drafting.roles import Roles, assign, sorted_by
from fleetloop_hub.drafting.sample import LONGEST_NAME, Sample, read
from fleetloop_hub.drafting.toml_text import comment, pair, raw
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.scalars import Task

_MOST_LISTED = 100
_SHOWN = 20
_WARNING = "WARNING: "


def draft(name: str, data: Path, folder: Path, label: str | None, task: Task | None) -> str:
    """The text of a spec for the rows in a file.

    Args:
        name: The model's.
        data: The file.
        folder: Where the spec will lie.
        label: The column to predict, if a person has said it.
        task: The task, if a person has said it.

    Raises:
        DataError: The file cannot be read, or has nothing to learn from.
    """
    sample = read(data)
    if len(sample.names) > MOST_COLUMNS:
        raise DataError(
            f"{data} has {len(sample.names):,} columns; {MOST_COLUMNS:,} can be read: write the "
            "ones that may matter into a file of their own"
        )
    facts = [look(column, values) for column, values in sample.columns.items()]
    roles = assign(facts, label, _unusable(sample), labelled=label is not None or task != "anomaly")
    if roles.label is None and task not in {None, "anomaly"}:
        raise DataError(
            f"no column of {data} looks like the label of a {task}: name it with --label"
        )
    guessed, why = plan.task_of(roles.label.facts if roles.label else None)
    if task is not None and task != guessed:
        guessed, why = task, "you named it"
    source = os.path.relpath(data.resolve(), folder.resolve())
    parts = [
        _opening(name, sample, data),
        _model(name, guessed, why),
        _source(sample, source),
        _rows(roles),
        _label(roles, guessed),
        features(roles),
        rules(),
        demands.candidates(guessed, sample, roles),
        demands.budget(),
        demands.gates(guessed, roles),
        demands.fairness(guessed, roles),
        demands.fleet(sample),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def warnings_in(text: str) -> list[str]:
    """What a person has to know of a draft at once."""
    before = f"# {_WARNING}"
    return [line.removeprefix(before) for line in text.splitlines() if line.startswith(before)]


def _unusable(sample: Sample) -> list[tuple[str, str]]:
    """The columns that a spec cannot name or a model cannot be given, and why."""
    found: dict[str, str] = {}
    for name in sample.names:
        if name in sample.columns:
            continue
        if not name:
            found[name] = "is a column without a name"
        elif sample.names.count(name) > 1:
            found[name] = "stands more than once in the header"
        elif len(name) > LONGEST_NAME:
            found[name[:_SHOWN]] = f"is longer than {LONGEST_NAME} characters"
        else:
            found[name] = "holds lists or tables"
    return list(found.items())


def _opening(name: str, sample: Sample, data: Path) -> list[str]:
    read_rows = f"all {sample.rows:,} rows" if sample.whole else f"the first {sample.rows:,} rows"
    return [
        *comment(
            f"The life of the model {name}, drafted from {read_rows} of {data.name}. Everything "
            "here is a guess with its reason beside it: read it once, change what is wrong, and "
            "see what your rows say with `fleetloop check`. docs/spec.md explains every key."
        ),
    ]


def _model(name: str, task: Task, why: str) -> list[str]:
    return [
        "[model]",
        *pair("name", name, "on the wire, in the catalog and in commands"),
        *pair("task", task, why),
        *pair("seed", 0, "of every random choice: same rows and seed, same artifact"),
    ]


def _source(sample: Sample, source: str) -> list[str]:
    lines = ["[[sources]]", *pair(sample.form, source, "relative to this file")]
    if sample.form == "csv" and sample.delimiter != ",":
        lines += pair("delimiter", sample.delimiter, "the likeliest in the header")
    return lines


def _rows(roles: Roles) -> list[str]:
    lines = ["[rows]"]
    if roles.time is not None:
        lines += pair("time", roles.time.name, f"orders the rows: {roles.time.why}")
    else:
        lines += comment(
            "No column orders the rows in time, so their order in the file is taken for it: the "
            'last fifth is held out for judging. If a column tells the time, write time = "COLUMN".'
        )
        if roles.label is not None and sorted_by(roles.label.facts):
            why = f"they are sorted by {roles.label.name}: the last would have other answers"
            lines += raw("shuffle = true", why)
        else:
            lines += raw("# shuffle = true", "if the order of the rows means nothing")
    if roles.key is not None:
        lines += pair("key", roles.key.name, f"names a row: {roles.key.why}")
    else:
        lines += comment('If a column names each row, write key = "COLUMN": its doubles are found.')
    return lines


def _label(roles: Roles, task: Task) -> list[str]:
    if roles.label is None:
        return comment(
            "No [label]: nothing is predicted. If a column holds the truth, write [label] and "
            'column = "COLUMN"; an anomaly model is then judged by it.'
        )
    facts = roles.label.facts
    lines = ["[label]", *pair("column", facts.name, f"what is predicted: {roles.label.why}")]
    if facts.missing:
        lines += comment(f"{facts.missing:,} rows without it are kept out of training.")
    if task == "regression":
        return lines
    classes = plan.classes_of(facts)
    if classes.count <= 1:
        return lines + comment(
            f"{_WARNING}{facts.name[:_SHOWN]} has one value only; training has nothing to learn "
            "from it."
        )
    if classes.names and len(classes.names) <= _MOST_LISTED:
        lines += pair("classes", classes.names, "all that were seen; others are quarantined")
    if classes.positive is not None:
        lines += pair("positive", classes.positive, f"its probability is the score: {classes.why}")
        lines += comment(
            "If a false yes and a false no cost you differently, write cost_false_positive and "
            "cost_false_negative: they set the decision threshold."
        )
    return lines
