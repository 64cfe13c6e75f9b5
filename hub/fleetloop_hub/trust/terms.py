"""The words of signed metadata: repositories and roles."""

from enum import StrEnum


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
