"""The process that reads data: `python -m fleetloop_hub.data FOLDER` does the job in there."""

import os
import resource
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from fleetloop_hub import child
from fleetloop_hub.data import build
from fleetloop_hub.data import job as files
from fleetloop_hub.data.one_class import see_classes
from fleetloop_hub.data.windows import Choice
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_shared.durable import RealDisk, replace

_TOO_MUCH = (
    "the sources unpack to more than this machine's memory holds; nothing was stored: write them "
    "with smaller row groups, or without values of many megabytes"
)


def _read(folder: Path, disk: RealDisk) -> None:
    try:
        _work(folder, disk)
    except MemoryError as error:
        raise DataError(_TOO_MUCH) from error


def _work(folder: Path, disk: RealDisk) -> None:
    try:
        job = msgspec.json.decode(disk.read(child.JOB), type=files.Job)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{folder / child.JOB}: {error}; add the data again") from error
    limit = job.memory_bytes or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    spec = specs.parse(job.spec)
    before = None
    if job.before is not None and job.files is not None:
        before = build.Before(
            job.before, Path(job.files.rows), _path(job.files.quarantine), _path(job.files.late)
        )
    with (folder / child.PROGRESS).open("ab", buffering=0) as lines:

        def tell(share: float, text: str) -> None:
            lines.write(msgspec.json.encode(child.Progress(share=share, text=text)) + b"\n")

        if job.folder is not None:
            built = build.from_sources(spec, Path(job.folder), folder, before, tell)
        elif before is not None:
            sent = _Samples(folder / files.SAMPLES)
            built = build.with_samples(spec, before, sent, folder, Choice(job.excluded, job.since))
        else:
            raise DataError("nothing to grow from: add the sources first")
    result = files.Result(dataset=None, files=None)
    if built is not None and job.to_train:
        see_classes(built.dataset, spec)
    if built is not None:
        lies = files.Files(
            rows=str(built.rows), quarantine=_text(built.quarantine), late=_text(built.late)
        )
        result = files.Result(dataset=built.dataset, files=lies)
    replace(disk, child.RESULT, msgspec.json.encode(result))


class _Samples(Iterable[LabelledSample]):
    """The samples in a file, as often as they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[LabelledSample]:
        with self._path.open("rb") as lines:
            for line in lines:
                yield msgspec.json.decode(line, type=LabelledSample)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


if __name__ == "__main__":
    child.work(Path(sys.argv[1]), _read, "reading data failed")
