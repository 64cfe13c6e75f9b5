"""The process that replays a dataset version: `python -m fleetloop_hub.simulating FOLDER`."""

import sys
from pathlib import Path

import msgspec

from fleetloop_hub import child
from fleetloop_hub.data import parquet
from fleetloop_hub.simulating.compare import simulate
from fleetloop_hub.simulating.history import timed
from fleetloop_hub.simulating.job import Job
from fleetloop_hub.simulating.plan import Plan
from fleetloop_hub.simulating.policies import Policy
from fleetloop_hub.spec import reading as specs
from fleetloop_shared.durable import RealDisk, replace


def _replay(folder: Path, disk: RealDisk) -> None:
    job = msgspec.json.decode(disk.read(child.JOB), type=Job)
    spec = specs.parse(job.spec)
    plan = Plan(devices=job.devices, label_delay_s=job.label_delay_s, unit_s=job.unit_s)
    history = timed(spec, parquet.read_frame(Path(job.rows), spec), plan)
    with (folder / child.PROGRESS).open("ab", buffering=0) as lines:

        def tell(share: float, text: str) -> None:
            lines.write(msgspec.json.encode(child.Progress(share=share, text=text)) + b"\n")

        found = simulate(history, plan, job.name, list(Policy), tell)
    replace(disk, child.RESULT, msgspec.json.encode(found))


if __name__ == "__main__":
    child.work(Path(sys.argv[1]), _replay, "replaying failed")
