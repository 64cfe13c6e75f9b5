"""Begins a fresh state folder whose image keys people hold."""

import time
from pathlib import Path

from fleetloop_hub.trust import offline
from fleetloop_hub.trust.changes import People
from fleetloop_hub.trust.terms import Repository
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.durable import RealDisk


def begin(state_dir: Path, folder: Path, threshold: int, many: int) -> list[Path]:
    """Make both repositories, and people's keys in `folder`; returns what lies there.

    Raises:
        SigningError: The state folder has its keys already, the folder is not empty, or the
            threshold cannot be reached.
        DiskFullError: No room.
    """
    offline.check_threshold(threshold, many)
    trust = Trust(RealDisk(state_dir))
    trust.check_fresh()
    made = offline.make_keys(Repository.IMAGE, many, folder)
    keys = offline.public_keys(offline.public_halves(made))
    trust.prepare(People(keys, threshold, list(made.values())), time.time())
    offline.pin(folder, Repository.IMAGE, trust.pins((1, 1))[0])
    return sorted(folder.iterdir())
