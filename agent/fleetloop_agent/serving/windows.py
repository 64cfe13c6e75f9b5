"""Judges blocks of rows: the windows that are to be told of."""

import itertools

from fleetloop_agent.serving.monitor import FinishedBlock
from fleetloop_agent.serving.records import Window
from fleetloop_agent.serving.served import Served


def judged(blocks: list[tuple[Served, FinishedBlock]]) -> list[Window]:
    """What is to be told of blocks, those of one model together."""
    windows: list[Window] = []
    for _, group in itertools.groupby(blocks, key=lambda pair: pair[0].load):
        (served, first), *rest = group
        parts = [(f.first_row, f.block) for f in [first, *(full for _, full in rest)]]
        windows += [Window(told, served.manifest) for told in served.scan.take_all(parts)]
    return windows
