"""TinyDB as a hub needs it: documents in memory, and in a file that is replaced whole.

TinyDB's own `JSONStorage` writes in place, so a process that is killed at the wrong moment leaves a
file that cannot be read. Here the file is always the old one or the new one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinydb import Storage, TinyDB

from fleetloop_hub.storage.catalog_files import Documents, DocumentsFile, read_documents
from fleetloop_shared.durable import Disk

_TABLE = "documents"


class DocumentStorage(Storage):
    """The documents of one kind; what TinyDB writes is a draft until it is saved or adopted."""

    def __init__(self, disk: Disk, path: Path) -> None:
        """Read the file, if there is one.

        Args:
            disk: Where it is kept.
            path: The file.

        Raises:
            CatalogError: It cannot be read, or a newer hub has written it.
        """
        self._file = DocumentsFile(disk, path)
        self._kept = read_documents(disk, path)
        self._draft: Documents | None = None
        self._changed: Documents = {}
        self._unwritten: Documents = {}

    def read(self) -> dict[str, Documents]:
        return {_TABLE: self._kept if self._draft is None else self._draft}

    def write(self, data: dict[str, Documents]) -> None:
        self._draft = self._changed = data[_TABLE]

    def change(self, documents: Documents) -> None:
        """Draft documents, each in the place of the one at its number; the others stay."""
        self._draft, self._changed = {**self._kept, **documents}, documents

    def save(self) -> None:
        """Make the draft durable and let it count; without a draft, write what counts already.

        Raises:
            DiskFullError: No room; what counted before still does, in the file and in memory.
        """
        try:
            self._file.write(self.read()[_TABLE], {**self._unwritten, **self._changed})
            self.adopt()
            self._unwritten = {}
        finally:
            self._draft, self._changed = None, {}

    def adopt(self) -> None:
        """Let the draft count, though the file does not hold it yet."""
        self._kept, self._draft = self.read()[_TABLE], None
        self._unwritten, self._changed = {**self._unwritten, **self._changed}, {}


class DocumentTable:
    """The TinyDB table of one kind, with an index of keys, which TinyDB lacks.

    Documents are written through TinyDB's storage, not through its table: that builds the numbers
    of all documents anew for each that changes, and it updates in place, so that a draft that comes
    to nothing would have changed what counts.
    """

    def __init__(self, disk: Disk, path: Path) -> None:
        """Read the file, if there is one.

        Args:
            disk: Where it is kept.
            path: The file.

        Raises:
            CatalogError: It cannot be read, or a newer hub has written it.
        """
        self.path = path
        self._storage = DocumentStorage(disk, path)
        self._table = TinyDB(storage=lambda: self._storage).table(_TABLE, cache_size=0)
        self._numbers = {d["key"]: d.doc_id for d in self._table.all()}
        self._following = max(self._numbers.values(), default=0) + 1

    def find(self, key: str) -> Mapping[str, Any] | None:
        """The document with this key; not to be changed."""
        number = self._numbers.get(key)
        return None if number is None else self._table.get(doc_id=number)

    def all(self) -> list[Mapping[str, Any]]:
        """Every document, first kept first; not to be changed."""
        return list(self._storage.read()[_TABLE].values())

    def number(self, documents: Mapping[str, dict[str, Any]]) -> Documents:
        """Give documents, found by their keys, the numbers they have or will have."""
        following = self._following
        numbered: Documents = {}
        for key, document in documents.items():
            number = self._numbers.get(key)
            if number is None:
                number, following = following, following + 1
            numbered[str(number)] = document
        return numbered

    def save(self, documents: Documents) -> None:
        """Keep documents at their numbers.

        Raises:
            DiskFullError: No room; nothing has changed.
        """
        self._write(documents)
        self._storage.save()
        self._note(documents)

    def adopt(self, documents: Documents) -> None:
        """Let documents count at their numbers; the file will hold them after the next `flush`."""
        self._write(documents)
        self._storage.adopt()
        self._note(documents)

    def flush(self) -> None:
        """Write what counts.

        Raises:
            DiskFullError: No room; the file is as it was.
        """
        self._storage.save()

    def _write(self, documents: Documents) -> None:
        self._storage.change(documents)

    def _note(self, documents: Documents) -> None:
        for number, document in documents.items():
            self._numbers[document["key"]] = int(number)
            self._following = max(self._following, int(number) + 1)
