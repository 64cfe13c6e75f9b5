"""Whose the files were that a retention gives up."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from fleetloop_hub.records import VersionState

_OF_VERSION = {
    "artifact": "artifact",
    "manifest": "signed manifest",
    "transport": "artifact as it travels",
    "unsigned": "unsigned manifest",
}
"""What a version names, in words."""


class Freed(msgspec.Struct, frozen=True, kw_only=True):
    """Files that go for one reason.

    Attributes:
        owner: The version or run they were of, "" if nothing refers to them.
        why: What became of the owner: "deleted", "failed", "cancelled", "finished", or "".
        names: What the files were to the owner; without one, their SHA-256.
        bytes: How large they are together.
    """

    owner: str
    why: str
    names: list[str]
    bytes: int


def freed(documents: list[tuple[str, Mapping[str, Any]]], unused: Mapping[str, int]) -> list[Freed]:
    """Each unused file under the version or run that gave it up, versions first.

    Args:
        documents: Every document of the catalog, as it will be.
        unused: What nothing needs any more: bytes, by SHA-256.
    """
    whose = {sha256: (name, owner, why) for sha256, name, owner, why in _given_up(documents)}
    found: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for sha256, size_bytes in unused.items():
        name, owner, why = whose.get(sha256, (sha256, "", ""))
        found[owner, why][name] = size_bytes
    order = list(dict.fromkeys((owner, why) for _, owner, why in whose.values()))
    return [
        Freed(owner=owner, why=why, names=sorted(files), bytes=sum(files.values()))
        for owner, why in [*reversed(order), ("", "")]
        if (files := found.get((owner, why)))
    ]


def _given_up(
    documents: list[tuple[str, Mapping[str, Any]]],
) -> Iterator[tuple[str, str, str, str]]:
    """SHA-256, name, owner and why; what both a run and its version had comes last as its."""
    for kind, document in documents:
        if kind == "run" and document.get("swept"):
            for name, sha256 in document.get("artifacts", {}).items():
                yield sha256, name, document["key"], document["state"]
    for kind, document in documents:
        if kind == "version" and document.get("state") == VersionState.DELETED:
            for field, name in _OF_VERSION.items():
                if document.get(field):
                    yield document[field], name, document["key"], VersionState.DELETED.value
