"""Guesses what each column is for: time, key, label, input, sensitive group, or nothing."""

from dataclasses import dataclass, field

from fleetloop_hub.drafting import words
from fleetloop_hub.drafting.facts import Facts
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.data_tables import MOST_FEATURES

MOST_CLASSES = 20
"""A label of whole numbers with more values than this is taken for a quantity."""

_MOST_CATEGORIES = 50
_MOST_GROUPS = 12
_FEW_CODES = 10
_SORTED = 3
_ALWAYS_TIME = frozenset({"time", "timestamp", "datetime", "ts", "epoch", "created_at"})


@dataclass(frozen=True)
class Guess:
    """A column with a purpose, and why it was taken for that."""

    facts: Facts
    why: str

    @property
    def name(self) -> str:
        """The column's name."""
        return self.facts.name


@dataclass(frozen=True)
class Input(Guess):
    """A column that the model is given.

    Attributes:
        kind: "number" or "category".
    """

    kind: str = "number"


@dataclass
class Roles:
    """What every column is for.

    Attributes:
        time: What orders the rows, if anything does.
        key: What names a row, if anything does.
        label: What is predicted, if anything is.
        inputs: What the model is given, in the file's order.
        left_out: What it is not given, and why.
        groups: Inputs that part people into groups, and by which trait.
        not_groups: Inputs with a sensitive trait that have no groups to compare.
    """

    time: Guess | None = None
    key: Guess | None = None
    label: Guess | None = None
    inputs: list[Input] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)
    not_groups: list[tuple[str, str]] = field(default_factory=list)


def assign(
    columns: list[Facts],
    label: str | None,
    unusable: list[tuple[str, str]],
    *,
    labelled: bool,
) -> Roles:
    """A purpose for each column.

    Args:
        columns: In the file's order.
        label: The name of the label, if a person has said it.
        unusable: Other columns of the file, and why they cannot be used.
        labelled: Whether there shall be a label at all.

    Raises:
        DataError: There is no such label, or nothing is left to predict it from.
    """
    roles, rest = Roles(left_out=list(unusable)), {facts.name: facts for facts in columns}
    if label is not None:
        if label not in rest:
            raise _no_label(label, list(rest), dict(unusable))
        roles.label = Guess(rest.pop(label), "you named it")
    roles.time = _time(list(rest.values()))
    if roles.time is not None:
        del rest[roles.time.name]
    if roles.label is None and labelled:
        roles.label = _label(list(rest.values()))
        rest.pop(roles.label.name if roles.label else "", None)
    roles.key = _key(list(rest.values()))
    if roles.key is not None:
        del rest[roles.key.name]
    for facts in rest.values():
        _place(facts, roles)
    if not roles.inputs:
        raise DataError(
            "no column is left to predict from: "
            + "; ".join(f"{name!r} {why}" for name, why in [*_taken(roles), *roles.left_out])
        )
    return roles


def _no_label(label: str, names: list[str], unusable: dict[str, str]) -> DataError:
    if label in unusable:
        return DataError(f"--label {label}: {label!r} {unusable[label]}; correct the file")
    return DataError(f"no column is called {label!r}; there are {', '.join(names) or 'none'}")


def _taken(roles: Roles) -> list[tuple[str, str]]:
    """The columns that have another purpose than being an input."""
    purposes = (
        (roles.label, "is the label"),
        (roles.time, "orders the rows"),
        (roles.key, "names a row"),
    )
    return [(guess.name, f"{what} ({guess.why})") for guess, what in purposes if guess]


def sorted_by(facts: Facts) -> bool:
    """Whether equal values of a column with few values stand together, as in a sorted file."""
    return 1 < facts.distinct <= MOST_CLASSES and facts.changes < _SORTED * facts.distinct


def _time(columns: list[Facts]) -> Guess | None:
    found = []
    for facts in columns:
        plain = words.plain(facts.name)
        named = plain in words.TIMES or plain.endswith(("_time", "_date", "_at", "_ts"))
        number = facts.number and not facts.missing and not facts.texts and facts.distinct > 1
        if facts.date:
            found.append((3 * facts.ascends + named, Guess(facts, "it holds dates")))
        elif number and named and facts.ascends:
            found.append((2, Guess(facts, "by its name, and its numbers ascend")))
        elif number and plain in _ALWAYS_TIME:
            found.append((1, Guess(facts, "by its name")))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _label(columns: list[Facts]) -> Guess | None:
    usable = [facts for facts in columns if facts.distinct > 1 and not facts.date]
    by_name = {words.plain(facts.name): facts for facts in usable}
    for name in words.LABELS:
        if name in by_name:
            return Guess(by_name[name], "by its name")
    usable = [f for f in usable if f.number or not f.unique] if len(usable) > 1 else []
    few = [facts for facts in usable if facts.distinct <= MOST_CLASSES]
    if usable and (usable[-1].number or usable[-1].distinct <= MOST_CLASSES):
        return Guess(usable[-1], "it is the last column")
    if few:
        return Guess(few[-1], "it is the last column with few values")
    return None


def _key(columns: list[Facts]) -> Guess | None:
    for facts in columns:
        plain = words.plain(facts.name)
        named = plain in words.KEYS or plain.endswith(("_id", "_key", "_uuid"))
        if facts.unique and named and (facts.whole or not facts.number):
            return Guess(facts, "by its name, and no value stands twice")
    for facts in columns:
        if facts.unique and not facts.number and not facts.date and facts.rows > _MOST_CATEGORIES:
            return Guess(facts, "no text in it stands twice")
    return None


def _place(facts: Facts, roles: Roles) -> None:
    """Take a column as an input, or say why not."""
    plain = words.plain(facts.name)
    if facts.distinct == 0:
        roles.left_out.append((facts.name, "has no value at all"))
    elif facts.distinct == 1 and not facts.missing:
        roles.left_out.append((facts.name, f"is always {facts.values[0][0][:40]!r}"))
    elif facts.date:
        roles.left_out.append((facts.name, "holds dates; derive numbers from it, such as the hour"))
    elif facts.number and plain.split("_")[-1] in words.KEYS and facts.distinct > _MOST_CATEGORIES:
        roles.left_out.append((facts.name, "seems to name things, not to measure"))
    elif not facts.number and facts.distinct > _MOST_CATEGORIES:
        roles.left_out.append((facts.name, f"holds {facts.distinct:,} different texts"))
    elif len(roles.inputs) == MOST_FEATURES:
        why = f"comes after the {MOST_FEATURES} features that a device can watch"
        roles.left_out.append((facts.name, why))
    else:
        _input(facts, roles)


def _input(facts: Facts, roles: Roles) -> None:
    plain = words.plain(facts.name)
    code = plain in words.CODES - words.ORDERED_CODES and facts.whole
    trait = words.sensitive(facts.name)
    few = facts.distinct <= _MOST_GROUPS
    if not facts.number:
        roles.inputs.append(Input(facts, "it holds texts", "category"))
    elif facts.values and few and (code or (trait and facts.whole)):
        roles.inputs.append(Input(facts, "its whole numbers seem to be codes", "category"))
    elif facts.whole and 2 < facts.distinct <= _FEW_CODES:  # noqa: PLR2004  # yes and no is a number
        few_values = "a number; if its few whole numbers are codes, not amounts, write"
        roles.inputs.append(Input(facts, few_values))
    else:
        roles.inputs.append(Input(facts, ""))
    if trait:
        (roles.groups if few else roles.not_groups).append((facts.name, trait))
