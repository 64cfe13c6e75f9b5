"""How much of a dataset version one device may be: its rows are drawn until it is no more.

One device that lies, or whose sensors are broken in a way that nobody has noticed, so moves what is
learned only so far. Rows that are left out are drawn by the hash of their names, evenly over time.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import numpy as np
import pyarrow as pa

from fleetloop_hub.data.chunk import CHUNK_ROWS
from fleetloop_hub.data.keys import Marks, hashed
from fleetloop_hub.data.samples import device_names
from fleetloop_hub.dataset_parts import DeviceShare
from fleetloop_hub.telemetry_records import LabelledSample

_MOST_SHOWN = 200
_EVERY = 2**64


def share_allowed(most_of_one_device: float, devices: int) -> float:
    """The largest share of one device: as the spec says, but twice its even share with few devices.

    >>> share_allowed(0.2, 1), share_allowed(0.2, 4), share_allowed(0.2, 40)
    (1.0, 0.5, 0.2)
    """
    return min(1.0, max(most_of_one_device, 2 / max(devices, 1)))


def most_rows(rows: Iterable[int], most_of_one_device: float) -> int:
    """The rows that one device may have, so that none is more than its share of what is kept.

    The largest t with t <= share * sum(min(rows of a device, t)).

    >>> most_rows([1000, 50, 50, 50], 0.2)
    150
    >>> most_rows([100] * 8, 0.2)
    100
    """
    counts = np.array(sorted(rows), np.int64)
    share = share_allowed(most_of_one_device, len(counts))
    if not len(counts) or share >= 1:
        return int(counts.max(initial=0))
    low, high = 0, int(counts.max())
    while low < high:
        middle = (low + high + 1) // 2
        if middle <= share * np.minimum(counts, middle).sum():
            low = middle
        else:
            high = middle - 1
    return low


class FieldShares:
    """Says which samples may come into a version, and what came of each device."""

    def __init__(self, most_of_one_device: float, excluded: Mapping[str, str]) -> None:
        """Nothing was seen yet.

        Args:
            most_of_one_device: The largest share, as the spec says.
            excluded: Devices of which no new row is taken, and why.
        """
        self._most, self._excluded = most_of_one_device, excluded
        self._there: Counter[str] = Counter()
        self._known = np.zeros(0, np.uint64)
        self._below: dict[str, int] = {}
        self._taken: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()

    def note_there(self, devices: pa.Array, origins: pa.Array) -> None:
        """Rows of devices that are in the version already, and stay."""
        for counted in devices.value_counts().to_pylist():
            self._there[counted["values"]] += counted["counts"]
        marks = hashed(device_names(devices, origins))
        self._known = np.concatenate([self._known, marks])

    def look(self, samples: Iterable[LabelledSample]) -> None:
        """See how many new rows there are of each device, before `kept` is asked."""
        fresh: dict[str, list[Marks]] = {}
        for piece, marks, new in self._pieces(samples):
            names = np.array([sample.device for sample in piece], object)
            for device in set(names[new].tolist()):
                fresh.setdefault(device, []).append(marks[new & (names == device)])
        found = {device: np.unique(np.concatenate(parts)) for device, parts in fresh.items()}
        rows = {d: self._there[d] + len(marks) for d, marks in found.items()}
        every = {**self._there, **{d: n for d, n in rows.items() if d not in self._excluded}}
        most = most_rows(every.values(), self._most)
        for device, marks in found.items():
            room = 0 if device in self._excluded else max(0, most - self._there[device])
            self._below[device] = int(marks[room]) if room < len(marks) else _EVERY

    def kept(self, samples: Iterable[LabelledSample]) -> Iterator[LabelledSample]:
        """The samples that may come in; those that are there already pass, and are told apart."""
        for piece, marks, new in self._pieces(samples):
            for sample, mark, is_new in zip(piece, marks.tolist(), new.tolist(), strict=True):
                if is_new and mark >= self._below.get(sample.device, _EVERY):
                    self._left_out[sample.device] += 1
                    continue
                self._taken[sample.device] += is_new
                yield sample

    def told(self) -> list[DeviceShare]:
        """What came of each device, the largest first."""
        devices = {*self._there, *self._taken, *self._left_out}
        shares = [self._share(device) for device in sorted(devices)]
        return sorted(shares, key=lambda s: (-s.rows, -s.left_out))[:_MOST_SHOWN]

    def _share(self, device: str) -> DeviceShare:
        reason, left_out = "", self._left_out[device]
        if left_out:
            allowed = share_allowed(self._most, len({*self._there, *self._taken}))
            bound = f"one device may be {allowed:.0%} of the rows from the field".replace("%", " %")
            reason = self._excluded.get(device, bound)
        rows = self._there[device] + self._taken[device]
        return DeviceShare(device=device, rows=rows, left_out=left_out, reason=reason)

    def _pieces(
        self, samples: Iterable[LabelledSample]
    ) -> Iterator[tuple[list[LabelledSample], Marks, np.ndarray]]:
        pending, known = iter(samples), np.sort(self._known)
        while piece := list(islice(pending, CHUNK_ROWS)):
            devices = pa.array([s.device for s in piece], pa.string())
            origins = pa.array([s.sample.prediction_id for s in piece], pa.string())
            marks = hashed(device_names(devices, origins))
            yield piece, marks, ~np.isin(marks, known)
