"""What several commands ask the hub: its versions, its runs, how far it is."""

import msgspec

from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.remote import Remote
from fleetloop_hub.tracking.summaries import RunSummary


class Status(msgspec.Struct, frozen=True):
    """How far the run is that is under way.

    Attributes:
        training: The run and what it does, in words; None if none is under way.
        training_share: Of its work that is done, 0 to 1.
        training_left_s: Seconds that this stretch of it may still take.
    """

    training: str | None
    training_share: float | None = None
    training_left_s: float | None = None


def versions(remote: Remote) -> list[VersionView]:
    """Every version, newest first.

    Raises:
        RemoteError: The hub does not answer.
    """
    return remote.listed("/versions", "versions", VersionView)


def runs(remote: Remote, query: str = "", most: int | None = None) -> list[RunSummary]:
    """Runs in brief, newest first.

    Args:
        remote: The hub.
        query: Narrows them: "?model=rain".
        most: No more than so many; None is all.

    Raises:
        RemoteError: The hub does not answer.
    """
    return remote.listed(f"/runs{query}", "runs", RunSummary, most)


def status(remote: Remote) -> Status:
    """How far the hub is.

    Raises:
        RemoteError: The hub does not answer.
    """
    return remote.get("/status", Status)
