"""What a run leaves behind, kept among the blobs, so that its record stays small."""

import contextlib
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fleetloop_hub import child
from fleetloop_hub.errors import BlobError
from fleetloop_hub.ports import Blobs
from fleetloop_hub.records import Run
from fleetloop_hub.run_parts import Candidate, Setting
from fleetloop_hub.training import job as files
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.errors import DiskFullError

DETAILS = "details.json"
SPEC = "spec.toml"

_LEFT = (child.LOG, files.ARTIFACT, files.FLOAT, files.EVALUATION, files.LABELLED)
_LOG_BYTES = 4_000_000
_SMALL_BYTES = 8_000


class _Details(msgspec.Struct, frozen=True, kw_only=True):
    candidates: list[Candidate]
    searches: dict[str, list[Setting]]


def kept(run: Run, folder: Path, blobs: Blobs) -> Run:
    """The record with all that lies in the run's folder; `cleared` takes that away then.

    Of a log, the last 4 MB are kept. Where candidates and searches are larger than 8 kB together,
    the record loses curves and searches, which `whole` gives back.

    Args:
        run: Its record as it has ended.
        folder: Where it has worked.
        blobs: Where everything goes.

    Raises:
        DiskFullError: No room; what was kept already is used when it is tried again.
        BlobError: A file cannot be read.
    """
    found = dict(run.artifacts)
    for name in _LEFT:
        try:
            data = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise BlobError(
                f"{folder / name} cannot be kept with run {run.key}: {error}"
            ) from error
        found[str(name)] = blobs.put(data[-_LOG_BYTES:] if name == child.LOG else data)
    written = msgspec.json.encode(_Details(candidates=run.candidates, searches=run.searches))
    if len(written) <= _SMALL_BYTES:
        return replace(run, artifacts=found)
    found[DETAILS] = blobs.put(written)
    slim = [replace(candidate, curves={}) for candidate in run.candidates]
    return replace(run, artifacts=found, candidates=slim, searches={})


def cleared(run: Run, folder: Path) -> None:
    """Take away the bulky files of a run that has ended, as far as its record has them by hash.

    To be called once the catalog has the record. What a cut leaves behind, the next start takes
    away; the log stays, and so does what could not be kept.

    Args:
        run: Its record, as `kept` made it.
        folder: Where it has worked.
    """
    bulky = files.FLOAT, files.EVALUATION, files.LABELLED
    gone = [name for name in bulky if str(name) in run.artifacts]
    if str(files.ARTIFACT) in run.artifacts:
        gone += [files.ARTIFACT, files.ENCODED]  # the second is the first, for the wire
    for name in gone:
        with contextlib.suppress(OSError, DiskFullError):  # the next start tries again
            RealDisk(folder.parent).remove(Path(folder.name) / name)


def whole(run: Run, blobs: Blobs) -> Run:
    """The record with curves and searches, as far as they are kept."""
    sha256 = run.artifacts.get(DETAILS)
    if sha256 is None or not blobs.has(sha256):
        return run
    details = msgspec.json.decode(blobs.get(sha256), type=_Details)
    return replace(run, candidates=details.candidates, searches=details.searches)
