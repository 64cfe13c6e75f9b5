"""The measures a version is judged by: how each is read, its limit, and its figures in words."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fleetloop_hub.judging.readings import Fleet, Reading
from fleetloop_hub.spec.judge_table import JudgeTable

_GUESSED_POINTS = 5.0
_MIB = 2**20


@dataclass(frozen=True)
class Unit:
    """What a measure's difference is said in.

    Attributes:
        name: "points", "x" or "a day".
        inside: From what a person reads to what is computed with.
        outside: The way back.
    """

    name: str
    inside: Callable[[float], float]
    outside: Callable[[float], float]


POINTS = Unit("points", lambda points: points / 100, lambda share: 100 * share)
TIMES = Unit("x", math.log2, lambda doublings: 2.0 ** min(max(doublings, -1e3), 1e3))
DAILY = Unit("a day", float, float)


@dataclass(frozen=True)
class Measure:
    """One of them.

    Attributes:
        name: As in `Comparison.measure`.
        words: What it is, for a sentence.
        unit: Of its difference.
        worse: 1 where more is worse, -1 where less is.
        limit: How much worse is let pass, in its unit; None: it is shown only.
        read: Takes it from both sides' counts.
        of: What it is a share of, or what was counted.
        figure: Says a value of one side.
    """

    name: str
    words: str
    unit: Unit
    worse: int
    limit: float | None
    read: Callable[[Fleet], Reading]
    of: str
    figure: Callable[[float], str]

    @property
    def guess(self) -> float:
        """How far devices differ in peace, a quarter of the limit: as a standard deviation."""
        limit = _GUESSED_POINTS if self.limit is None else self.limit
        return self.unit.inside(limit) / 4


def measures(table: JudgeTable, fleet: Fleet) -> Iterator[Measure]:
    """All of them, in the order in which they are shown."""
    ratio = table.latency_ratio
    yield Measure(
        "errors", "rows the model failed on", POINTS, 1, table.error_points,
        lambda f: f.rate(lambda t: t.errors), "rows", _percent,
    )  # fmt: skip
    yield Measure(
        "latency", "time of a call", TIMES, 1, ratio,
        lambda f: f.level(lambda t: t.latency), "reports", _time,
    )  # fmt: skip
    yield Measure(
        "slow", f"calls slower than {ratio:g} times what 95 % of the control's take", POINTS, 1,
        table.slow_points, lambda f: f.slow(ratio), "calls", _percent,
    )  # fmt: skip
    yield Measure(
        "accuracy", "labelled rows answered rightly", POINTS, -1, table.accuracy_points,
        lambda f: f.rate(lambda t: t.right), "labels", _percent,
    )  # fmt: skip
    yield Measure(
        "abstention", "rows refused for a value out of range", POINTS, 1, table.abstention_points,
        lambda f: f.rate(lambda t: t.abstained), "rows", _percent,
    )  # fmt: skip
    yield Measure(
        "memory", "memory of the agent", TIMES, 1, table.memory_ratio,
        lambda f: f.level(lambda t: t.memory), "reports", _bytes,
    )  # fmt: skip
    yield Measure(
        "restarts", "starts of the agent", DAILY, 1, table.restarts_a_day,
        lambda f: f.per_day(), "days", lambda x: f"{x:.2g} a day",
    )  # fmt: skip
    yield Measure(
        "drift", "drift against the version's own reference", TIMES, 1, table.drift_ratio,
        lambda f: f.level(lambda t: t.drift), "windows", lambda x: f"{2**x:.2f} of the threshold",
    )  # fmt: skip
    yield Measure(
        "estimate", "accuracy estimated without labels", POINTS, -1, table.estimate_points,
        lambda f: f.level(lambda t: t.estimate), "windows", _percent,
    )  # fmt: skip
    yield from _answers(table, fleet)


def judged(table: JudgeTable) -> int:
    """How many measures have a limit: the chance of a false stop is shared by so many."""
    known = (getattr(table, name) for name in table.__struct_fields__ if _is_limit(name))
    return sum(limit is not None for limit in known)


def _is_limit(name: str) -> bool:
    return name.endswith(("_points", "_ratio", "_a_day"))


def _answers(table: JudgeTable, fleet: Fleet) -> Iterator[Measure]:
    """Each class that is answered: the one whose share has moved farthest is shown."""
    for k in range(fleet.classes()):
        yield Measure(
            "answers", f"answers that are class {k}", POINTS, 1, table.answer_points,
            _answered(k), "answers", _percent,
        )  # fmt: skip


def _answered(k: int) -> Callable[[Fleet], Reading]:
    return lambda fleet: fleet.answers(k)


def _percent(share: float) -> str:
    return f"{share:.2%}".replace("%", " %")


def _time(doublings: float) -> str:
    return f"{2**doublings / 1_000:.3g} ms"


def _bytes(doublings: float) -> str:
    return f"{2**doublings / _MIB:.1f} MiB"
