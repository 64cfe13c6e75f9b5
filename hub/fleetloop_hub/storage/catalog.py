"""The catalog on TinyDB: one file a kind of record, whole after a power cut, one process at a time.

How `put` keeps documents of several kinds together, though each kind has a file of its own:

1. All new documents are written into one journal file, durably. From here on they count.
2. They are adopted in memory, and the file of each kind is replaced.
3. The journal is removed, durably.

A process killed before 1 is finished has kept nothing. One that is killed later leaves a journal,
and the next start does 2 and 3 again: a document goes to the number that it was given, so twice is
the same as once. A disk that fills up after 1 leaves the journal as well; nothing newer is written
before 2 and 3 are done, since the next start would undo it. Documents of one kind need no journal:
replacing one file is all or nothing by itself.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from fleetloop_hub.errors import CatalogError
from fleetloop_hub.ports import Catalog, R
from fleetloop_hub.records import Record
from fleetloop_hub.storage.catalog_files import Documents, read_journal, write_journal
from fleetloop_hub.storage.fixed import fixed
from fleetloop_hub.storage.process_lock import ProcessLock
from fleetloop_hub.storage.tinydb_storage import DocumentTable
from fleetloop_shared.durable import Disk, RealDisk, discard
from fleetloop_shared.errors import DiskFullError


class TinyDbCatalog(Catalog):
    """Documents in memory, and in the files of one folder."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        """Open the folder, and finish what a killed process has begun.

        Args:
            folder: Where the files lie; made if it is not there.
            disk: What the documents are kept on; by default the system's.

        Raises:
            CatalogError: Another process uses the folder, a file in it cannot be read, or a newer
                hub has written it.
        """
        self._folder = folder.absolute()
        self._disk = disk or RealDisk(self._folder)
        self._journal = self._folder / ".journal"
        self._lock = threading.RLock()
        self._process: ProcessLock | None = ProcessLock(self._folder / ".lock")
        self._tables: dict[str, DocumentTable] = {}
        self._journal_open = False
        self._unsettled: list[DocumentTable] = []
        self._revisions: Counter[str] = Counter()
        self._records: dict[tuple[type[Record], str], tuple[Mapping[str, Any], Any]] = {}
        self._lists: dict[type[Record], tuple[int, list[Any]]] = {}
        try:
            self._recover()
        except BaseException:
            self.close()
            raise

    def put(self, *records: Record) -> None:
        documents: dict[str, dict[str, dict[str, Any]]] = {}
        for record in records:
            documents.setdefault(_kind(type(record)), {})[record.key] = _document(record)
        with self._opened():
            try:
                self._put(documents)
            finally:
                self._revisions.update(documents.keys())

    def find(self, kind: type[R], key: str) -> R | None:
        with self._opened():
            table = self._table(_kind(kind))
            document = table.find(key)
            return None if document is None else self._record(document, kind, table.path)

    def all(self, kind: type[R]) -> list[R]:
        with self._opened():
            revision, known = self._lists.get(kind, (-1, []))
            if revision != self._revisions[_kind(kind)]:
                table = self._table(_kind(kind))
                known = [self._record(d, kind, table.path) for d in table.all()]
                self._lists[kind] = self._revisions[_kind(kind)], known
            return known.copy()

    def everything(self) -> list[tuple[str, Mapping[str, Any]]]:
        with self._opened():
            return [(kind, d) for kind, table in self._tables.items() for d in table.all()]

    def update(self, kind: type[R], key: str, change: Callable[[R | None], R]) -> R:
        with self._opened():
            record = change(self.find(kind, key))
            if record.key != key:
                raise CatalogError(f"a change of {key!r} may not make {record.key!r} of it")
            self.put(record)
            return record

    def revision(self, *kinds: type[Record]) -> int:
        return sum(self._revisions[_kind(kind)] for kind in kinds)

    def close(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.release()
                self._process = None

    def _put(self, documents: Mapping[str, Documents]) -> None:
        self._settle()
        numbered = {k: self._table(k).number(new) for k, new in documents.items()}
        if len(numbered) > 1:
            self._put_together(numbered)
        else:
            for kind, new in numbered.items():
                self._table(kind).save(new)

    def _record(self, document: Mapping[str, Any], kind: type[R], path: Path) -> R:
        """The record of a document, which is made once: a changed document is another object."""
        name = (kind, str(document["key"]))
        known = self._records.get(name)
        if known is None or known[0] is not document:
            known = self._records[name] = document, fixed(_record(document, kind, path))
        record: R = known[1]
        return record

    @contextlib.contextmanager
    def _opened(self) -> Iterator[None]:
        with self._lock:
            if self._process is None:
                raise CatalogError(f"{self._folder} is closed: open a catalog anew")
            yield

    def _table(self, kind: str) -> DocumentTable:
        table = self._tables.get(kind)
        if table is None:
            path = self._folder / f"{kind}.json"
            table = self._tables[kind] = DocumentTable(self._disk, path)
        return table

    def _recover(self) -> None:
        for name in self._disk.names(self._folder):
            path = Path(name)
            if path.suffix == ".json":
                self._table(path.stem)
        if numbered := read_journal(self._disk, self._journal):
            self._adopt(numbered)

    def _put_together(self, numbered: Mapping[str, Documents]) -> None:
        # Whatever goes wrong while the journal is written, a doubtful one is removed before the
        # next write.
        self._journal_open = True
        write_journal(self._disk, self._journal, numbered)
        self._adopt(numbered)

    def _adopt(self, numbered: Mapping[str, Documents]) -> None:
        self._journal_open = True
        for kind, documents in numbered.items():
            self._table(kind).adopt(documents)
            self._unsettled.append(self._table(kind))
        with contextlib.suppress(DiskFullError):  # the journal keeps them until there is room
            self._settle()

    def _settle(self) -> None:
        if self._journal_open:
            for table in self._unsettled:
                table.flush()
            discard(self._disk, self._journal)
            self._unsettled.clear()
            self._journal_open = False


def _kind(type_: type[Record]) -> str:
    return type_.__name__.lower()


def _document(record: Record) -> dict[str, Any]:
    # Reading back what will be written shows now, not at the next start, what JSON cannot carry
    # (NaN becomes null), and leaves nothing that the caller still holds.
    written = msgspec.json.encode(record)
    try:
        msgspec.json.decode(written, type=type(record))
    except msgspec.ValidationError as error:
        raise CatalogError(
            f"{_kind(type(record))} {record.key!r} would not be read again ({error}): is a number "
            "of it not finite? Nothing was kept"
        ) from error
    document: dict[str, Any] = msgspec.json.decode(written)
    return document


def _record(document: Mapping[str, Any], kind: type[R], path: Path) -> R:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise CatalogError(
            f"{path}: {document['key']!r} is no {_kind(kind)} of this hub ({error}): start the "
            "version of the hub that wrote it, or put back a backup; nothing was changed"
        ) from error
