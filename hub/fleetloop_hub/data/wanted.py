"""The columns that a spec asks of its sources, and whether a source has them."""

from dataclasses import dataclass

from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.expressions import names_in
from fleetloop_hub.spec.model_spec import ModelSpec

MOST_COLUMNS = 4_096
_SHOWN = 20


@dataclass(frozen=True)
class Wanted:
    """What to read.

    Attributes:
        columns: In the order in which they are read, each once.
        numbers: Those of which only the number counts, not the text.
        time: The column that orders rows, if there is one.
    """

    columns: list[str]
    numbers: frozenset[str]
    time: str | None


def of_rows(spec: ModelSpec) -> Wanted:
    """What the spec's sources must have."""
    label = spec.label.column if spec.label.late is None else None
    rules = [name for rule in spec.rules for name in sorted(names_in(rule.check))]
    others = [spec.rows.time, label, spec.rows.key, *spec.group_columns]
    columns = [*others, *spec.feature_names, *rules]
    numbers = {f.name for f in spec.features if f.kind == "number"} - set(others)
    return Wanted(list(dict.fromkeys(c for c in columns if c)), frozenset(numbers), spec.rows.time)


def of_late_labels(spec: ModelSpec) -> Wanted:
    """What the source of late labels must have."""
    late, label = spec.label.late, spec.label.column
    if late is None:
        return Wanted([], frozenset(), None)
    columns = [late.key, late.time, *([label] if label else [])]
    return Wanted(list(dict.fromkeys(columns)), frozenset(), late.time)


def check_header(source: str, names: list[str], wanted: Wanted) -> None:
    """See that every wanted column is there, once.

    Raises:
        DataError: It is not; with what is there.
    """
    if len(names) > MOST_COLUMNS:
        raise DataError(
            f"{source} has {len(names):,} columns; {MOST_COLUMNS:,} can be read: write the ones "
            "that the spec names into a file of their own"
        )
    for name in wanted.columns:
        if names.count(name) != 1:
            how = "is missing" if name not in names else "stands twice"
            there = ", ".join(names[:_SHOWN]) or "nothing"
            more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
            raise DataError(
                f"{source}: column {name!r} {how}; the header has {there}{more}: correct the file, "
                "or the name in the spec"
            )
