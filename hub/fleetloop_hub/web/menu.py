"""The menu: the pages of the console, in the order of the loop."""

from dataclasses import dataclass

from flask import Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect


@dataclass(frozen=True)
class Entry:
    """A page that the menu leads to.

    Attributes:
        section: What a page of this part of the console says it belongs to.
        name: As it is called.
        path: Where it is.
        key: What follows `g` to go there, "" for none.
    """

    section: str
    name: str
    path: str
    key: str = ""


@dataclass(frozen=True)
class Group:
    """Pages that belong together.

    Attributes:
        name: As they are called.
        entries: The pages.
    """

    name: str
    entries: tuple[Entry, ...]


MENU = (
    Group(
        "Fleet",
        (
            Entry("overview", "Overview", "/", "o"),
            Entry("devices", "Devices", "/devices", "d"),
            Entry("rollouts", "Rollouts", "/rollouts", "r"),
            Entry("monitoring", "Monitoring", "/monitoring", "m"),
            Entry("fairness", "Fairness", "/fairness"),
            Entry("alerts", "Alerts", "/alerts", "a"),
            Entry("attempts", "Refused", "/attempts", "x"),
        ),
    ),
    Group(
        "Models",
        (
            Entry("data", "Data", "/data", "t"),
            Entry("labels", "Labels", "/labels", "l"),
            Entry("runs", "Runs", "/runs", "u"),
            Entry("models", "Models", "/models", "v"),
            Entry("shadows", "Shadow", "/shadows"),
            Entry("retraining", "Retraining", "/retraining"),
            Entry("decisions", "Decisions", "/decisions", "w"),
        ),
    ),
    Group(
        "Hub",
        (
            Entry("audit", "Audit", "/audit"),
            Entry("trust", "Keys", "/trust"),
            Entry("settings", "Settings", "/settings", "s"),
            Entry("api", "API", "/api"),
            Entry("system", "System", "/system", "y"),
        ),
    ),
)


def served(app: Flask) -> list[Group]:
    """The menu, with the pages that this application serves."""
    kept = (
        Group(group.name, tuple(e for e in group.entries if serves(app, e.path))) for group in MENU
    )
    return [group for group in kept if group.entries]


def serves(app: Flask, path: str) -> bool:
    """Whether the application has a page at a path."""
    try:
        app.url_map.bind("").match(path)
    except RequestRedirect:
        return True
    except (NotFound, MethodNotAllowed):
        return False
    return True
