"""What no single key of a spec can be wrong about: keys that contradict each other."""

from collections.abc import Iterator

from fleetloop_hub.spec.data_tables import FeatureTable, SourceTable
from fleetloop_hub.spec.families import FAMILY_KEYS, TASK_METRICS, fits
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.training_tables import CandidateTable, RangeTable

_ALWAYS = frozenset({"name", "family", "search"})


def problems(spec: ModelSpec) -> Iterator[str]:
    """Each contradiction, as key, problem and remedy; nothing if there is none."""
    for index, source in enumerate(spec.sources):
        yield from _source(f"sources[{index}]", source)
    yield from _label(spec)
    yield from _columns(spec)
    for index, feature in enumerate(spec.features):
        yield from _feature(f"features[{index}] ({feature.name})", feature)
    yield from _candidates(spec)
    yield from _gates(spec)
    phases = spec.rollout.phases
    if phases[-1] != 1.0 or sorted(set(phases)) != phases:
        yield f"rollout.phases {phases}: write shares that ascend and end with 1.0"


def _source(key: str, source: SourceTable) -> Iterator[str]:
    kinds = ("csv", "parquet", "jsonl", "folder", "query")
    named = [kind for kind in kinds if getattr(source, kind) is not None]
    if len(named) != 1:
        found = " and ".join(named) or "none"
        yield f"{key}: {found} of {', '.join(kinds)} is given; write exactly one"
    if (source.query is None) != (source.database is None):
        yield f"{key}: query and database belong together; write both"


def _label(spec: ModelSpec) -> Iterator[str]:
    label, task = spec.label, spec.model.task
    if label.column is None and label.late is None and task != "anomaly":
        yield f"label.column is missing; a {task} needs one"
    if label.classes and task == "regression":
        yield 'label.classes: a regression has none; leave it out, or write task = "classification"'
    if _twice(label.classes):
        yield f"label.classes: {_twice(label.classes)!r} stands twice; name each class once"
    if label.classes and len(label.classes) == 2 and str(label.positive) not in label.classes:  # noqa: PLR2004  # yes and no
        yield f"label.positive: {label.positive!r} is not among label.classes; write one of them"
    if (label.cost_false_positive is None) != (label.cost_false_negative is None):
        yield "label.cost_false_positive and label.cost_false_negative belong together; write both"
    if label.late is not None and label.late.key != spec.rows.key:
        yield f"label.late.key: {label.late.key!r} is not rows.key; labels are joined by that name"


def _columns(spec: ModelSpec) -> Iterator[str]:
    names, label, time = spec.feature_names, spec.label.column, spec.rows.time
    if _twice(names):
        yield f"features.name: {_twice(names)!r} stands twice; name each column once"
    if label in names:
        yield f"features.name: {label!r} is label.column; a model cannot be given its own answer"
    if time is not None and time == label:
        yield f"rows.time: {time!r} is label.column as well; name the column that orders the rows"
    if _twice([rule.name for rule in spec.rules]):
        yield f"rules.name: {_twice([r.name for r in spec.rules])!r} stands twice"
    if _twice([s.column for s in spec.slices]):
        yield f"slices.column: {_twice([s.column for s in spec.slices])!r} stands twice"


def _feature(key: str, feature: FeatureTable) -> Iterator[str]:
    low, high = feature.low, feature.high
    if low is not None and high is not None and low >= high:
        yield f"{key}.low: write a low that is below high"
    if (feature.missing == "constant") != (feature.fill is not None):
        yield f'{key}: fill and missing = "constant" belong together; write both'
    if feature.kind == "category":
        if not feature.categories:
            yield f"{key}.categories is missing; list the values that the column can have"
        if _twice(feature.categories):
            yield f"{key}.categories: {_twice(feature.categories)!r} stands twice"
        if low is not None or high is not None:
            yield f"{key}: low and high are for numbers; leave them out"
    elif feature.categories:
        yield f'{key}.categories: write kind = "category" as well'


def _candidates(spec: ModelSpec) -> Iterator[str]:
    names = [candidate.name for candidate in spec.candidates]
    if _twice(names):
        yield f"candidates.name: {_twice(names)!r} stands twice; give each a name of its own"
    for index, candidate in enumerate(spec.candidates):
        yield from _candidate(f"candidates[{index}]", candidate, spec)


def _candidate(key: str, candidate: CandidateTable, spec: ModelSpec) -> Iterator[str]:
    family, task = candidate.family, spec.model.task
    if not fits(family, task):
        known = ", ".join(f for f in FAMILY_KEYS if fits(f, task))
        yield f'{key}.family = "{family}" is not for a model of task {task}; write one of {known}'
    allowed = FAMILY_KEYS[family]
    given = [k for k in candidate.__struct_fields__ if k not in _ALWAYS and getattr(candidate, k)]
    for unknown in [k for k in (*given, *candidate.search) if k not in allowed]:
        yield f"{key}.{unknown} is not a key of {family}; it knows {', '.join(sorted(allowed))}"
    for name, choices in candidate.search.items():
        if isinstance(choices, RangeTable):
            if choices.low >= choices.high or (choices.log and choices.low <= 0):
                yield f"{key}.search.{name}: write a low below high, above 0 where log = true"
        elif not choices:
            yield f"{key}.search.{name} is empty; list values, or write {{ low = …, high = … }}"


def _gates(spec: ModelSpec) -> Iterator[str]:
    known = TASK_METRICS[spec.model.task]
    if spec.gates.metric not in known:
        choices = ", ".join(f'"{metric}"' for metric in known)
        yield (
            f'gates.metric = "{spec.gates.metric}" is not for a model of task {spec.model.task}; '
            f"write one of {choices}"
        )
    fairness = spec.fairness
    if fairness.groups and spec.model.task != "classification":
        yield "fairness.groups: rates of groups are for classification; leave it out"


def _twice(names: list[str]) -> str:
    return next((name for name in names if names.count(name) > 1), "")
