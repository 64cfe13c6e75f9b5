"""People and tokens on the terminal."""

import time

from rich.table import Table
from rich.text import Text

from fleetloop_hub.people.views import PersonView, TokenView
from fleetloop_hub.tables.forms import table
from fleetloop_hub.web.words import ago, exactly


def people_table(people: list[PersonView]) -> Table:
    """A line a person."""
    shown = table("name", "role", "stands", "signed in", wraps="name")
    for one in people:
        stands = "one-time password" if one.one_time else "may sign in"
        seen = "never" if one.seen_at is None else ago(one.seen_at, time.time())
        if one.disabled_at is not None:
            stands = "disabled"
        shown.add_row(Text(one.name), one.role, stands, seen)
    return shown


def tokens_table(tokens: list[TokenView]) -> Table:
    """A line a token."""
    shown = table("id", "for", "role", "whose", "stands", "last used", "good until", wraps="for")
    for one in tokens:
        over = one.expires_at < time.time()
        stands = "revoked" if one.revoked_at is not None else "expired" if over else "good"
        whose = one.person or "a program"
        used = "never" if one.used_at is None else ago(one.used_at, time.time())
        told = (one.key, Text(one.name), one.role, Text(whose), stands, used)
        shown.add_row(*told, exactly(one.expires_at))
    return shown
