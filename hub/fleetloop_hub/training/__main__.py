"""The training process: `python -m fleetloop_hub.training FOLDER` does the job in that folder."""

import contextlib
import os
import sys
import threading
import traceback
from pathlib import Path

import msgspec

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.training import job as files
from fleetloop_hub.training.run import train
from fleetloop_shared.durable import RealDisk, replace
from fleetloop_shared.errors import FleetloopError


def main(folder: Path) -> None:
    """Leave a result or a failure in the folder; the latter for whatever goes wrong."""
    disk = RealDisk(folder)
    try:
        _work(folder, disk)
    except Exception as error:  # noqa: BLE001  # the edge: the hub is told, whatever it was
        traceback.print_exc()
        text = str(error) if isinstance(error, FleetloopError) else _unforeseen(error, folder)
        replace(disk, files.FAILURE, msgspec.json.encode(files.Failure(text=text)))


def _work(folder: Path, disk: RealDisk) -> None:
    try:
        job = msgspec.json.decode(disk.read(files.JOB), type=files.Job)
    except (OSError, msgspec.MsgspecError) as error:
        raise TrainingError(f"{folder / files.JOB}: {error}; start the training again") from error
    with (folder / files.PROGRESS).open("ab", buffering=0) as lines:
        output = train(job, lambda p: lines.write(msgspec.json.encode(p) + b"\n"))
    replace(disk, files.ARTIFACT, output.artifact)
    replace(disk, files.ENCODED, output.encoded)
    replace(disk, files.FLOAT, output.float_data)
    replace(disk, files.EVALUATION, output.evaluation)
    replace(disk, files.RESULT, msgspec.json.encode(output.result))


def _unforeseen(error: Exception, folder: Path) -> str:
    return (
        f"training failed in a way nobody foresaw ({type(error).__name__}: {error}); "
        f"{folder / files.LOG} tells where, please report it"
    )


def _die_with_parent() -> None:
    """The hub holds the other end of standard input: it closes when the hub is gone."""
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 1):
            pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_die_with_parent, daemon=True).start()
    main(Path(sys.argv[1]))
