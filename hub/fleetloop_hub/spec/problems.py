"""What no single key of a spec can be wrong about: keys that contradict each other."""

import difflib
from collections import Counter
from collections.abc import Iterator

from fleetloop_hub.spec.candidate_problems import candidate_problems
from fleetloop_hub.spec.data_tables import FeatureTable, SliceTable, SourceTable
from fleetloop_hub.spec.explain import Problem, in_dots
from fleetloop_hub.spec.expressions import names_in
from fleetloop_hub.spec.families import TASK_METRICS
from fleetloop_hub.spec.lines import Path
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.sampling_problems import sampling_problems

_TWO = 2


def problems(spec: ModelSpec) -> Iterator[Problem]:
    """Each contradiction, in the order of a model's life; nothing if there is none."""
    for index, source in enumerate(spec.sources):
        yield from _source(("sources", index), source)
    yield from _label(spec)
    yield from _costs(spec)
    yield from _columns(spec)
    for index, feature in enumerate(spec.features):
        yield from _feature(("features", index), feature)
    for index, rule in enumerate(spec.rules):
        try:
            names_in(rule.check)
        except ValueError as error:
            wrong = f'{error}; compare columns and numbers, as in "low <= high and low > 0"'
            yield _at(("rules", index, "check"), wrong)
    for index, slice_ in enumerate(spec.slices):
        yield from _slice(("slices", index), slice_)
    yield from candidate_problems(spec)
    yield from _gates(spec)
    yield from _fairness(spec)
    yield from sampling_problems(spec)
    phases = spec.rollout.phases
    shares = [phase for phase in phases if isinstance(phase, float)]
    counts = [int(phase.split()[0]) for phase in phases if isinstance(phase, str)]
    if phases[-1] != 1.0 or sorted(set(shares)) != shares or sorted(set(counts)) != counts:
        yield _at(("rollout", "phases"), "write shares that ascend and end with 1.0")


def unknown_columns(spec: ModelSpec, columns: list[str]) -> Iterator[Problem]:
    """Columns that the spec names and the source does not have.

    Args:
        spec: The spec.
        columns: What the source's columns are called.
    """
    named: list[tuple[Path, str | None]] = [
        (("rows", "time"), spec.rows.time),
        (("rows", "key"), spec.rows.key),
        (("label", "column"), None if spec.label.late else spec.label.column),
        *((("features", k, "name"), f.name) for k, f in enumerate(spec.features)),
        *((("slices", k, "column"), s.column) for k, s in enumerate(spec.slices)),
        *((("fairness", "groups", k), g) for k, g in enumerate(spec.fairness.groups)),
    ]
    for index, rule in enumerate(spec.rules):
        named += [(("rules", index, "check"), name) for name in sorted(names_in(rule.check))]
    listed = ", ".join(columns[:20]) + (" …" if len(columns) > 20 else "")  # noqa: PLR2004  # a line
    for path, name in named:
        if name is not None and name not in columns:
            close = difflib.get_close_matches(name, columns, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {listed or 'none'}"
            yield _at(path, f"the source has no column {name!r}; {hint}")


def wrong_delimiter(place: int, delimiter: str) -> Problem:
    """A source whose header is one column, though another delimiter stands in it."""
    written = delimiter.replace("\t", "\\t")
    what = f'the header is one column, in which {written!r} stands; write delimiter = "{written}"'
    return _at(("sources", place, "delimiter"), what)


def _at(path: Path, what: str) -> Problem:
    return Problem(path=path, text=f"{in_dots(path)}: {what}")


def _of(feature: FeatureTable, path: Path, what: str) -> Problem:
    return Problem(path=path, text=f"{in_dots(path)} ({feature.name}): {what}")


def _source(path: Path, source: SourceTable) -> Iterator[Problem]:
    kinds = ("csv", "parquet", "jsonl", "folder", "query")
    named = [kind for kind in kinds if getattr(source, kind) is not None]
    if len(named) != 1:
        found = " and ".join(named) or "none"
        yield _at(path, f"{found} of {', '.join(kinds)} is given; write exactly one")
    if (source.query is None) != (source.database is None):
        yield _at(path, "query and database belong together; write both")


def _label(spec: ModelSpec) -> Iterator[Problem]:
    label, task = spec.label, spec.model.task
    if label.column is None and label.late is None and task != "anomaly":
        yield Problem(path=("label", "column"), text=f"label.column is missing; a {task} needs one")
    if label.classes and task == "regression":
        remedy = 'leave it out, or write task = "classification"'
        yield _at(("label", "classes"), f"a regression has none; {remedy}")
    if twice := _twice(label.classes):
        yield _at(("label", "classes"), f"{twice!r} stands twice; name each class once")
    if len(label.classes) == 1 and task == "classification":
        yield _at(("label", "classes"), "one class is nothing to choose from; name the others too")
    if len(label.classes) == _TWO and str(label.positive) not in label.classes:
        wrong = f"{label.positive!r} is not among label.classes; write one of them"
        yield _at(("label", "positive"), wrong)
    if label.late is not None:
        yield from _source(("label", "late", "source"), label.late.source)
        if label.late.key != spec.rows.key:
            wrong = f"{label.late.key!r} is not rows.key; labels are joined by that name"
            yield _at(("label", "late", "key"), wrong)


def _costs(spec: ModelSpec) -> Iterator[Problem]:
    label, task = spec.label, spec.model.task
    given = [k for k in ("cost_false_positive", "cost_false_negative") if getattr(label, k)]
    if not given:
        return
    path = ("label", given[0])
    if len(given) == 1:
        both = "label.cost_false_positive and label.cost_false_negative belong together"
        yield _at(path, f"{both}; write both")
    if task != "classification":
        yield _at(path, f"a model of task {task} has no false yes or no; leave the costs out")
    elif len(label.classes) > _TWO:
        yield _at(path, "costs set the threshold between two classes; with more leave them out")


def _columns(spec: ModelSpec) -> Iterator[Problem]:
    label, time = spec.label.column, spec.rows.time
    seen: set[str] = set()
    for index, name in enumerate(spec.feature_names):
        path = ("features", index, "name")
        if name in seen:
            yield _at(path, f"{name!r} stands twice; name each column once")
        seen.add(name)
        if name == label:
            wrong = f"{label!r} is label.column; a model cannot be given its own answer"
            yield _at(path, wrong)
    if time is not None and time == label:
        wrong = f"{time!r} is label.column as well; name the column that orders the rows"
        yield _at(("rows", "time"), wrong)
    if time is not None and spec.rows.shuffle:
        yield _at(("rows", "shuffle"), "rows that time orders are not shuffled; leave one out")
    if twice := _twice([rule.name for rule in spec.rules]):
        yield _at(("rules",), f"the name {twice!r} stands twice; give each a name of its own")
    if twice := _twice([s.column for s in spec.slices]):
        yield _at(("slices",), f"the column {twice!r} stands twice; name each once")


def _feature(path: Path, feature: FeatureTable) -> Iterator[Problem]:
    low, high = feature.low, feature.high
    if low is not None and high is not None and low >= high:
        yield _of(feature, (*path, "low"), "write a low that is below high")
    if feature.out_of_range == "refuse" and low is high is None and not feature.categories:
        wrong = "nothing is out of range; write low or high, or leave this out"
        yield _of(feature, (*path, "out_of_range"), wrong)
    if (feature.missing == "constant") != (feature.fill is not None):
        key = "missing" if feature.fill is None else "fill"
        yield _of(feature, (*path, key), 'fill and missing = "constant" belong together')
    if feature.kind == "category":
        if not feature.categories:
            wrong = "there is none; list the values that the column can have"
            yield _of(feature, (*path, "categories"), wrong)
        if twice := _twice(feature.categories):
            yield _of(feature, (*path, "categories"), f"{twice!r} stands twice")
        if low is not None or high is not None:
            key = "low" if low is not None else "high"
            yield _of(feature, (*path, key), "low and high are for numbers; leave them out")
    elif feature.categories:
        yield _of(feature, (*path, "categories"), 'write kind = "category" as well')


def _slice(path: Path, slice_: SliceTable) -> Iterator[Problem]:
    if sorted(set(slice_.edges)) != slice_.edges:
        yield _at((*path, "edges"), f"write numbers that ascend, for {slice_.column}")


def _gates(spec: ModelSpec) -> Iterator[Problem]:
    metric, task = spec.gates.metric, spec.model.task
    known = TASK_METRICS[task]
    if metric not in known:
        choices = ", ".join(f'"{name}"' for name in known)
        wrong = f'"{metric}" is not for a model of task {task}; write one of {choices}'
        yield _at(("gates", "metric"), wrong)


def _fairness(spec: ModelSpec) -> Iterator[Problem]:
    fairness, path = spec.fairness, ("fairness", "groups")
    limits = [k for k in fairness.__struct_fields__ if k.endswith(("_gap", "_ratio"))]
    limits = [k for k in limits if getattr(fairness, k) is not None]
    if not fairness.groups:
        if limits:
            wrong = "a limit without fairness.groups judges nobody; name the sensitive columns"
            yield _at(("fairness", limits[0]), wrong)
        return
    if twice := _twice(fairness.groups):
        yield _at(path, f"{twice!r} stands twice; name each column once")
    if spec.model.task != "classification":
        yield _at(path, "rates of groups are for classification; leave it out")
    elif len(spec.label.classes) > _TWO:
        yield _at(path, "rates of groups are for two classes; leave it out")
    known = fairness.mitigation == "none" or set(fairness.groups) & set(spec.feature_names)
    if limits and not known:
        remedy = f'make {fairness.groups[0]!r} a feature, or write mitigation = "none"'
        wrong = f"a threshold for each group needs the group among the features; {remedy}"
        yield _at(("fairness", "mitigation"), wrong)


def _twice(names: list[str]) -> str:
    return next((name for name, count in Counter(names).items() if count > 1), "")
