"""Sees every act of SQLite on its files, by standing in for its virtual file system.

The real file system does the work; what it is asked to write, truncate, sync and delete is noted in
order, with the bytes. Source: sqlite.org/vfs.html; only the table of a file's methods is exchanged.
"""

import _sqlite3
import contextlib
import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_POINTER = ctypes.c_void_p
_FILE_METHODS = (
    "xClose xRead xWrite xTruncate xSync xFileSize xLock xUnlock xCheckReservedLock xFileControl"
    " xSectorSize xDeviceCharacteristics xShmMap xShmLock xShmBarrier xShmUnmap xFetch xUnfetch"
)
_VFS_METHODS = (
    "xOpen xDelete xAccess xFullPathname xDlOpen xDlError xDlSym xDlClose xRandomness xSleep"
    " xCurrentTime xGetLastError xCurrentTimeInt64 xSetSystemCall xGetSystemCall xNextSystemCall"
)


class _Methods(ctypes.Structure):
    _fields_ = (
        ("iVersion", ctypes.c_int),
        *((name, _POINTER) for name in _FILE_METHODS.split()),
    )


class _File(ctypes.Structure):
    _fields_ = (("pMethods", ctypes.POINTER(_Methods)),)


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", _POINTER),
        ("zName", ctypes.c_char_p),
        ("pAppData", _POINTER),
        *((name, _POINTER) for name in _VFS_METHODS.split()),
    )


_INT, _LONG = ctypes.c_int, ctypes.c_longlong
_WRITE = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _INT, _LONG)
_TRUNCATE = ctypes.CFUNCTYPE(_INT, _POINTER, _LONG)
_SYNC = ctypes.CFUNCTYPE(_INT, _POINTER, _INT)
_OPEN = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _POINTER, _INT, _POINTER)
_DELETE = ctypes.CFUNCTYPE(_INT, _POINTER, ctypes.c_char_p, _INT)


@dataclass(frozen=True)
class Act:
    """One act on a file, or a mark of whoever uses the database.

    Attributes:
        kind: "open", "write", "truncate", "sync", "delete" or "mark".
        path: The file; of a mark, what it says.
        offset: Where it is written, or the length that is left.
        data: What is written.
    """

    kind: str
    path: Path
    offset: int = 0
    data: bytes = b""


class SqliteActs:
    """Notes what SQLite does while it is in force.

    Attributes:
        acts: What was done, in order.
    """

    def __init__(self) -> None:
        """Nothing is noted yet."""
        self.acts: list[Act] = []
        self._library: Any = ctypes.CDLL(_sqlite3.__file__)
        self._library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        self._library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
        self._library.sqlite3_vfs_register.argtypes = [ctypes.POINTER(_Vfs), ctypes.c_int]
        self._library.sqlite3_vfs_unregister.argtypes = [ctypes.POINTER(_Vfs)]
        self._real = self._library.sqlite3_vfs_find(None)
        self._paths: dict[int, Path] = {}
        self._tables: dict[int, _Methods] = {}
        self._kept_alive: list[object] = []

    def mark(self, what: str) -> None:
        """Note that something has happened outside."""
        self.acts.append(Act("mark", Path(what)))

    @contextlib.contextmanager
    def in_force(self) -> Iterator[None]:
        """Every database that is opened meanwhile is seen, as long as it is open."""
        mine = _Vfs()
        ctypes.memmove(ctypes.byref(mine), self._real, ctypes.sizeof(_Vfs))
        mine.zName, mine.pNext = b"fleetloop-acts", None
        open_, delete = _OPEN(self._opener(mine)), _DELETE(self._deleter(mine))
        mine.xOpen, mine.xDelete = _address(open_), _address(delete)
        self._kept_alive += [mine, open_, delete]
        self._library.sqlite3_vfs_register(ctypes.byref(mine), 1)
        try:
            yield
        finally:
            self._library.sqlite3_vfs_unregister(ctypes.byref(mine))

    def _opener(self, vfs: _Vfs) -> Any:  # noqa: ANN401  # a C callback
        real = _OPEN(vfs.xOpen)

        def open_(_: int, name: int | None, file: int, flags: int, out: int | None) -> int:
            # The name goes on as the pointer it is: SQLite keeps it as long as the file is open.
            result: int = real(ctypes.cast(self._real, _POINTER), name, file, flags, out)
            if result == 0 and name is not None:
                self._paths[file] = Path(ctypes.string_at(name).decode())
                self.acts.append(Act("open", self._paths[file]))
                opened = ctypes.cast(file, ctypes.POINTER(_File)).contents
                opened.pMethods = ctypes.pointer(self._table(opened.pMethods))
            return result

        return open_

    def _deleter(self, vfs: _Vfs) -> Any:  # noqa: ANN401  # a C callback
        real = _DELETE(vfs.xDelete)

        def delete(_: int, name: bytes, sync_folder: int) -> int:
            result: int = real(ctypes.cast(self._real, _POINTER), name, sync_folder)
            if result == 0:
                self.acts.append(Act("delete", Path(name.decode()), offset=sync_folder))
            return result

        return delete

    def _table(self, real: Any) -> _Methods:  # noqa: ANN401  # a pointer to the real methods
        at = ctypes.addressof(real.contents)
        if at in self._tables:
            return self._tables[at]
        mine = _Methods()
        ctypes.memmove(ctypes.byref(mine), real, ctypes.sizeof(_Methods))
        real_write, real_sync = _WRITE(mine.xWrite), _SYNC(mine.xSync)
        real_truncate = _TRUNCATE(mine.xTruncate)

        def write(file: int, data: int, length: int, offset: int) -> int:
            self.acts.append(
                Act("write", self._paths[file], offset, ctypes.string_at(data, length))
            )
            return int(real_write(file, data, length, offset))

        def truncate(file: int, size: int) -> int:
            self.acts.append(Act("truncate", self._paths[file], size))
            return int(real_truncate(file, size))

        def sync(file: int, flags: int) -> int:
            self.acts.append(Act("sync", self._paths[file]))
            return int(real_sync(file, flags))

        calls = (_WRITE(write), _TRUNCATE(truncate), _SYNC(sync))
        mine.xWrite, mine.xTruncate, mine.xSync = (_address(call) for call in calls)
        self._kept_alive += [*calls, real]
        self._tables[at] = mine
        return mine


def _address(call: Any) -> int | None:  # noqa: ANN401  # a C callback
    return ctypes.cast(call, _POINTER).value
