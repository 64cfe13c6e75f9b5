"""Moves a belief on by one bundle: the unmodified TUF client, in a folder that is thrown away.

The client alone would not do: it syncs nothing, so that a power cut could take its memory of newer
metadata away; and it keeps what is validly signed before anybody asks whether it is for this
device. Here nothing is kept before the caller's own checks, and then at once, durably, as a whole.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from tuf.api import exceptions as tuf
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from fleetloop_agent.trust.belief import Belief
from fleetloop_agent.trust.fetcher import BASE, BundleFetcher
from fleetloop_agent.trust.tuf_client import Updater, UpdaterConfig
from fleetloop_shared.errors import (
    DiskFullError,
    EndlessDataError,
    FastForwardError,
    FreezeError,
    MixAndMatchError,
    RefusedError,
    RollbackError,
    SignatureError,
    UndecodableError,
)
from fleetloop_shared.trust import ISSUED_AT, Bundle

MOST_VERSIONS = 1_000_000
"""No repository signs so often between two bundles that a device sees; more is a fast-forward."""

_CONFIG = UpdaterConfig(max_root_rotations=256, max_delegations=1)
_LAST_S = 253_402_300_799.0  # the last second that `datetime` knows
_RAM = Path("/dev/shm")  # noqa: S108  # spares the flash; the folder inside has a name of its own

# The order matters: the first that fits names the attack.
_CLASSES: list[tuple[type[Exception], type[RefusedError], str]] = [
    (
        tuf.ExpiredMetadataError,
        FreezeError,
        "what was signed has expired: newer metadata is held back, or this device's clock is wrong",
    ),
    (tuf.BadVersionNumberError, RollbackError, "older metadata than was accepted: a replay"),
    (tuf.LengthOrHashMismatchError, MixAndMatchError, "metadata that does not belong together"),
    (tuf.UnsignedMetadataError, SignatureError, "too few signatures of trusted keys"),
    (tuf.DownloadLengthMismatchError, EndlessDataError, "longer than what was signed allows"),
]


def refresh(belief: Belief, pinned_root: str, bundle: Bundle, now: float) -> Belief:
    """What is believed after `bundle`; nothing is kept yet.

    Args:
        belief: What is believed now; an empty one for nothing.
        pinned_root: The root this device got when it enrolled, believed where no newer one is.
        bundle: What came.
        now: Unix seconds, never earlier than the time floor.

    Raises:
        RefusedError: A check has failed; its class names the attack.
        DiskFullError: No room for the scratch folder.
    """
    try:
        return _refresh(belief, pinned_root, bundle, now)
    except (tuf.RepositoryError, tuf.DownloadError) as error:
        raise _refused(error) from error
    except OSError as error:
        raise DiskFullError(
            f"no room to check what was signed: {error}; free some space"
        ) from error
    except RefusedError:
        raise
    except Exception as error:  # the TUF client meets whatever the sender wrote
        raise UndecodableError(f"metadata that is none: {error!r:.200}") from error


def _refresh(belief: Belief, pinned_root: str, bundle: Bundle, now: float) -> Belief:
    ram = _RAM if _RAM.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="fleetloop-trust-", dir=ram) as name:
        folder = Path(name)
        for file, text in belief.files.items():
            (folder / file).write_bytes(text.encode())
        updater = Updater(
            name,
            BASE,
            fetcher=BundleFetcher(bundle),
            config=_CONFIG,
            bootstrap=(belief.root or pinned_root).encode(),
        )
        at = datetime.fromtimestamp(min(max(now, 0.0), _LAST_S), UTC)
        updater._trusted_set.reference_time = at  # noqa: SLF001  # it would ask a clock that may be wrong
        updater.refresh()
        return _read(belief, folder)


def _read(before: Belief, folder: Path) -> Belief:
    """The client's folder after a refresh, and whether it has not leapt.

    Raises:
        FastForwardError: Versions or times that no later metadata could follow.
    """
    names = ("root", "timestamp", "snapshot", "targets")
    texts = {name: (folder / f"{name}.json").read_text("utf-8") for name in names}
    root = Metadata[Root].from_bytes(texts["root"].encode()).signed
    timestamp = Metadata[Timestamp].from_bytes(texts["timestamp"].encode()).signed
    snapshot = Metadata[Snapshot].from_bytes(texts["snapshot"].encode()).signed
    targets = Metadata[Targets].from_bytes(texts["targets"].encode()).signed
    for signed in (timestamp, snapshot, targets):
        if signed.version > before.version + MOST_VERSIONS:
            raise FastForwardError(
                f"{signed.type} has leapt from {before.version} to version {signed.version}: a key"
                " may be stolen, rotate it with `fleetloop keys rotate`"
            )
    issued_at = timestamp.unrecognized_fields.get(ISSUED_AT, 0)
    if not isinstance(issued_at, int):
        raise UndecodableError(f"{issued_at!r:.80} is no time of signing")
    if issued_at > root.expires.timestamp():
        raise FastForwardError("the timestamp was signed after its root has expired")
    return msgspec.structs.replace(
        before,
        **texts,
        version=timestamp.version,
        expires_at=min(s.expires.timestamp() for s in (root, timestamp, snapshot, targets)),
        time_floor=max(before.time_floor, float(issued_at)),
    )


def _refused(error: Exception) -> RefusedError:
    for kind, ours, words in _CLASSES:
        if isinstance(error, kind):
            return ours(f"{words} ({error!s:.200})")
    return UndecodableError(f"metadata that is none or not whole ({error!s:.200})")
