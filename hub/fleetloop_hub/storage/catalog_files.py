"""The catalog's files: their form, and what is said when one of them cannot be read.

One file a kind holds its documents. A journal, there only for a moment, holds documents of several
kinds that are kept together or not at all.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from fleetloop_hub.errors import CatalogError
from fleetloop_shared.durable import Disk, replace
from fleetloop_shared.errors import DiskFaultError

Documents = dict[str, dict[str, Any]]
"""Documents by their number, in decimal digits as TinyDB wants them; the first kept is "1"."""

_FORMAT = 1

_Number = Annotated[str, msgspec.Meta(pattern="^[1-9][0-9]*$")]


class _Form(msgspec.Struct, frozen=True):
    format: int


class _Kind(_Form, frozen=True):
    documents: dict[_Number, dict[str, Any]]

    def __post_init__(self) -> None:
        if not all(isinstance(document.get("key"), str) for document in self.documents.values()):
            raise ValueError("a document has no key")


class _Journal(_Form, frozen=True):
    kinds: Mapping[str, dict[_Number, dict[str, Any]]]


F = TypeVar("F", bound=_Form)


def read_documents(disk: Disk, path: Path) -> Documents:
    """The documents of a kind, by ascending number; none if there is no such file.

    Raises:
        CatalogError: The file cannot be read, or a newer hub has written it.
    """
    found = _read(disk, path, _Kind)
    documents = {} if found is None else found.documents
    return dict(sorted(documents.items(), key=lambda numbered: int(numbered[0])))


class DocumentsFile:
    """The file of a kind, as it is written: only what has changed is encoded anew."""

    def __init__(self, disk: Disk, path: Path) -> None:
        """Nothing is written yet.

        Args:
            disk: Where the file is kept.
            path: The file.
        """
        self._disk, self._path = disk, path
        self._encoded: dict[str, bytes] = {}

    def write(self, documents: Documents, changed: Documents) -> None:
        """Replace the documents of the kind.

        Args:
            documents: All of them.
            changed: Those that are not in the file as they are now.

        Raises:
            DiskFullError: No room; the file is as it was.
        """
        known = {**self._encoded, **_encoded(changed)}
        if len(known) != len(documents):  # the first time, nothing is known
            known = _encoded(documents)
        # As `_Kind`, whose check of every document is for what comes from a file. Ends are put on
        # before joining, so that megabytes are copied once.
        parts = list(known.values()) or [b""]
        parts[0] = b'{"format":%d,"documents":{' % _FORMAT + parts[0]
        parts[-1] += b"}}"
        replace(self._disk, self._path, b",".join(parts))
        self._encoded = known


def _encoded(documents: Documents) -> dict[str, bytes]:
    return {
        number: b'"%s":%s' % (number.encode(), msgspec.json.encode(document))
        for number, document in documents.items()
    }


def read_journal(disk: Disk, path: Path) -> Mapping[str, Documents]:
    """The documents that may not all be in their files yet, by kind.

    Raises:
        CatalogError: The file cannot be read, or a newer hub has written it.
    """
    found = _read(disk, path, _Journal)
    return {} if found is None else found.kinds


def write_journal(disk: Disk, path: Path, kinds: Mapping[str, Documents]) -> None:
    """Decide that these documents are kept.

    Raises:
        DiskFullError: No room; they are not.
    """
    replace(disk, path, msgspec.json.encode(_Journal(_FORMAT, kinds)))


def _read(disk: Disk, path: Path, type_: type[F]) -> F | None:
    try:
        data = disk.read(path)
        form = msgspec.json.decode(data, type=_Form).format
        if form == _FORMAT:
            return msgspec.json.decode(data, type=type_)
    except FileNotFoundError:
        return None
    except (OSError, DiskFaultError, msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise CatalogError(
            f"{path} cannot be read ({error}): put a backup of it in its place, or move it away "
            "to go on without what it holds; nothing was changed"
        ) from error
    raise CatalogError(
        f"{path} has form {form}, this hub knows form {_FORMAT}: start the version of the hub "
        "that wrote it; nothing was changed"
    )
