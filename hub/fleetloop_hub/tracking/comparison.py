"""Puts runs side by side: what they were made of, how they were set, what they score."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fleetloop_hub.records import Run
from fleetloop_hub.run_parts import Candidate

_ENDS = ("_low", "_high")
_SETTINGS = "parameters"
_MADE_OF = "made of"
_METRICS = "metrics"
_CANDIDATES = "scores of candidates"


@dataclass(frozen=True)
class Row:
    """One thing, in every run.

    Attributes:
        name: What it is.
        values: Its value in each run, in words; "" where a run has none.
        same: Whether all runs agree.
    """

    name: str
    values: list[str]
    same: bool


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Attributes:
        runs: Their keys.
        parts: The rows of each part, by its title.
    """

    runs: list[str]
    parts: dict[str, list[Row]]


def compare(runs: list[Run], *, everything: bool = False) -> Comparison:
    """What differs between runs, or everything.

    Args:
        runs: In the order in which they are shown.
        everything: Also what all of them share.
    """
    metrics = dict.fromkeys(k for run in runs for k in run.metrics if not k.endswith(_ENDS))
    names = dict.fromkeys(c.name for run in runs for c in run.candidates)
    settings = dict.fromkeys(k for run in runs for k in _taken(run))
    parts = {
        _MADE_OF: _rows(runs, _MADE, lambda run, name: _MADE[name](run)),
        _SETTINGS: _rows(runs, settings, lambda run, name: _taken(run).get(name, "")),
        _METRICS: _rows(runs, metrics, _metric),
        _CANDIDATES: _rows(runs, names, _score),
    }
    return Comparison(
        runs=[run.key for run in runs],
        parts={
            title: [row for row in rows if everything or not row.same]
            for title, rows in parts.items()
        },
    )


def _rows(runs: list[Run], names: Iterable[str], value: Callable[[Run, str], str]) -> list[Row]:
    found = ((name, [value(run, name) for run in runs]) for name in names)
    return [Row(name, values, len(set(values)) == 1) for name, values in found]


_MADE: dict[str, Callable[[Run], str]] = {
    "model": lambda run: run.model,
    "state": lambda run: str(run.state),
    "dataset": lambda run: run.dataset[:12],
    "spec": lambda run: run.spec[:12],
    "seed": lambda run: str(run.seed),
    "code": lambda run: run.code,
    "libraries": lambda run: ", ".join(f"{k} {v}" for k, v in sorted(run.libraries.items())),
    "processor": lambda run: "" if run.machine is None else run.machine.cpu,
    "compared with": lambda run: (run.champion or "")[:12],
    "artifact": lambda run: run.artifacts.get("artifact.onnx", "")[:12],
}


def _taken(run: Run) -> dict[str, str]:
    """The settings of the taken candidate, in words."""
    for candidate in run.candidates:
        if candidate.name == run.chosen:
            return {
                "taken": candidate.name,
                "recipe": candidate.recipe,
                "bytes": f"{candidate.artifact_bytes:,}",
                **{name: _word(value) for name, value in candidate.parameters.items()},
            }
    return {}


def _metric(run: Run, name: str) -> str:
    value = run.metrics.get(name)
    if value is None:
        return ""
    low, high = (run.metrics.get(f"{name}{end}") for end in _ENDS)
    ends = "" if low is None or high is None else f" ({low:.4f} to {high:.4f})"
    return f"{value:.4f}{ends}" if value % 1 else f"{value:,.0f}{ends}"


def _score(run: Run, name: str) -> str:
    found: list[Candidate] = [c for c in run.candidates if c.name == name]
    return f"{found[0].quantized_score:.4f}, {found[0].artifact_bytes:,} bytes" if found else ""


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
