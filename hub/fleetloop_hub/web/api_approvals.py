"""The HTTP API of what people say to versions, and of the audit log."""

import re
import time
from http import HTTPStatus
from typing import Annotated

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.errors import AbsentError
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Audit, Catalog
from fleetloop_hub.records import Version
from fleetloop_hub.tracking.approvals import Approvals, Words
from fleetloop_hub.version_parts import Saying
from fleetloop_hub.web import answers, conditions, guard, paging
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.paging import PageAsk
from fleetloop_hub.web.schema_words import SEEN
from fleetloop_hub.web.speaking import Speaks, asked
from fleetloop_shared.codec import encode

_SMALL_BYTES = 16_384
_NUMBER = re.compile("[0-9]{1,9}")
Text = Annotated[str, msgspec.Meta(pattern=SEEN, max_length=2_000)]
Name = Annotated[str, msgspec.Meta(pattern=SEEN, max_length=100)]


class SayingAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says to a version.

    Attributes:
        saying: Approve, waive or reject.
        by: The person's name.
        reason: Why, in words.
        gate: The gate that is to be waived.
    """

    saying: Saying
    by: Name
    reason: Text
    gate: str = ""


class AuditAsk(PageAsk, frozen=True, kw_only=True):
    """Which entries are wanted.

    Attributes:
        by: Those of whoever has this in their name; empty is all.
        action: Those in which this was done.
        subject: Those in which it was done to this.
    """

    by: Annotated[str, msgspec.Meta(max_length=80)] = ""
    action: Annotated[str, msgspec.Meta(max_length=80)] = ""
    subject: Annotated[str, msgspec.Meta(max_length=80)] = ""


def changing_approvals(
    actions: HubActions, catalog: Catalog, approvals: Approvals, audit: Audit
) -> Blueprint:
    """The routes for the holder of the admin token; the log is for nobody else to read."""
    api = Blueprint("changing_approvals", __name__, url_prefix="/api/v1")

    @api.post("/versions/<model>/<number>/sayings")
    @needs(Role.APPROVER)
    @Speaks(
        takes=SayingAsk,
        example={"saying": "approve", "by": "ann", "reason": "seen on the bench"},
        gives=answers.SaidOf,
        status=HTTPStatus.CREATED,
        matched=True,
    )
    def say(model: str, number: str) -> Response:
        """Approve, waive a gate of, or reject a version, by name and with a reason."""
        told = guard.body(SayingAsk, _SMALL_BYTES)
        words = Words(saying=told.saying, by=told.by, reason=told.reason, gate=told.gate)
        if _NUMBER.fullmatch(number) is None:
            raise AbsentError(f"{number[:80]!r} is no number of a version; see `fleetloop models`")
        with actions.held():
            conditions.unchanged(catalog.find(Version, f"{model}/{int(number)}"))
            version = approvals.say(model, int(number), words, time.time())
        return _json({"state": str(version.state)}, HTTPStatus.CREATED)

    @api.get("/audit")
    @needs(Role.OPERATOR)
    @Speaks(query=AuditAsk, gives=answers.AuditPage)
    def log() -> Response:
        """Who did what to what, and why, oldest first; every entry is verified before."""
        ask, entries = asked(AuditAsk), audit.entries()
        about = [entry for entry in entries if entry.is_about(ask.by, ask.action, ask.subject)]
        found, behind = paging.cut(about, lambda e: (e.number,), ask)
        last = entries[-1].hash if entries else ""
        return paging.paged(
            answers.AuditPage(entries=found, next=behind, count=len(entries), last=last)
        )

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
