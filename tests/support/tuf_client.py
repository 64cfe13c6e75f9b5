"""A device as The Update Framework has it: the client of python-tuf, fed from bundles."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.trust import Bundle

_BASE = "bundle:/"


class _Fetcher(FetcherInterface):
    def __init__(self, bundle: Bundle) -> None:
        self._files = {
            f"{number}.root.json": text for number, text in enumerate(bundle.roots, 1)
        } | {
            "timestamp.json": bundle.timestamp,
            "snapshot.json": bundle.snapshot,
            "targets.json": bundle.targets,
        }

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = url.removeprefix(_BASE).removeprefix("/")
        if name not in self._files:
            raise DownloadHTTPError(f"no {name}", 404)
        return iter([self._files[name].encode()])


class TufClient:
    """One device and what it has believed so far."""

    def __init__(self, folder: Path, pinned: str) -> None:
        """Pin a root."""
        self._folder, self._pinned = folder, pinned
        folder.mkdir(parents=True)

    def take(self, payload: bytes, now: float, path: str = "none") -> tuple[int, str] | None:
        """Believe a bundle; returns length and SHA-256 of the file that it lists at `path`.

        Raises:
            RepositoryError: A check of the client's has failed.
        """
        fetcher = _Fetcher(decode_compressed(payload, Bundle))
        updater = Updater(
            str(self._folder), _BASE, fetcher=fetcher, bootstrap=self._pinned.encode()
        )
        updater._trusted_set.reference_time = datetime.fromtimestamp(now, UTC)
        updater.refresh()
        found = updater.get_targetinfo(path)
        return None if found is None else (found.length, found.hashes["sha256"])
