"""Gives back the pages of libraries that only the start has needed.

Importing ONNX Runtime and loading a model runs through some 30 MiB of code and tables that serving
does not touch again; they stay mapped. They are copies of files, which the kernel may take back
when memory is short; here they are given back at once. What is needed again comes from the page
cache, within microseconds. Only mappings that cannot be written to, and of which no page differs
from its file, are touched: nothing can be lost. madvise(2), MADV_DONTNEED; proc_pid_smaps(5).
"""

import contextlib
import ctypes
from collections.abc import Iterable, Iterator
from pathlib import Path

SETTLE_S = 1.0
"""So long after a model was loaded, the start is over."""

_SMAPS = Path("/proc/self/smaps")
_MADV_DONTNEED = 4
_MAPPING_FIELDS = 6

Range = tuple[int, int]
"""Where a mapping begins, and how many bytes it has."""


class StartPages:
    """Gives pages back once after each change of the loaded model."""

    def __init__(self) -> None:
        """Nothing was loaded yet."""
        self._seen: object = None
        self._due: float | None = 0.0

    def step(self, loaded: object, now: float) -> None:
        """Give back what is due.

        Args:
            loaded: What is being served.
            now: Monotonic seconds.
        """
        if loaded is not self._seen or self._due == 0.0:
            self._seen, self._due = loaded, now + SETTLE_S
        elif self._due is not None and now >= self._due:
            self._due = None
            give_back()


def give_back() -> int:
    """Give the pages back; returns in how many mappings, 0 where the system does not say."""
    count = 0
    with contextlib.suppress(OSError, AttributeError):
        madvise = ctypes.CDLL(None, use_errno=True).madvise
        with _SMAPS.open(encoding="utf-8", errors="replace") as lines:
            ranges = list(unchanged(lines))
        for start, length in ranges:
            count += madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), _MADV_DONTNEED) == 0
    return count


def unchanged(smaps: Iterable[str]) -> Iterator[Range]:
    """The private mappings of files that are read-only and equal to their files.

    Args:
        smaps: The lines of `/proc/<pid>/smaps`.
    """
    mapping: Range | None = None
    for line in smaps:
        fields = line.split()
        if fields and not fields[0].endswith(":"):
            mapping = _file_mapping(fields)
        elif mapping is not None and fields[:1] == ["Anonymous:"] and fields[1] == "0":
            yield mapping


def _file_mapping(fields: list[str]) -> Range | None:
    if len(fields) < _MAPPING_FIELDS or not fields[5].startswith("/"):
        return None
    if not (fields[1].startswith("r-") and fields[1].endswith("p")):
        return None
    start, _, end = fields[0].partition("-")
    return int(start, 16), int(end, 16) - int(start, 16)
