"""Changes models under load for minutes, and prints how many answers failed or were mixed.

`python tests/soak/run.py --minutes 10` loads another of three models every 20 ms, while threads ask
for single rows, batches, rows by name and over HTTP. Exits with 1 if a call failed, an answer's
version, hash and numbers do not belong together, or a prediction id was given twice.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/support

from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from support.hot_swap import hot_swap

PAUSE_S = 0.02
SHOWN = 5

_CONSOLE = Console(width=None if sys.stdout.isatty() else 120)


def main() -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10)")
    minutes: float = parser.parse_args().minutes
    until = time.monotonic() + 60 * minutes
    changes = 0

    def go_on(so_far: int) -> bool:
        nonlocal changes
        changes = so_far
        return time.monotonic() < until

    began = time.monotonic()
    seen = hot_swap(Predictor("soak", 1, OrtRuntime(), RealClock()), go_on, PAUSE_S)
    rss_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    twice = len(seen.numbers) - len(np.unique(np.frombuffer(seen.numbers, np.int64)))
    for trouble in [*seen.failed[:SHOWN], *seen.mixed[:SHOWN]]:
        _CONSOLE.print(trouble, style="red")
    _CONSOLE.print(
        f"{time.monotonic() - began:.0f} s: {seen.calls:,} calls, {seen.rows:,} rows,"
        f" {changes:,} changes of model; {len(seen.failed)} failed, {len(seen.mixed)} mixed,"
        f" {twice} ids given twice; at most {rss_mib:.0f} MiB of memory with all ids"
    )
    return int(bool(seen.failed or seen.mixed or twice or seen.rows != len(seen.numbers)))


if __name__ == "__main__":
    sys.exit(main())
