"""What exists: the image repository's list of every version that may go to devices."""

from fleetloop_hub.delivery.director import Statement
from fleetloop_hub.fleet_records import Listing
from fleetloop_hub.keys import Keys, Role
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Version, VersionState
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import manifest_target

_KEY = "image"
_GONE = frozenset({VersionState.ARCHIVED, VersionState.DELETED})


class Image:
    """Signs the list anew when it has changed, under a version that never goes back."""

    def __init__(self, catalog: Catalog, blobs: Blobs, keys: Keys) -> None:
        """Nothing is signed until `statement` is called."""
        self._catalog, self._blobs, self._keys = catalog, blobs, keys

    def statement(self, now: float) -> Statement:
        """The bundle that lists what may go to devices now; durable before it is returned."""
        named = {
            manifest_target(v.model, v.number): v.manifest
            for v in self._catalog.all(Version)
            if v.manifest is not None and v.state not in _GONE
        }
        kept = self._catalog.find(Listing, _KEY)
        if kept is None or kept.files != named:
            version = 1 if kept is None else kept.version + 1
            files = {path: self._blobs.get(sha256) for path, sha256 in named.items()}
            payload = self._keys.issue(Role.IMAGE, version, now, files, carried=False)
            kept = Listing(
                key=_KEY, version=version, files=named, statement=self._blobs.put(payload)
            )
            self._catalog.put(kept)
        return Statement(Topic.IMAGE.at(), self._blobs.get(kept.statement))
