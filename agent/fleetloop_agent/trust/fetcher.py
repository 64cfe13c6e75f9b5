"""Serves a bundle's files to the TUF client: what the bundle lacks is absent at once, not late."""

from collections.abc import Iterator

from tuf.api.exceptions import DownloadHTTPError

from fleetloop_agent.trust.tuf_client import FetcherInterface
from fleetloop_shared.trust import Bundle

BASE = "bundle:/"
"""Stands where a server's address would."""

_ABSENT = 404
_ROOT = ".root.json"


class BundleFetcher(FetcherInterface):
    """A repository that is one message."""

    def __init__(self, bundle: Bundle) -> None:
        """Serve from a bundle.

        Args:
            bundle: All there is.
        """
        self._bundle = bundle

    def _fetch(self, url: str) -> Iterator[bytes]:
        text = self._text(url.removeprefix(BASE).removeprefix("/"))
        if text is None:
            raise DownloadHTTPError(f"{url} is not in the bundle", _ABSENT)
        return iter([text.encode()])

    def _text(self, name: str) -> str | None:
        if name.endswith(_ROOT):
            number = int(name.removesuffix(_ROOT))
            roots = self._bundle.roots
            return roots[number - 1] if 0 < number <= len(roots) else None
        return {
            "timestamp.json": self._bundle.timestamp,
            "snapshot.json": self._bundle.snapshot,
            "targets.json": self._bundle.targets,
        }.get(name)
