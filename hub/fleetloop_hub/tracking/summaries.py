"""Runs in brief, for lists that stay quick with hundreds of them."""

from collections.abc import Iterable

import msgspec

from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Run, RunState, Version


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A line about a run.

    Attributes:
        key: Its key.
        model: The model it was for.
        state: How far it has come.
        started_at: Unix seconds.
        duration_s: How long it took.
        dataset: The dataset version it was trained on.
        asked_by: A person's name, or what the hub was led by.
        reason: Why it was trained, in words.
        candidates: How many were tried.
        chosen: The candidate that was taken.
        metrics: Of the chosen artifact on the held-out rows, without their intervals.
        metric: The one of them that candidates were chosen by and judged on.
        version: The number of the version that came of it.
        reproduces: The run that it did again.
        equal: Whether that gave the same bytes, None if it is no reproduction or has not ended.
        error: Why it failed.
    """

    key: str
    model: str
    state: RunState
    started_at: float
    duration_s: float
    dataset: str
    asked_by: str
    reason: str
    candidates: int
    chosen: str | None
    metrics: dict[str, float]
    metric: str
    version: int | None
    reproduces: str | None
    equal: bool | None
    error: str | None


def runs_of(catalog: Catalog, *, model: str = "", state: RunState | None = None) -> list[Run]:
    """Runs, of one model or in one state where these are named."""
    return [
        run for run in catalog.all(Run) if model in {"", run.model} and state in {None, run.state}
    ]


def summaries(catalog: Catalog, runs: Iterable[Run]) -> list[RunSummary]:
    """The same runs in brief."""
    versions = {version.run: version.number for version in catalog.all(Version)}
    return [_summary(run, versions.get(run.key)) for run in runs]


def _summary(run: Run, version: int | None) -> RunSummary:
    ends = ("_low", "_high")
    return RunSummary(
        key=run.key,
        model=run.model,
        state=run.state,
        started_at=run.started_at,
        duration_s=run.duration_s,
        dataset=run.dataset,
        asked_by=run.asked_by,
        reason=run.reason,
        candidates=len(run.candidates),
        chosen=run.chosen,
        metrics={k: v for k, v in run.metrics.items() if not k.endswith(ends)},
        metric=run.metric,
        version=version,
        reproduces=run.reproduces,
        equal=None if run.reproduction is None else run.reproduction.equal,
        error=run.error,
    )
