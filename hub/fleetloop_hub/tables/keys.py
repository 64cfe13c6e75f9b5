"""Keys, thresholds and expiries as tables."""

from rich.table import Table
from rich.text import Text

from fleetloop_hub.tables.forms import table
from fleetloop_hub.trust.shown import KeyView, Threshold
from fleetloop_hub.web.words import exactly

_ID_DIGITS = 12


def keys_table(keys: list[KeyView]) -> Table:
    """A line a key."""
    shown = table("repository", "signs", "key", "where", "", wraps="where")
    for key in keys:
        fades = "" if key.standing == "in use" else "yellow"
        shown.add_row(
            key.repository,
            ", ".join(key.roles),
            key.keyid[:_ID_DIGITS],
            key.where if key.where.startswith("hub") else f"{key.where}, {key.name}.pem",
            Text(key.standing, fades),
        )
    return shown


def thresholds_table(thresholds: list[Threshold]) -> Table:
    """A line a role."""
    shown = table("repository", "role", "signatures", "by", "holds until", wraps="holds until")
    for row in thresholds:
        shown.add_row(
            row.repository,
            row.role,
            f"{row.threshold} of {row.keys}",
            "people" if row.by_people else "the hub",
            "signed for each cohort" if row.expires_at is None else exactly(row.expires_at),
        )
    return shown
