"""Finds what people look for by name: devices, models, versions, runs, rollouts, data, alerts."""

from collections.abc import Iterator

import msgspec

from fleetloop_hub.alert_records import Alert, AlertState
from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Device, LabelCohort, Rollout
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Dataset, Model, Run, Version

MOST = 50
_OF_A_KIND = 20
_NOT = 3


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has the name, or begins so.

    Attributes:
        kind: What it is: device, cohort, model, version, run, rollout, dataset, decision, alert.
        name: Its name, as people say it.
        text: What it is about, in words.
        path: The console's page of it.
    """

    kind: str
    name: str
    text: str
    path: str


def find(catalog: Catalog, wanted: str, most: int = MOST) -> list[Found]:
    """What is called `wanted`, then what begins so, then what has a part that does.

    A version is found as rain@3 and as rain/3, a dataset version by the beginning of its hash.

    Args:
        catalog: Where everything is kept.
        wanted: A name, or how it begins; upper and lower case are the same.
        most: No more than so many.
    """
    sought = wanted.strip().casefold().replace("/", "@")
    if not sought:
        return []
    ranked: dict[str, list[tuple[int, Found]]] = {}
    for one, more in _all(catalog):
        rank = min(_rank(name.casefold(), sought) for name in (one.name, *more))
        if rank < _NOT:
            ranked.setdefault(one.kind, []).append((rank, one))
    found = []
    for ones in ranked.values():
        ones.sort(key=lambda r: (r[0], len(r[1].name), r[1].name))
        found += ones[:_OF_A_KIND]
    found.sort(key=lambda r: r[0])  # stable: kinds stay together within a rank
    return [one for _, one in found[:most]]


def _rank(name: str, sought: str) -> int:
    if name == sought:
        return 0
    if name.startswith(sought):
        return 1
    for mark in "-_@. ":
        if f"{mark}{sought}" in name:
            return 2
    return _NOT


def _all(catalog: Catalog) -> Iterator[tuple[Found, tuple[str, ...]]]:
    """Everything that has a page, and what it is called beside its name."""
    yield from _fleet(catalog)
    yield from _models(catalog)
    yield from _work(catalog)


def _fleet(catalog: Catalog) -> Iterator[tuple[Found, tuple[str, ...]]]:
    for device in catalog.all(Device):
        text = f"{device.hardware} in cohort {device.cohort}"
        yield _of("device", device.key, text, f"/devices/{device.key}"), ()
    for cohort in catalog.all(LabelCohort):
        if not cohort.gone:
            yield _of("cohort", cohort.key, f"{cohort.home} where {cohort.where}", "/cohorts"), ()
    for alert in reversed(catalog.all(Alert)):
        if alert.state is not AlertState.CLOSED:
            more = (alert.subject, str(alert.kind))
            yield _of("alert", f"{alert.kind} {alert.subject}", alert.text, "/alerts"), more


def _models(catalog: Catalog) -> Iterator[tuple[Found, tuple[str, ...]]]:
    versions = catalog.all(Version)
    models = {model.key for model in catalog.all(Model)} | {v.model for v in versions}
    for model in sorted(models):
        numbers = [v.number for v in versions if v.model == model]
        text = (
            f"{len(numbers)} version{'s' if len(numbers) > 1 else ''}" if numbers else "no version"
        )
        yield _of("model", model, text, f"/models/{model}"), ()
    for version in reversed(versions):
        name, path = f"{version.model}@{version.number}", f"/models/{version.key}"
        yield _of("version", name, str(version.state), path), (version.artifact,)


def _work(catalog: Catalog) -> Iterator[tuple[Found, tuple[str, ...]]]:
    for run in reversed(catalog.all(Run)):
        yield _of("run", run.key, f"{run.model}, {run.state}", f"/runs/{run.key}"), (run.model,)
    for rollout in reversed(catalog.all(Rollout)):
        text = f"{rollout.model}@{rollout.version} to {rollout.place or rollout.cohort}"
        path = f"/rollouts/{rollout.key}"
        yield _of("rollout", rollout.key, f"{text}, {rollout.state}", path), (rollout.model,)
    numbers_of: dict[str, int] = {}
    for dataset in sorted(catalog.all(Dataset), key=lambda d: d.created_at):
        number = numbers_of[dataset.model] = numbers_of.get(dataset.model, 0) + 1
        text = f"dataset version {number} of {dataset.model}, {dataset.rows:,} rows"
        path = f"/data/{dataset.model}/{number}"
        yield _of("dataset", dataset.key[:12], text, path), (dataset.key, dataset.model)
    for decision in reversed(catalog.all(Decision)):
        path = f"/decisions/{decision.key}"
        yield _of("decision", decision.key, f"{decision.model}: {decision.verdict}", path), ()


def _of(kind: str, name: str, text: str, path: str) -> Found:
    return Found(kind=kind, name=name, text=text, path=path)
