"""Fetches a version that can be used anywhere: its signed manifest and its artifact."""

from fleetloop_hub.errors import RemoteError
from fleetloop_hub.records import Version
from fleetloop_hub.remote import Remote
from fleetloop_hub.scoring import given
from fleetloop_shared.manifest import Manifest


def from_hub(name: str, remote: Remote) -> tuple[Manifest, bytes]:
    """What the hub has of a version; without one in the name, of the champion, else the newest.

    Args:
        name: MODEL or MODEL@V.
        remote: The hub.

    Raises:
        RemoteError: It does not answer, or has no such version that is signed.
        DataError: What it answers is no manifest.
    """
    model, _, which = name.partition("@")
    try:
        version = remote.get(f"/versions/{model}/{which or 'champion'}", Version)
    except RemoteError:
        if which:
            raise
        version = remote.get(f"/versions/{model}/newest", Version)
    path = f"/versions/{model}/{version.number}"
    return given.manifest(remote.read(f"{path}/manifest")), remote.read(f"{path}/artifact")
