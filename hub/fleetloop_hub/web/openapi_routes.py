"""Serves the documents of the API and of what is said over MQTT, each made once."""

import functools
from typing import Any

from flask import Blueprint, Response, current_app

from fleetloop_hub.web import asyncapi
from fleetloop_hub.web.access import PUBLIC, needs
from fleetloop_hub.web.openapi import document
from fleetloop_hub.web.speaking import JSON, Speaks
from fleetloop_shared.codec import encode


def openapi_routes() -> Blueprint:
    """The routes that whoever reaches the hub may ask: the documents tell nothing of this hub."""
    routes = Blueprint("openapi", __name__, url_prefix="/api/v1")

    @functools.cache
    def made() -> bytes:
        return encode(document(current_app))

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
        return Response(made(), content_type=JSON)

    return routes
