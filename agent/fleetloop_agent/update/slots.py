"""Models on this disk, named by their content and verified whenever they are read.

Nothing gets its name here before the image repository has listed its hash, so that a file whose
bytes are those of its name is one that was released.
"""

from pathlib import Path

from fleetloop_agent.errors import SlotError
from fleetloop_agent.update.journal import Slot
from fleetloop_shared import durable
from fleetloop_shared.codec import decode
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import DiskFaultError, RefusedError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.manifest_check import check

ARTIFACTS = Path("artifacts")
MANIFESTS = Path("manifests")


def artifact_path(sha256: str) -> Path:
    """Where an artifact is kept."""
    return ARTIFACTS / f"{sha256}.onnx"


def manifest_path(sha256: str) -> Path:
    """Where a manifest is kept, as it was received."""
    return MANIFESTS / f"{sha256}.json"


def slot_of(manifest: Manifest, manifest_sha256: str) -> Slot:
    """What a manifest describes, as the journal names it."""
    return Slot(
        model=manifest.model,
        version=manifest.version,
        artifact=manifest.sha256,
        manifest=manifest_sha256,
    )


class Slots:
    """The models of this device."""

    def __init__(self, disk: Disk) -> None:
        """Nothing is read yet.

        Args:
            disk: The state folder.
        """
        self._disk = disk

    def keep_manifest(self, payload: bytes) -> None:
        """Make a manifest durable under its hash.

        Raises:
            DiskFullError: No room.
        """
        durable.replace(self._disk, manifest_path(sha256_hex(payload)), payload)

    def keep_artifact(self, artifact: bytes) -> None:
        """Make an artifact durable under its hash: synced, then named, then the folder synced.

        Raises:
            DiskFullError: No room.
        """
        durable.replace(self._disk, artifact_path(sha256_hex(artifact)), artifact)

    def manifest_bytes(self, sha256: str) -> bytes:
        """A manifest as it was received.

        Raises:
            SlotError: Not there, or damaged.
        """
        return self._read(manifest_path(sha256), sha256)

    def artifact(self, sha256: str) -> bytes:
        """An artifact.

        Raises:
            SlotError: Not there, or damaged.
        """
        return self._read(artifact_path(sha256), sha256)

    def load(self, slot: Slot) -> tuple[Manifest, bytes]:
        """A model that may be served: its bytes are those of its names, now.

        Raises:
            SlotError: Something is not there, or damaged.
        """
        manifest = self._manifest(slot.manifest)
        if manifest.sha256 != slot.artifact:
            raise SlotError(f"manifest {slot.manifest[:12]} on this disk is of another artifact")
        return manifest, self.artifact(slot.artifact)

    def survey(self) -> list[tuple[Slot, Manifest]]:
        """Every whole model on this disk, newest version first."""
        found = []
        for name in self._disk.names(MANIFESTS):
            sha256 = name.removesuffix(".json")
            try:
                manifest = self._manifest(sha256)
                self.artifact(manifest.sha256)
            except SlotError:
                continue
            found.append((slot_of(manifest, sha256), manifest))
        return sorted(found, key=lambda pair: pair[1].version, reverse=True)

    def collect(self, keep: list[Slot]) -> None:
        """Take away every artifact and manifest but those of `keep`."""
        wanted = {path for slot in keep for path in _paths(slot)}
        for folder in (ARTIFACTS, MANIFESTS):
            for name in self._disk.names(folder):
                if folder / name not in wanted:
                    durable.discard(self._disk, folder / name)

    def discard(self, slot: Slot, keep: list[Slot]) -> None:
        """Take one model away, but for what `keep` has in common with it."""
        named = {path for other in keep for path in _paths(other)}
        for path in _paths(slot):
            if path not in named and path.name in self._disk.names(path.parent):
                durable.discard(self._disk, path)

    def _manifest(self, sha256: str) -> Manifest:
        try:
            payload = self.manifest_bytes(sha256)
            return check(decode(payload, Manifest))
        except RefusedError as error:
            raise SlotError(f"manifest {sha256[:12]} on this disk: {error}") from error

    def _read(self, path: Path, sha256: str) -> bytes:
        try:
            data = self._disk.read(path)
        except FileNotFoundError as error:
            raise SlotError(f"{path} is not on this disk") from error
        except DiskFaultError as error:
            raise SlotError(f"{path} cannot be read: {error}") from error
        if sha256_hex(data) != sha256:
            raise SlotError(f"{path} is damaged: its bytes are not those its name says")
        return data


def _paths(slot: Slot) -> tuple[Path, Path]:
    return artifact_path(slot.artifact), manifest_path(slot.manifest)
