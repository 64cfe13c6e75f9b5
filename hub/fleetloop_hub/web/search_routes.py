"""Search: what begins with a name, as JSON for programs, as a page for people."""

from typing import Annotated

import msgspec
from flask import Blueprint, Response, current_app, request

from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.finding import MOST, Found, find
from fleetloop_hub.web.menu import serves
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_hub.web.speaking import JSON, Query, Speaks, asked
from fleetloop_shared.codec import encode

_LONGEST = 200


class SearchAsk(Query, frozen=True, kw_only=True):
    """What is sought.

    Attributes:
        q: A name, or how it begins.
        limit: No more than so many.
    """

    q: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = MOST


class FoundAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        found: What has the name first, then what begins so, then what has a part that does.
    """

    found: list[Found]


def search_routes(catalog: Catalog) -> Blueprint:
    """The routes."""
    routes = Blueprint("search", __name__)

    @routes.get("/api/v1/search")
    @needs(Role.VIEWER)
    @Speaks(query=SearchAsk, gives=FoundAnswer)
    def told() -> Response:
        """Devices, cohorts, models, versions, runs, rollouts, data and alerts by their names."""
        wanted = asked(SearchAsk)
        found = FoundAnswer(found=find(catalog, wanted.q, wanted.limit))
        return Response(encode(found), content_type=JSON)

    @routes.get("/search")
    @needs(Role.VIEWER)
    def shown() -> Response:
        """What begins with what was typed, by kind."""
        sought = request.args.get("q", "")[:_LONGEST]
        found = [one for one in find(catalog, sought) if serves(current_app, one.path)]
        kinds = list(dict.fromkeys(one.kind for one in found))
        return page(
            "search/search.html",
            Place("", [Crumb("Search")]),
            sought=sought,
            groups=[(kind, [one for one in found if one.kind == kind]) for kind in kinds],
        )

    return routes
