"""What people say to a version from its page: approve, waive a gate, reject; names and notes."""

import time
from typing import Annotated

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.people_records import Role
from fleetloop_hub.tracking.approvals import Approvals, Words
from fleetloop_hub.tracking.shelf import Shelf
from fleetloop_hub.version_parts import Saying
from fleetloop_hub.web import access, forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.api_models import AliasAsk, ArchiveAsk, TagAsk


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """The form.

    Attributes:
        saying: Approve, waive or reject.
        reason: Why, in words.
        gate: The gate that is waived, "" otherwise.
    """

    saying: Saying
    reason: Annotated[str, msgspec.Meta(pattern=r"\S", max_length=2_000)]
    gate: str = ""


def sayings_pages(actions: HubActions, approvals: Approvals, shelf: Shelf) -> Blueprint:
    """The routes of what is done to a version from its page."""
    pages = Blueprint("sayings", __name__)

    @pages.post("/models/<model>/<int:number>/say")
    @needs(Role.APPROVER)
    def say(model: str, number: int) -> Response:
        """Approve, waive a gate, or reject."""
        asked = forms.read(_Said)
        if asked.saying is Saying.REJECT:
            forms.confirmed(f"{model}@{number}")
        by = access.who().name or access.who().way
        words = Words(saying=asked.saying, by=by, reason=asked.reason, gate=asked.gate)
        with actions.held():
            version = approvals.say(model, number, words, time.time())
        return forms.done(f"{model} v{number} is {version.state} now.", f"/models/{model}/{number}")

    @pages.post("/models/<model>/<int:number>/alias")
    @needs(Role.OPERATOR)
    def alias(model: str, number: int) -> Response:
        """Let a name mean it."""
        asked = forms.read(AliasAsk)
        with actions.held():
            shelf.alias(model, number, asked.name)
        return forms.done(f"{asked.name} is v{number} now.", f"/models/{model}/{number}")

    @pages.post("/models/<model>/<int:number>/tag")
    @needs(Role.OPERATOR)
    def tag(model: str, number: int) -> Response:
        """Note something about it."""
        asked = forms.read(TagAsk)
        with actions.held():
            shelf.tag(model, number, asked.key, asked.value)
        return forms.done(f"{asked.key} is noted.", f"/models/{model}/{number}")

    @pages.post("/models/<model>/<int:number>/archive")
    @needs(Role.OPERATOR)
    def archive(model: str, number: int) -> Response:
        """Put it aside."""
        forms.confirmed(f"{model}@{number}")
        forms.read(ArchiveAsk)
        with actions.held():
            shelf.archive(model, number)
        return forms.done(f"{model} v{number} is put aside.", f"/models/{model}/{number}")

    return pages
