"""The HTTP API of keys and signatures: what waits, rotate, revoke, and what people have signed."""

import time
from http import HTTPStatus
from typing import Annotated

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.people_records import Role
from fleetloop_hub.trust.shown import PersonSignature, TrustView
from fleetloop_hub.trust.terms import Repository
from fleetloop_hub.trust.trust import Trust
from fleetloop_hub.web import guard
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.speaking import Speaks
from fleetloop_shared.codec import encode

_SMALL_BYTES = 16_384
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}(?![\s\S])")]
Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8,64}(?![\s\S])")]


class RotateAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New keys for a repository.

    Attributes:
        repository: Which.
        people: Public halves of keys that people hold, hexadecimal, by name; empty to make those
            anew that lie on the hub.
        threshold: How many of the people must sign.
        on_hub: Whether to take people's keys out, and have all on the hub.
    """

    repository: Repository
    people: Annotated[dict[Name, str], msgspec.Meta(max_length=20)] = {}
    threshold: int = 1
    on_hub: bool = False


class RevokeAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to be taken out.

    Attributes:
        keyid: Its id, or how it begins.
    """

    keyid: Digits


def reading_keys(trust: Trust) -> Blueprint:
    """The route that whoever reaches the hub may ask: no private half is on it."""
    api = Blueprint("reading_keys", __name__, url_prefix="/api/v1")

    @api.get("/keys")
    @needs(Role.VIEWER)
    @Speaks(gives=TrustView)
    def keys() -> Response:
        """Who may say what, until when, and what waits for signatures."""
        return _json(trust.view(time.time()))

    return api


def changing_keys(actions: HubActions, trust: Trust) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing_keys", __name__, url_prefix="/api/v1")

    @api.post("/keys/rotations")
    @needs(Role.ADMIN)
    @Speaks(
        takes=RotateAsk,
        example={"repository": "director"},
        gives=TrustView,
        status=HTTPStatus.CREATED,
    )
    def rotate() -> Response:
        """Begin to use new keys for a repository."""
        asked = guard.body(RotateAsk, _SMALL_BYTES)
        with actions.held():
            if asked.on_hub:
                trust.take_back(asked.repository, time.time())
            else:
                trust.rotate(asked.repository, asked.people, asked.threshold, time.time())
        return _json(trust.view(time.time()), HTTPStatus.CREATED)

    @api.post("/keys/revocations")
    @needs(Role.ADMIN)
    @Speaks(
        takes=RevokeAsk, example={"keyid": "0123abcd"}, gives=TrustView, status=HTTPStatus.CREATED
    )
    def revoke() -> Response:
        """Take a key out of use."""
        asked = guard.body(RevokeAsk, _SMALL_BYTES)
        with actions.held():
            trust.revoke(asked.keyid, time.time())
        return _json(trust.view(time.time()), HTTPStatus.CREATED)

    @api.post("/keys/signatures")
    @needs(Role.ADMIN)
    @Speaks(
        takes=PersonSignature,
        example={
            "repository": "image",
            "role": "root",
            "version": 2,
            "keyid": "0123abcd",
            "signature": "00",
        },
        gives=TrustView,
        status=HTTPStatus.CREATED,
    )
    def sign() -> Response:
        """Hand in the signature that a person has made elsewhere."""
        asked = guard.body(PersonSignature, _SMALL_BYTES)
        with actions.held():
            trust.sign(asked, time.time())
        return _json(trust.view(time.time()), HTTPStatus.CREATED)

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
