"""A page of the console: the shell around it, or only the part of it that changes."""

import math
import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlencode

from flask import Flask, Response, g, render_template, request

from fleetloop_hub.web import menu
from fleetloop_hub.web.access import may
from fleetloop_hub.web.fragments import HEADER

T = TypeVar("T")

_PAGE = 100


@dataclass(frozen=True)
class Crumb:
    """A step on the way to a page.

    Attributes:
        name: As it is called.
        path: Where it is, "" if it is no page.
    """

    name: str
    path: str = ""


@dataclass(frozen=True)
class Place:
    """Where a page is.

    Attributes:
        section: The entry of the menu that it belongs to.
        crumbs: The way to it from the overview, itself the last.
        again: Where its block `live` is fetched anew, "" for its own address.
    """

    section: str
    crumbs: list[Crumb] = field(default_factory=list)
    again: str = ""


@dataclass(frozen=True)
class Paging(Generic[T]):
    """One page of a list.

    Attributes:
        items: What stands on it.
        number: Which it is, from 1.
        pages: How many there are, 1 for an empty list.
        total: How many items there are in all.
    """

    items: list[T]
    number: int
    pages: int
    total: int

    @property
    def first(self) -> int:
        """The number of its first item, from 1."""
        return (self.number - 1) * _PAGE + 1

    @property
    def last(self) -> int:
        """The number of its last item."""
        return self.first + len(self.items) - 1


def page(
    template: str, at: Place, topics: tuple[str, ...] = (), *, plots: bool = False, **told: object
) -> Response:
    """Answer with a page, or with its block `live` where htmx asks for that.

    Args:
        template: It extends `layout` and fills the blocks of shell.html.
        at: Where the page is.
        topics: What its block `live` shows; it is fetched anew when one of them changes.
        plots: Whether it has plots that a script draws.
        told: What the template needs.
    """
    part = HEADER in request.headers
    g.topics = topics
    text = render_template(
        template,
        layout="fragment.html" if part else "shell.html",
        section=at.section,
        crumbs=at.crumbs,
        topics=topics,
        plots=plots,
        at=time.time(),
        here=at.again or request.full_path.rstrip("?"),
        **told,
    )
    answer = Response(text, content_type="text/html; charset=utf-8")
    answer.vary.add(HEADER)
    return answer


def paged(items: list[T]) -> Paging[T]:
    """The page of a list that `?page=` asks for; one that is not there is the nearest."""
    pages = max(1, math.ceil(len(items) / _PAGE))
    number = min(max(1, request.args.get("page", 1, int)), pages)
    return Paging(items[(number - 1) * _PAGE : number * _PAGE], number, pages, len(items))


def ordered_by(allowed: tuple[str, ...], default: str) -> tuple[str, bool]:
    """What `?sort=` asks for: the name, and whether the largest come first (`?sort=-name`)."""
    asked = request.args.get("sort", default)
    name = asked.removeprefix("-")
    if name not in allowed:
        asked, name = default, default.removeprefix("-")
    return name, asked.startswith("-")


def register(app: Flask) -> None:
    """Let every template know who asks, the menu, and how to say this address with a change."""
    groups = menu.served(app)
    sign_in = menu.serves(app, "/sign-in")
    app.context_processor(lambda: {"menu": groups, "sign_in": sign_in, "asking": g.get("who")})
    app.add_template_global(may, "may")
    app.add_template_global(lambda path: menu.serves(app, path.partition("?")[0]), "serves")
    app.add_template_global(_here_with, "here_with")


def _here_with(**changes: object) -> str:
    """This address with these parameters; None takes one away."""
    kept = {k: v for k, v in request.args.items(multi=True) if k not in changes}
    asked = kept | {k: str(v) for k, v in changes.items() if v is not None}
    return f"{request.path}?{urlencode(asked)}" if asked else request.path
