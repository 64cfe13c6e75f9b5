"""The training process: `python -m fleetloop_hub.training FOLDER` does the job in that folder."""

import sys
from pathlib import Path

import msgspec

from fleetloop_hub import child
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.training import job as files
from fleetloop_hub.training.run import train
from fleetloop_shared.durable import RealDisk, replace


def _train(folder: Path, disk: RealDisk) -> None:
    try:
        job = msgspec.json.decode(disk.read(child.JOB), type=files.Job)
    except (OSError, msgspec.MsgspecError) as error:
        raise TrainingError(f"{folder / child.JOB}: {error}; start the training again") from error
    with (folder / child.PROGRESS).open("ab", buffering=0) as lines:
        output = train(job, lambda p: lines.write(msgspec.json.encode(p) + b"\n"))
    replace(disk, files.ARTIFACT, output.artifact)
    replace(disk, files.ENCODED, output.encoded)
    replace(disk, files.FLOAT, output.float_data)
    replace(disk, files.EVALUATION, output.evaluation)
    replace(disk, files.LABELLED, output.labelled)
    replace(disk, child.RESULT, msgspec.json.encode(output.result))


if __name__ == "__main__":
    child.work(Path(sys.argv[1]), _train, "training failed")
