"""Who may do what at the hub."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody may do; whoever has a role may do all that stands before it.

    VIEWER reads; OPERATOR trains, labels, enrols and rolls out; APPROVER lets versions, runs and
    rollouts pass and lifts quarantines; ADMIN rules over people, keys and what is given up.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Whether this role may do what another may.

        >>> Role.OPERATOR.covers(Role.VIEWER), Role.OPERATOR.covers(Role.ADMIN)
        (True, False)
        """
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)
