"""Gives up old versions and what only they need; never what fleet or catalog hold on to.

What is given up stays in the catalog as a record, so that its number is never used again and its
story can be told. The order is safe against a crash: first the records say durably what is gone,
then content that no record names any more is removed; whatever a crash leaves behind is found by
the next call, since it looks at all content there is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Record, Run, Version, VersionState
from fleetloop_hub.tracking.freed import Freed, freed
from fleetloop_hub.tracking.named import named
from fleetloop_hub.tracking.needed import Facts, reasons


@dataclass(frozen=True)
class Retained:
    """What a retention gives up, or would.

    Attributes:
        kept: Versions that stay though they are old, with the reasons.
        deleted: Versions that are given up.
        swept: Runs whose files are given up.
        contents: Pieces of content that nothing needs any more.
        freed_bytes: How large these are together.
        done: Whether it was done.
        freed: The same pieces of content, by what they were of; of the whole hub.
    """

    kept: dict[str, list[str]]
    deleted: list[str]
    swept: list[str]
    contents: int
    freed_bytes: int
    done: bool
    freed: list[Freed]


@dataclass(frozen=True)
class Choice:
    """What of a model stays and what does not.

    Attributes:
        kept: Old versions that stay, with the reasons.
        deleted: Versions that are given up.
        swept: Runs whose files are given up.
    """

    kept: dict[str, list[str]]
    deleted: list[Version]
    swept: list[Run]


def choose(facts: Facts, model: str, keep: int) -> Choice:
    """Of versions, the newest `keep` stay, and all that anything needs.

    A run goes with its version. Of the runs of which no version came, the newest `keep` stay, and
    those that are under way.

    Args:
        facts: All that can hold on to a version.
        model: Whose.
        keep: How many stay in any case.
    """
    needed = reasons(facts)
    there = [v for v in facts.versions if v.state is not VersionState.DELETED]
    old = sorted(there, key=lambda v: v.number)[: max(0, len(there) - keep)]
    deleted = [version for version in old if version.key not in needed]
    gone = {version.run for version in deleted}
    bearing = {version.run for version in facts.versions}
    own = [r for r in facts.runs if r.model == model and not r.swept and r.artifacts]
    barren = [r for r in own if r.key not in bearing and r.state.is_over]
    stale = sorted(barren, key=lambda r: r.started_at)[: max(0, len(barren) - keep)]
    return Choice(
        kept={version.key: needed[version.key] for version in old if version.key in needed},
        deleted=deleted,
        swept=[*(run for run in own if run.key in gone), *stale],
    )


def retain(  # noqa: PLR0913  # where, what and whether
    catalog: Catalog, blobs: Blobs, facts: Facts, *, model: str, keep: int, delete: bool
) -> Retained:
    """Give up what is old and not needed, or tell what that would be.

    Nobody else may change the catalog meanwhile.

    Args:
        catalog: Every record.
        blobs: The content.
        facts: All that can hold on to a version, as it is now.
        model: Whose versions.
        keep: How many stay in any case.
        delete: Whether to do it.
    """
    choice = choose(facts, model, keep)
    given_up: list[Record] = [
        *(replace(version, state=VersionState.DELETED) for version in choice.deleted),
        *(replace(run, swept=True) for run in choice.swept),
    ]
    documents = catalog.everything()
    blobs.settle(named(documents))
    after = _after(documents, given_up)
    unused = blobs.unnamed(named(after))
    if delete:
        if given_up:
            catalog.put(*given_up)
        for sha256 in unused:
            blobs.remove(sha256)
    return Retained(
        kept=choice.kept,
        deleted=[version.key for version in choice.deleted],
        swept=[run.key for run in choice.swept],
        contents=len(unused),
        freed_bytes=sum(unused.values()),
        done=delete,
        freed=freed(after, unused),
    )


def _after(
    documents: Iterable[tuple[str, Mapping[str, Any]]], given_up: list[Record]
) -> list[tuple[str, Mapping[str, Any]]]:
    """The documents as they will be."""
    changed = {(type(r).__name__.lower(), r.key): msgspec.to_builtins(r) for r in given_up}
    return [(kind, changed.get((kind, d["key"]), d)) for kind, d in documents]
