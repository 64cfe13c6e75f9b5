"""When the hub is killed during a story: at moments drawn from the story's seed."""

import random
from dataclasses import dataclass

SOONEST_S = 2.0
LATEST_S = 20.0
MOST_KILLS = 6
"""Enough to meet every act, and few enough for a training of some seconds to end between two."""

LONGEST_OFF_S = 2.0


@dataclass(frozen=True)
class Kill:
    """One kill.

    Attributes:
        after_s: Seconds that the hub has been awake.
        off_s: Seconds until it is started again.
    """

    after_s: float
    off_s: float


def draw(seed: int) -> list[Kill]:
    """The kills of a story, in order: the same for the same seed.

    >>> draw(1) == draw(1), draw(1) == draw(2), len(draw(1))
    (True, False, 6)
    """
    chance = random.Random(f"hub kills {seed}")  # noqa: S311  # a story, not a secret
    return [
        Kill(chance.uniform(SOONEST_S, LATEST_S), chance.uniform(0.0, LONGEST_OFF_S))
        for _ in range(MOST_KILLS)
    ]
