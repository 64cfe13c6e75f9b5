"""The words of signed metadata: repositories, roles, how long what was signed holds."""

from dataclasses import dataclass
from enum import StrEnum

DAY_S = 86_400.0


class Repository(StrEnum):
    """The two, after Uptane: what exists, and what a cohort should run."""

    IMAGE = "image"
    DIRECTOR = "director"


class Role(StrEnum):
    """The four roles that every repository has. Source: TUF specification 1.0.34, section 2.1."""

    ROOT = "root"
    TARGETS = "targets"
    SNAPSHOT = "snapshot"
    TIMESTAMP = "timestamp"


PEOPLE_ROLES = {
    Repository.IMAGE: (Role.ROOT, Role.TARGETS),
    Repository.DIRECTOR: (Role.ROOT,),
}
"""What keys that people hold may sign; the rest must be signed at any hour, by the hub itself."""


@dataclass(frozen=True)
class Lives:
    """How long signed metadata holds, in seconds.

    What the hub's own keys sign is signed anew at half of its life. What people sign is asked for
    `announce_s` before it ends.

    Attributes:
        root_s: Both roots.
        image_targets_s: The list of what exists.
        director_targets_s: What a cohort should run.
        snapshot_s: Which metadata belong together.
        timestamp_s: Which are the newest: as long as this can an attacker hide newer ones.
        announce_s: How early people are asked.
    """

    root_s: float = 365 * DAY_S
    image_targets_s: float = 365 * DAY_S
    director_targets_s: float = 30 * DAY_S
    snapshot_s: float = 30 * DAY_S
    timestamp_s: float = 7 * DAY_S
    announce_s: float = 30 * DAY_S

    def is_due(self, expires_at: float, life_s: float, now: float, *, people: bool) -> bool:
        """Whether to sign anew what holds until `expires_at`.

        What holds longer than it should was signed while the clock was wrong, or before somebody
        shortened its life; the hub signs that anew as well.
        """
        left_s = expires_at - now
        if people:
            return left_s < min(self.announce_s, life_s / 2)
        return not life_s / 2 <= left_s <= life_s + 60
