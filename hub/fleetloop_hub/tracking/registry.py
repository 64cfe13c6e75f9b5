"""Model versions and their aliases; a version is signed only if every gate has passed."""

import msgspec

from fleetloop_hub.errors import GateError
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Alias, Version, VersionState
from fleetloop_hub.tracking.standing import hindrance, standing
from fleetloop_hub.tracking.unknown import no_version
from fleetloop_hub.training.job import Champion
from fleetloop_hub.training.runs import Finished
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.manifest import Manifest

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"

_PUT_ASIDE = frozenset({VersionState.ARCHIVED, VersionState.DELETED})


class Registry:
    """Every version there is, and which is champion and challenger."""

    def __init__(self, catalog: Catalog, blobs: Blobs) -> None:
        """Nothing is made here; see `register`.

        Args:
            catalog: Has versions, aliases and runs.
            blobs: Have what they name.
        """
        self.catalog, self.blobs = catalog, blobs

    def next_number(self, model: str) -> int:
        """The number of the next version of a model."""
        return 1 + max((v.number for v in self.versions(model)), default=0)

    def versions(self, model: str) -> list[Version]:
        """Every version of a model, oldest first."""
        return [v for v in self.catalog.all(Version) if v.model == model]

    def register(self, finished: Finished, now: float) -> Version:
        """Keep a run and the version it has made, signed if its gates let it through.

        Both are kept or none of them: a run that has finished always has its version.
        """
        result = finished.result
        manifest = result.manifest
        version = Version(
            key=f"{manifest.model}/{manifest.version}",
            model=manifest.model,
            number=manifest.version,
            state=VersionState.BLOCKED,
            run=result.run.key,
            dataset=manifest.dataset,
            artifact=self.blobs.put(finished.artifact),
            manifest=None,
            manifest_bytes=0,
            transport=self.blobs.put(finished.encoded),
            gates=result.gates,
            parity=result.parity,
            metrics=result.run.metrics,
            decision=finished.decision,
            created_at=now,
            task=manifest.signature.task,
            evidence=result.evidence,
            needs_approval=result.needs_approval,
            unsigned=self.blobs.put(encode(manifest)),
        )
        version = msgspec.structs.replace(version, state=standing(version))
        if version.state is not VersionState.READY:
            self.catalog.put(result.run, version)
            return version
        version = msgspec.structs.replace(
            version, manifest=version.unsigned, manifest_bytes=len(encode(manifest))
        )
        self.catalog.put(result.run, version, _alias(version, CHALLENGER))
        return version

    def releasable(self, model: str, number: int) -> Version:
        """The version, if it may go to devices.

        Raises:
            AbsentError: There is none.
            GateError: A gate blocks it; the text says which.
        """
        version = self.catalog.find(Version, f"{model}/{number}")
        if version is None:
            raise no_version(self.catalog, model, number)
        if version.state in _PUT_ASIDE:
            raise GateError(f"{version.key} is {version.state}: roll out another one, or train")
        if version.manifest is None:
            raise GateError(hindrance(version))
        return version

    def champion(self, model: str) -> Version | None:
        """The version that the fleet is meant to run."""
        alias = self.catalog.find(Alias, f"{model}/{CHAMPION}")
        return None if alias is None else self.catalog.find(Version, f"{model}/{alias.version}")

    def manifest(self, version: Version) -> Manifest:
        """What is signed about a version.

        Raises:
            GateError: Nothing is: a gate blocks it.
        """
        if version.manifest is None:
            raise GateError(hindrance(version))
        return decode(self.blobs.get(version.manifest), Manifest)

    def to_beat(self, version: Version) -> Champion:
        """A version as a run compares itself with it.

        Raises:
            GateError: Nothing is signed about it.
            BlobError: Its artifact is gone.
        """
        return Champion(
            path=str(self.blobs.path(version.artifact).absolute()),
            sha256=version.artifact,
            signature=self.manifest(version).signature,
        )

    def crown(self, version: Version) -> None:
        """The version has taken over: it is the champion now, and the champion is the previous."""
        released = msgspec.structs.replace(version, state=VersionState.RELEASED)
        before = self.champion(version.model)
        moved = [] if before is None or before.key == version.key else [_alias(before, PREVIOUS)]
        self.catalog.put(released, _alias(version, CHAMPION), *moved)

    def withdraw(self, version: Version) -> None:
        """The version was reverted in the field; the champion stays what it was."""
        self.catalog.put(msgspec.structs.replace(version, state=VersionState.REVERTED))


def _alias(version: Version, name: str) -> Alias:
    return Alias(key=f"{version.model}/{name}", version=version.number)
