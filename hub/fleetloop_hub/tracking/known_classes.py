"""Which classes a version can answer with: what a label of its answers may be."""

from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Version
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.manifest import Manifest


class KnownClasses:
    """Reads each version's manifest once."""

    def __init__(self, catalog: Catalog, blobs: Blobs) -> None:
        """Nothing is read yet.

        Args:
            catalog: Versions.
            blobs: Their manifests.
        """
        self._catalog, self._blobs = catalog, blobs
        self._known: dict[tuple[str, int], list[int]] = {}

    def of(self, model: str, version: int) -> list[int]:
        """The classes of a version; none of a regression, or where they cannot be told."""
        name = model, version
        if name not in self._known:
            try:
                manifest = self._manifest(model, version)
            except FleetloopError:  # the label is kept: nothing speaks against it
                return []
            if manifest is None:
                return []
            self._known[name] = manifest.signature.classes
        return self._known[name]

    def _manifest(self, model: str, number: int) -> Manifest | None:
        version = self._catalog.find(Version, f"{model}/{number}")
        sha256 = version and (version.manifest or version.unsigned)
        return decode(self._blobs.get(sha256), Manifest) if sha256 else None
