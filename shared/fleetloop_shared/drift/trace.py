"""Remembers the last blocks, the older the coarser, so that an onset can be looked for in them."""

from collections import deque

from fleetloop_shared.drift.sums import Block

KEPT = 8
"""Parts of each length: single blocks, pairs, fours, eights."""

_LENGTHS = 4

Part = tuple[int, Block]
"""Number of its first row, and its rows as sums."""


class Trace:
    """The last 120 blocks or so, as at most 32 parts."""

    def __init__(self) -> None:
        """Nothing is remembered yet."""
        self._by_length: list[deque[Part]] = [deque() for _ in range(_LENGTHS)]

    def add(self, first_row: int, block: Block) -> None:
        """Remember the rows that followed."""
        self._by_length[0].append((first_row, block))
        for parts, longer in zip(self._by_length, [*self._by_length[1:], None], strict=True):
            if len(parts) <= KEPT:
                break
            oldest_row, oldest = parts.popleft()
            if longer is not None:
                _, next_oldest = parts.popleft()
                longer.append((oldest_row, oldest + next_oldest))

    def parts(self) -> list[Part]:
        """What is remembered, in the order of the rows."""
        return [part for parts in reversed(self._by_length) for part in parts]
