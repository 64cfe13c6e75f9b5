"""Serves the documents of the API and of what is said over MQTT, each made once."""

import functools
from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app

from fleetloop_hub.web import asyncapi
from fleetloop_hub.web.access import PUBLIC, needs
from fleetloop_hub.web.openapi import document
from fleetloop_hub.web.speaking import JSON, Speaks
from fleetloop_shared.codec import encode

_MADE = "fleetloop-openapi"


def openapi_routes() -> Blueprint:
    """The routes that whoever reaches the hub may ask: the documents tell nothing of this hub."""
    routes = Blueprint("openapi", __name__, url_prefix="/api/v1")

    @functools.cache
    def made_of_topics() -> bytes:
        return encode(asyncapi.document())

    @routes.get("/asyncapi.json")
    @needs(PUBLIC)
    @Speaks(gives=dict[str, Any])
    def mqtt() -> Response:
        """What is said over MQTT, as an AsyncAPI 3.0 document."""
        return Response(made_of_topics(), content_type=JSON)

    @routes.get("/openapi.json")
    @needs(PUBLIC)
    @Speaks(gives=dict[str, Any])
    def openapi() -> Response:
        """This document."""
        return Response(encode(told(current_app)), content_type=JSON)

    return routes


def told(app: Flask) -> dict[str, Any]:
    """The document of an application, which is made when it is first asked for."""
    if _MADE not in app.extensions:
        app.extensions[_MADE] = document(app)
    return cast("dict[str, Any]", app.extensions[_MADE])
