"""What exists: the image repository's list of every version that may go to devices."""

from msgspec.structs import replace

from fleetloop_hub.delivery.director import Statement
from fleetloop_hub.fleet_records import Awaited, Listing
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Version, VersionState
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import manifest_target

_KEY = "image"
_MAY_GO = frozenset({VersionState.READY, VersionState.RELEASED})
_GONE = frozenset({VersionState.ARCHIVED, VersionState.DELETED})


class Image:
    """Has the repository list what the catalog says, and remembers who waits for a signature."""

    def __init__(self, catalog: Catalog, blobs: Blobs, trust: Trust) -> None:
        """Nothing is signed until `statement` is called."""
        self._catalog, self._blobs, self._trust = catalog, blobs, trust

    def statement(self, now: float) -> Statement:
        """The bundle that lists what may go to devices now; durable before it is returned.

        Where people's signatures are missing it is the one that they have signed last.
        """
        named = {
            manifest_target(v.model, v.number): (v.manifest_bytes, v.manifest)
            for v in self._catalog.all(Version)
            if v.manifest is not None and v.state not in _GONE
        }
        self._trust.list_files(named, now)
        payload = self._trust.image_bundle()
        kept, sha256 = self._catalog.find(Listing, _KEY), sha256_hex(payload)
        if kept is None or kept.statement != sha256:
            self._blobs.put(payload)
            self._catalog.put(Listing(key=_KEY, statement=sha256))
        return Statement(Topic.IMAGE.at(), payload)

    def check(self, version: Version) -> None:
        """See that devices can know of a version.

        Raises:
            GateError: It waits for signatures; the text says whose.
        """
        name = f"{version.model}@{version.number}"
        self._trust.check_listed(manifest_target(version.model, version.number), name)

    def lists(self, version: Version) -> bool:
        """Whether devices can know of a version."""
        return self._trust.lists(manifest_target(version.model, version.number))

    def await_signatures(self, version: Version, cohorts: list[str], decision: str) -> None:
        """Remember where a version should go as soon as people have signed it, and by what."""
        self._catalog.put(Awaited(key=version.key, cohorts=cohorts, decision=decision))

    def signed_meanwhile(self) -> list[tuple[Version, str, str]]:
        """Versions that were waited for and can go now, to which cohort, and by what decision.

        One that has been released before is among them: it is gone back to.
        """
        found = []
        for awaited in self._catalog.all(Awaited):
            version = self._catalog.find(Version, awaited.key) if awaited.cohorts else None
            if version is not None and version.state in _MAY_GO and self.lists(version):
                found += [(version, cohort, awaited.decision) for cohort in awaited.cohorts]
        return found

    def gone_to(self, version: Version, cohort: str) -> None:
        """Forget a way that a version was to go: it is going."""
        awaited = self._catalog.find(Awaited, version.key)
        if awaited is not None:
            left = [c for c in awaited.cohorts if c != cohort]
            self._catalog.put(replace(awaited, cohorts=left))
