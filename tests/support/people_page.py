"""Writes the table of docs/people.md from what routes declare; `make docs` runs it."""

import re
import sys
import tempfile
from pathlib import Path

from flask import Flask

from fleetloop_hub.people_records import Role
from fleetloop_hub.web import access
from fleetloop_shared.durable import RealDisk, replace
from support.hubweb import web_hub

BEGIN = "<!-- made by make docs: who may do what -->"
END = "<!-- end of what make docs makes -->"


def filled(page: str, app: Flask) -> str:
    """A page with the table between its marks."""
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n\n{_table(app)}\n{END}{after}"


def _table(app: Flask) -> str:
    """A line for each deed of the interface, by the least role that may do it."""
    lines = ["| from | may | route below `/api/v1` |", "|---|---|---|"]
    for role, told, route in sorted(_deeds(app), key=lambda deed: (_rank(deed[0]), deed[2])):
        lines.append(f"| {role} | {told} | `{route}` |")
    return "\n".join(lines) + "\n"


def _deeds(app: Flask) -> list[tuple[Role, str, str]]:
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        role = access.needed(view)
        if not isinstance(role, Role) or not rule.rule.startswith("/api/v1/"):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if method != "GET" or role is not Role.VIEWER:
                told = (view.__doc__ or "").partition("\n")[0].rstrip(".").replace("|", "\\|")
                found.append((role, told, f"{method} {path}"))
    return found


def _rank(role: Role) -> int:
    return list(Role).index(role)


if __name__ == "__main__":
    where = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, web_hub(Path(folder)) as hub:
        text = filled(where.read_text("utf-8"), hub.client().application)
    replace(RealDisk(where.parent), Path(where.name), text.encode())
