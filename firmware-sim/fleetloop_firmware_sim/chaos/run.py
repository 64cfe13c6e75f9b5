"""Runs one story and says how it ended."""

import shutil
import tempfile
import traceback
from pathlib import Path

from fleetloop_firmware_sim.chaos.promises import BrokenPromiseError
from fleetloop_firmware_sim.chaos.story import Ending, Story
from fleetloop_firmware_sim.chaos.trace import Trace
from fleetloop_firmware_sim.chaos.world import World

_RAM = Path("/dev/shm")  # noqa: S108  # spares the disk; the folder inside has a name of its own


def run(story: Story, *, keep_lines: bool = False) -> Ending:
    """Let a story happen; the same one always ends the same way."""
    trace = Trace(keep=keep_lines)
    folder = Path(tempfile.mkdtemp(prefix="fleetloop-chaos-", dir=_RAM if _RAM.is_dir() else None))
    broken, seconds = None, 0.0
    world, rollouts = None, dict[str, int]()
    try:
        world = World(story, folder, trace)
        seconds = world.tell()
        rollouts = world.rollouts
    except BrokenPromiseError as error:
        broken = str(error)
    except Exception as error:  # noqa: BLE001  # whatever ends an agent or the hub is a finding
        broken = f"{error!r} at {_place(error)}"
    finally:
        if world is not None:
            world.close()
        shutil.rmtree(folder, ignore_errors=True)
    return Ending(
        seed=story.seed,
        broken=broken,
        seconds=seconds or trace.now_s,
        rollouts=rollouts,
        trace=trace.sha256,
        lines=trace.lines,
    )


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"
