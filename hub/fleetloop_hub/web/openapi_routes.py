"""Serves the document of the API, made once of all routes."""

import functools
from typing import Any

from flask import Blueprint, Response, current_app

from fleetloop_hub.web.access import PUBLIC, needs
from fleetloop_hub.web.openapi import document
from fleetloop_hub.web.speaking import JSON, Speaks
from fleetloop_shared.codec import encode


def openapi_routes() -> Blueprint:
    """The route that whoever reaches the hub may ask: the document tells nothing of this hub."""
    routes = Blueprint("openapi", __name__, url_prefix="/api/v1")

    @functools.cache
    def made() -> bytes:
        return encode(document(current_app))

    @routes.get("/openapi.json")
    @needs(PUBLIC)
    @Speaks(gives=dict[str, Any])
    def openapi() -> Response:
        """This document."""
        return Response(made(), content_type=JSON)

    return routes
