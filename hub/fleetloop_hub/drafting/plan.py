"""Proposes what to train and what to demand, from the label and the number of rows."""

from dataclasses import dataclass

from fleetloop_hub.drafting.facts import Facts
from fleetloop_hub.drafting.roles import MOST_CLASSES
from fleetloop_hub.drafting.words import YES, plain
from fleetloop_hub.spec.scalars import Metric, Task

_IMBALANCED = 0.35
_TWO = 2


@dataclass(frozen=True)
class Classes:
    """The classes of a label.

    Attributes:
        names: As they stand in the column; none where the numbers are taken as they come.
        count: How many there are.
        positive: The one whose probability is the score, of two.
        why: Why that one.
        rarest: The share of the rarest one.
        commonest: The share of the commonest one.
    """

    names: list[str]
    count: int
    positive: str | int | None
    why: str
    rarest: float
    commonest: float


@dataclass(frozen=True)
class Candidate:
    """One algorithm to try: its name, its keys as TOML, and why it is proposed."""

    name: str
    family: str
    keys: list[str]
    why: str


def task_of(label: Facts | None) -> tuple[Task, str]:
    """What kind of question the label asks, and why."""
    if label is None:
        return "anomaly", "there is no label: what is unlike the rows of training"
    if not label.number:
        return "classification", f"{label.name} holds texts"
    if label.distinct <= MOST_CLASSES and label.whole:
        count = f"{label.distinct} different whole number{'s' if label.distinct != 1 else ''}"
        return "classification", f'{label.name} holds {count}; "regression" if they are amounts'
    return "regression", f"{label.name} holds numbers of many values"


def classes_of(label: Facts) -> Classes:
    """The classes, and which of two is the one to be found."""
    ranked = label.values
    rows = max(sum(count for _, count in ranked), 1)
    shares = [count / rows for _, count in ranked] or [1.0]
    names = [name for name, _ in ranked]
    integers = all(_is_integer(name) for name in names)
    names = sorted(names, key=int) if integers else sorted(names)
    positive: str | int | None = None
    why = ""
    if len(names) == _TWO:
        yes = [name for name in names if plain(name) in YES]
        positive, why = (yes[0], "by its name") if len(yes) == 1 else (ranked[-1][0], "the rarer")
    if label.number and not integers:  # 0.0 and 1.0: numbers are taken as they come
        positive = _as_integer(str(positive))
        names = []
    elif positive is not None and integers:
        positive = int(positive)
    if len(names) == 1:
        names = []
    return Classes(names, len(ranked), positive, why, min(shares), max(shares))


def gate(task: Task, classes: Classes | None) -> tuple[Metric, float, str]:
    """What versions are judged by, the floor, and why."""
    if task == "regression":
        return "r2", 0.1, "always answering the mean has 0"
    if task == "anomaly" or classes is None:
        return "roc_auc", 0.6, "guessing has 0.5; judged only where there are labels"
    if classes.rarest * classes.count >= 2 * _IMBALANCED:
        floor = round(min(classes.commonest + 0.02, 0.95), 2)
        return "accuracy", floor, f"always the commonest class has {classes.commonest:.2f}"
    floor = round(1 / max(classes.count, _TWO) + 0.05, 2)
    why = f"the rarest class has {classes.rarest:.1%} of the rows; guessing has "
    return "balanced_accuracy", floor, f"{why}{1 / max(classes.count, _TWO):.2f}"


def candidates(task: Task, rows: int, inputs: int) -> list[Candidate]:
    """What fits the task and the number of rows; the cheapest first."""
    if task == "anomaly":
        return _anomaly(rows)
    return [candidate for candidate, wanted in _supervised(rows, inputs) if wanted]


def _anomaly(rows: int) -> list[Candidate]:
    forest = Candidate("isolation-forest", "isolation-forest", ["trees = 100"], "no tuning needed")
    one_class = Candidate("one-class-svm", "one-class-svm", [], "smooth borders; slow on many rows")
    return [forest, one_class] if rows <= 5_000 else [forest]  # noqa: PLR2004  # its time is their square


def _supervised(rows: int, inputs: int) -> list[tuple[Candidate, bool]]:
    few, many = 300, 5_000
    leaf = f"leaf_rows = {5 if rows < many else 20}"
    return [
        (
            Candidate(
                "linear", "linear", ["search = { alpha = [0.1, 1.0, 10.0] }"],
                "the smallest; what the others have to beat",
            ),
            True,
        ),
        (
            Candidate("svm", "svm", ["c = 1.0"], "strong on few rows"),
            rows <= 3_000 and inputs <= 200,  # noqa: PLR2004  # it keeps rows: bytes and time
        ),
        (
            Candidate(
                "forest", "random-forest", ["trees = 60", "depth = 8", leaf], "hard to get wrong"
            ),
            True,
        ),
        (
            Candidate(
                "boosting", "gradient-boosting",
                ["trees = 200", "depth = 5", leaf, "learning_rate = 0.1"],
                "mostly the best on tables",
            ),
            rows >= few,
        ),
        (
            Candidate(
                "mlp", "mlp", ["hidden = [32, 16]", "alpha = 0.001"],
                "a small neural network; quantizes well",
            ),
            rows >= 2 * few,
        ),
    ]  # fmt: skip


def _as_integer(text: str) -> int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isascii() and text.removeprefix("-").isdecimal()
