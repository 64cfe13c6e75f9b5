"""Lets the world's days pass: both fleets see the same uses, and the truth comes late."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from fleetloop_firmware_sim.errors import FeedError, HubError
from fleetloop_firmware_sim.hub_api import HubApi
from fleetloop_firmware_sim.recording import Recording
from fleetloop_firmware_sim.stories.device import Device
from fleetloop_firmware_sim.stories.feeding import Feeding, Rhythm
from fleetloop_firmware_sim.stories.fraud.payments import DAY_S
from fleetloop_firmware_sim.stories.fraud.world import World

STEP_DAYS = 0.25
_MOST_LABELS = 2_000
_RHYTHM = Rhythm(batch_rows=256, pause_s=0.05, most_ahead_rows=256)


@dataclass
class Pair:
    """A gateway and its twin without the loop, which see the same uses.

    Attributes:
        rows: The world's rows that come to them.
        loop: The one whose fleet has the loop.
        still: The other.
        pending: Places in `rows` whose truth was not told yet, the next one last.
    """

    rows: "np.ndarray[tuple[int], np.dtype[np.intp]]"
    loop: Device
    still: Device
    pending: list[int] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """Rows that both have answered."""
        return min(self.loop.measured, self.still.measured)


def life(world: World, rows: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> Recording:
    """What a gateway measures; the truth is not known to it."""
    seen = world.recording(rows)
    return Recording(seen.columns, seen.rows, [None] * len(rows), seen.texts)


class Clearing(Feeding):
    """The clearing house's clock; a thread like that of any feeding.

    Attributes:
        day: How far the world has come.
        step_s: Seconds a quarter of a day takes at least.
        until_day: Where the clock stops.
        labels: Truths that devices and hub have been told.
    """

    def __init__(self, world: World, pairs: list[Pair], api: HubApi, day: float) -> None:
        """Begin at a day."""
        super().__init__([d for pair in pairs for d in (pair.loop, pair.still)], _RHYTHM)
        self.day, self.step_s, self.until_day = day, 0.2, day
        self.labels = 0
        self._world, self._pairs, self._api = world, pairs, api
        for pair in pairs:
            order = np.argsort(world.known_at[pair.rows], kind="stable")
            pair.pending = order.tolist()[::-1]

    @property
    def waits(self) -> bool:
        """Whether the clock stands where it was told to stop, and everybody has answered."""
        return self.day >= self.until_day and not any(self._due())

    def _feed(self) -> None:
        while self._going.is_set():
            began = time.monotonic()
            if not any(self._due()) and self.day < self.until_day:
                self._tell()
                self.day += STEP_DAYS
            for device, due in zip(self._devices, self._due(), strict=True):
                if due:
                    device.measure(min(due, _RHYTHM.batch_rows))
            left = self.step_s if not any(self._due()) else 0.0
            time.sleep(max(0.01, left - (time.monotonic() - began)))

    def _due(self) -> list[int]:
        due = []
        for pair in self._pairs:
            stop = int(np.searchsorted(self._world.payments.at[pair.rows], self.day * DAY_S))
            due += [stop - pair.loop.measured, stop - pair.still.measured]
        return due

    def _tell(self) -> None:
        """Chargebacks go to the device, by prediction id; what is known as genuine, to the hub."""
        for pair in self._pairs:
            known = self._known(pair)
            fraud = self._world.fraud[pair.rows]
            bad = [row for row in known if fraud[row]]
            good = [row for row in known if not fraud[row]]
            readings = pair.loop.sensor.readings
            try:
                if bad:
                    told = [(readings[row].answer.prediction_id, 1) for row in bad]
                    pair.loop.feedback(told)
                for part in _parts(good):
                    labels = [self._label(pair.loop, row) for row in part]
                    self._api.post("/labels", {"labels": labels})
            except (FeedError, HubError):
                continue  # somebody is away: the same truths are told again with the next
            del pair.pending[len(pair.pending) - len(known) :]
            self.labels += len(known)

    def _known(self, pair: Pair) -> list[int]:
        """Rows whose truth is known by now, the oldest news first, as far as they were answered."""
        known: list[int] = []
        at = self._world.known_at[pair.rows]
        for row in reversed(pair.pending):
            if at[row] > self.day * DAY_S or row >= pair.loop.measured:
                break
            known.append(row)
        return known

    @staticmethod
    def _label(device: Device, row: int) -> dict[str, object]:
        answer = device.sensor.readings[row].answer
        return {
            "device": device.name,
            "prediction_id": answer.prediction_id,
            "label": 0,
            "at": time.time(),
        }


def _parts(rows: list[int]) -> Iterable[list[int]]:
    for first in range(0, len(rows), _MOST_LABELS):
        yield rows[first : first + _MOST_LABELS]
