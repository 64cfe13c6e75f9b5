"""Keeps the budget of samples on the disk: what is spent was given away there before.

A file of two numbers, written when a grant is given out (some thirty times a day where all of the
budget is used, never where nothing is sent) and at a graceful end, which puts back what is left.
"""

import contextlib
import math
from pathlib import Path

import msgspec

from fleetloop_agent.ports import Clock
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.sample_budget import DAY_S, SAVED_SHARE, SampleBudget
from fleetloop_shared.durable import Disk, replace
from fleetloop_shared.errors import DiskFaultError, DiskFullError
from fleetloop_shared.sampling import SamplingPolicy

PATH = Path("monitor/sample-budget")

_TROUBLE = (DiskFullError, DiskFaultError)


class _Kept(msgspec.Struct, frozen=True):
    """What is on the disk.

    Attributes:
        level: Bytes in the bucket.
        at: The latest time that this device has ever had, Unix seconds.
    """

    level: float
    at: float


class SamplePurse:
    """One file on one disk. A disk that is full or broken grants nothing, and nothing else fails.

    Across a restart the bucket fills by the wall clock, but never for a time that it has filled for
    already: a clock that is set back and forth fills it once.
    """

    def __init__(self, disk: Disk, clock: Clock) -> None:
        """Read what is there; a damaged file is an empty bucket.

        Args:
            disk: The state folder.
            clock: The clocks.
        """
        self._disk, self._clock = disk, clock
        self._kept = self._read()
        self._budget: SampleBudget | None = None

    def budget(self, bytes_per_day: int) -> SampleBudget:
        """The bucket for so many bytes a day; the same one as long as that does not change."""
        old, now = self._budget, self._clock.monotonic()
        if old is not None and old.bytes_per_day == bytes_per_day:
            return old
        if old is not None:
            made = SampleBudget(bytes_per_day, old.take_back(), now)
        elif self._kept is None:
            made = SampleBudget.full(bytes_per_day, now)
        else:
            away_s = max(0.0, self._clock.now() - self._kept.at)
            flowed = away_s * (1 - SAVED_SHARE) * bytes_per_day / DAY_S
            made = SampleBudget(bytes_per_day, self._kept.level + flowed, now)
        self._budget = made
        return made

    def pay_for(self, predictor: Predictor, policy: SamplingPolicy | None) -> None:
        """Have a policy followed, as far as its budget goes; called every half second or so."""
        budget = None if policy is None else self.budget(policy.bytes_per_day)
        self.top_up()
        predictor.sample(policy, budget)

    def top_up(self) -> None:
        """Grant bytes if few are left, once the disk knows that they are gone."""
        budget = self._budget
        if budget is None:
            return
        apart = budget.set_apart(self._clock.monotonic())
        if not apart:
            return
        if self._write(budget.level()):
            budget.grant(apart)
        else:
            budget.put_back(apart)

    def close(self) -> None:
        """Put back what was granted and not spent; nothing is sent after this."""
        if self._budget is not None and self._kept is not None:
            self._write(self._budget.take_back())

    def _write(self, level: float) -> bool:
        now = self._clock.now()
        kept = _Kept(level, max(now, self._kept.at) if self._kept is not None else now)
        with contextlib.suppress(*_TROUBLE):
            replace(self._disk, PATH, msgspec.json.encode(kept))
            self._kept = kept
            return True
        return False

    def _read(self) -> _Kept | None:
        try:
            kept = msgspec.json.decode(self._disk.read(PATH), type=_Kept)
        except FileNotFoundError:
            return None
        except (OSError, *_TROUBLE, msgspec.MsgspecError):
            return _Kept(0.0, self._clock.now())
        if not (math.isfinite(kept.level) and math.isfinite(kept.at)):
            return _Kept(0.0, self._clock.now())
        return _Kept(max(0.0, kept.level), kept.at)
