"""From source files over dataset versions and runs to versions and the devices that run them."""

from collections.abc import Mapping

import msgspec

from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Alias, Dataset, Run, Version
from fleetloop_shared.messages import ReportedState


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was read.

    Attributes:
        words: What it was, in words: a file's name, a query.
        sha256: Of its bytes, "" where it was not one file.
        rows: How many rows were in it, 0 where nobody counted.
    """

    words: str
    sha256: str
    rows: int


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset version.

    Attributes:
        key: Its SHA-256.
        rows: How many can be trained on.
        created_at: Unix seconds.
        sources: What was read for it, beyond its parent's.
        parent: The dataset version it grew from.
    """

    key: str
    rows: int
    created_at: float
    sources: list[Source]
    parent: str | None


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """The run that made a version.

    Attributes:
        key: Its key.
        started_at: Unix seconds.
        asked_by: Who asked for it.
        reason: Why, in words.
        code: The code's version.
        spec: SHA-256 of the spec.
    """

    key: str
    started_at: float
    asked_by: str
    reason: str
    code: str
    spec: str


class Descent(msgspec.Struct, frozen=True, kw_only=True):
    """Where a version comes from and where it is.

    Attributes:
        version: Its key.
        state: What may be done with it.
        aliases: What it is called beside its number.
        artifact: SHA-256 of the quantized ONNX file.
        run: What made it, None if the catalog does not know.
        datasets: The dataset version it was trained on, its parent, and so on.
        devices: Devices that have it loaded, by their last reported state.
        ready: Devices that may go back to it.
    """

    version: str
    state: str
    aliases: list[str]
    artifact: str
    run: Making | None
    datasets: list[Rows]
    devices: list[str]
    ready: list[str]


def descent(catalog: Catalog, reported: Mapping[str, ReportedState], version: Version) -> Descent:
    """The lineage of one version.

    Args:
        catalog: Versions, runs and dataset versions.
        reported: The last reported state of each device.
        version: Whose.
    """
    run = catalog.find(Run, version.run)
    on_disk = {d for d, state in reported.items() if version.artifact in state.slots}
    loaded = {d for d, state in reported.items() if version.artifact == state.artifact}
    return Descent(
        version=version.key,
        state=str(version.state),
        aliases=sorted(
            alias.key.partition("/")[2]
            for alias in catalog.all(Alias)
            if alias.key.partition("/")[0] == version.model and alias.version == version.number
        ),
        artifact=version.artifact,
        run=None if run is None else _making(run),
        datasets=_chain(catalog, version.dataset),
        devices=sorted(loaded),
        ready=sorted(on_disk - loaded),
    )


def _making(run: Run) -> Making:
    return Making(
        key=run.key,
        started_at=run.started_at,
        asked_by=run.asked_by,
        reason=run.reason,
        code=run.code,
        spec=run.spec,
    )


def _chain(catalog: Catalog, key: str) -> list[Rows]:
    """A dataset version and its ancestors; a chain that bites its tail ends there."""
    found: dict[str, Dataset] = {}
    following: str | None = key
    while following is not None and following not in found:
        dataset = catalog.find(Dataset, following)
        if dataset is None:
            break
        found[following] = dataset
        following = dataset.parent
    return [_rows(dataset, found.get(dataset.parent or "")) for dataset in found.values()]


def _rows(dataset: Dataset, parent: Dataset | None) -> Rows:
    known = set() if parent is None else {mark.sha256 for mark in parent.sources}
    sources = [
        Source(words=mark.words, sha256=mark.sha256, rows=mark.rows)
        for mark in dataset.sources
        if mark.sha256 not in known
    ]
    if not dataset.sources:
        sources = [Source(words=dataset.source, sha256="", rows=0)]
    return Rows(
        key=dataset.key,
        rows=dataset.rows,
        created_at=dataset.created_at,
        sources=sources,
        parent=dataset.parent,
    )
