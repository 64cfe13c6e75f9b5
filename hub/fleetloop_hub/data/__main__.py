"""The process that reads data: `python -m fleetloop_hub.data FOLDER` does the job in there."""

import contextlib
import os
import resource
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fleetloop_hub.data import build
from fleetloop_hub.data import job as files
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_shared.durable import RealDisk, replace
from fleetloop_shared.errors import FleetloopError

_TOO_MUCH = (
    "the sources unpack to more than this machine's memory holds; nothing was stored: write them "
    "with smaller row groups, or without values of many megabytes"
)


def main(folder: Path) -> None:
    """Leave a result or a failure in the folder; the latter for whatever goes wrong."""
    disk = RealDisk(folder)
    try:
        _work(folder, disk)
    except MemoryError:
        failure = files.Failure(text=_TOO_MUCH)
        replace(disk, files.FAILURE, msgspec.json.encode(failure))
    except Exception as error:  # noqa: BLE001  # the edge: the hub is told, whatever it was
        traceback.print_exc()
        text = str(error) if isinstance(error, FleetloopError) else _unforeseen(error, folder)
        replace(disk, files.FAILURE, msgspec.json.encode(files.Failure(text=text)))


def _work(folder: Path, disk: RealDisk) -> None:
    try:
        job = msgspec.json.decode(disk.read(files.JOB), type=files.Job)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{folder / files.JOB}: {error}; add the data again") from error
    limit = job.memory_bytes or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    spec = specs.parse(job.spec)
    before = None
    if job.before is not None and job.files is not None:
        before = build.Before(
            job.before, Path(job.files.rows), _path(job.files.quarantine), _path(job.files.late)
        )
    with (folder / files.PROGRESS).open("ab", buffering=0) as lines:

        def tell(share: float, text: str) -> None:
            lines.write(msgspec.json.encode(files.Progress(share=share, text=text)) + b"\n")

        if job.folder is not None:
            built = build.from_sources(spec, Path(job.folder), folder, before, tell)
        elif before is not None:
            built = build.with_samples(spec, before, _samples(folder / files.SAMPLES), folder)
        else:
            raise DataError("nothing to grow from: add the sources first")
    result = files.Result(dataset=None, files=None)
    if built is not None:
        lies = files.Files(
            rows=str(built.rows), quarantine=_text(built.quarantine), late=_text(built.late)
        )
        result = files.Result(dataset=built.dataset, files=lies)
    replace(disk, files.RESULT, msgspec.json.encode(result))


def _samples(path: Path) -> Iterator[LabelledSample]:
    with path.open("rb") as lines:
        for line in lines:
            yield msgspec.json.decode(line, type=LabelledSample)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _unforeseen(error: Exception, folder: Path) -> str:
    return (
        f"reading data failed in a way nobody foresaw ({type(error).__name__}: {error}); nothing "
        f"was stored; {folder / files.LOG} tells where, please report it"
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
