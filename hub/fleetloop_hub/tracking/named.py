"""What of the content the catalog still names: everything, but for what was given up on purpose.

A new kind of record that names content needs nothing here: whatever looks like a SHA-256 anywhere
in a document counts. Only versions that are deleted and runs that are swept name less; a run that
has ended does not hold on to the champion it was compared with, nor does a record of chunks that
the broker no longer has. Content that names other content does not keep it: a record must.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleetloop_hub.records import RunState, VersionState

_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")

Documents = Iterable[tuple[str, Mapping[str, Any]]]


def named(documents: Documents) -> set[str]:
    """The SHA-256 of everything that documents name.

    Args:
        documents: Every document of the catalog, with its kind.
    """
    return {sha256 for kind, document in documents for sha256 in _of(kind, document)}


def _of(kind: str, document: Mapping[str, Any]) -> Iterator[str]:
    if kind == "version" and document.get("state") == VersionState.DELETED:
        return
    if kind == "seeded" and not document.get("live"):
        return
    if kind == "run" and document.get("state") != RunState.RUNNING:
        left_out = {"artifacts", "champion"} if document.get("swept") else {"champion"}
        document = {name: value for name, value in document.items() if name not in left_out}
    yield from _SHA256.findall(json.dumps(document))
