"""Runs many seeds, on several cores if there are any to spare."""

import logging
import multiprocessing
from collections.abc import Iterator

from fleetloop_firmware_sim.chaos.draw import draw
from fleetloop_firmware_sim.chaos.run import run
from fleetloop_firmware_sim.chaos.story import Ending

_BATCH = 8


def endings(seeds: range, jobs: int) -> Iterator[Ending]:
    """How the story of each seed ends, in no order if there are several jobs.

    Args:
        seeds: Which.
        jobs: Processes at the same time.
    """
    if jobs == 1:
        yield from map(_ending, seeds)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, initializer=_quiet) as pool:
        yield from pool.imap_unordered(_ending, seeds, chunksize=_BATCH)


def _ending(seed: int) -> Ending:
    return run(draw(seed))


def _quiet() -> None:
    logging.disable(logging.WARNING)
