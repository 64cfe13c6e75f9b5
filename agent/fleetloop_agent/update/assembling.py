"""From chunks to a file: a manifest as a blob of one chunk, and an artifact out of its chunks."""

from fleetloop_agent.update.download import Download
from fleetloop_agent.update.slots import Slots
from fleetloop_shared.chunks import unpack
from fleetloop_shared.codec import MAX_MESSAGE_BYTES
from fleetloop_shared.errors import ChunkError, MixAndMatchError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Manifest, Transport
from fleetloop_shared.messages import Release


def assemble(download: Download, found: Manifest, slots: Slots) -> None:
    """From chunks to the artifact, durable under its own hash.

    Raises:
        ChunkError: The disk has changed the chunks; they are taken away.
        RefusedError: The chunks are the signed ones and are not the signed artifact.
        DiskFullError: No room.
    """
    try:
        artifact = unpack(found.transport, download.part.read(), found.length_bytes)
    except ChunkError:
        download.part.discard()
        raise
    if len(artifact) != found.length_bytes or sha256_hex(artifact) != found.sha256:
        raise MixAndMatchError(f"{found.model} {found.version}: its chunks make another file")
    slots.keep_artifact(artifact)


def whole(release: Release) -> Transport:
    """A manifest as a blob of one chunk, as long as the statement says."""
    length_bytes = max(1, min(release.manifest_bytes, MAX_MESSAGE_BYTES))
    return Transport(
        encoding="identity",
        sha256=release.manifest_sha256,
        length_bytes=length_bytes,
        chunk_bytes=length_bytes,
        chunks=[release.manifest_sha256],
    )
