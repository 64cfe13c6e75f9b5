"""Writes into the audit log what the holder of the admin token asks for, before it is done."""

import contextlib
import time
from http import HTTPStatus

import msgspec
from flask import Flask, Response, g, request

from fleetloop_hub.audit_records import BY, Deed
from fleetloop_hub.errors import AuditError, SpecError
from fleetloop_hub.ports import Audit
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.web import access
from fleetloop_hub.web.api_models import RetainAsk
from fleetloop_shared.codec import encode
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.ids import sha256_hex

_ELSEWHERE = frozenset(
    {"enrolling.enrol", "changing_approvals.say", "account.change", "sayings.say"}
)
"""What they send must not be logged (a token, passwords), or is logged as such (sayings)."""
ACTIONS = {
    "changing.tokens": "make a token",
    "enrol_pages.make": "make a token",
    "changing.models": "add a model",
    "changing.runs": "train",
    "changing.rollouts": "roll out",
    "changing_rollouts.plan": "plan a rollout",
    "changing_rollouts.happen": "act on a rollout",
    "changing_rollouts.define": "define a cohort",
    "changing_rollouts.remove": "remove a cohort's name",
    "changing_rollouts.lift": "lift a quarantine",
    "rollout_new.start": "roll out",
    "rollouts_pages.happen": "act on a rollout",
    "shadows.start": "start a shadow",
    "shadows.stop": "stop a shadow",
    "places.define": "define a cohort",
    "places.remove": "remove a cohort's name",
    "places.lift": "lift a quarantine",
    "runs_acts.train": "train",
    "runs_acts.act": "act on a run",
    "runs_acts.allow": "agree to a run",
    "labels_pages.tell": "tell labels",
    "sayings.alias": "name a version",
    "sayings.tag": "tag a version",
    "sayings.archive": "archive a version",
    "waiting_api.simulate": "simulate policies",
    "retraining.simulate": "simulate policies",
    "people_api.add": "let somebody in",
    "people_api.role": "give a role",
    "people_api.disable": "disable somebody",
    "people_api.enable": "enable somebody",
    "people_api.reset": "reset a password",
    "people_pages.add": "let somebody in",
    "people_pages.role": "give a role",
    "people_pages.disable": "disable somebody",
    "people_pages.enable": "enable somebody",
    "people_pages.reset": "reset a password",
    "tokens_api.make": "make an API token",
    "tokens_api.revoke": "revoke an API token",
    "tokens_pages.make": "make an API token",
    "tokens_pages.revoke": "revoke an API token",
    "changing_data.add": "add rows",
    "changing_labels.tell": "tell labels",
    "changing_labels.source": "make a label source",
    "changing_runs.reproduce": "reproduce a run",
    "changing_runs.cancel": "cancel a run",
    "changing_runs.allow": "agree to a run",
    "changing_keys.rotate": "rotate keys",
    "changing_keys.revoke": "revoke a key",
    "changing_keys.sign": "sign",
    "importing.imports": "import a model",
    "changing_alerts.acknowledge": "acknowledge an alert",
    "changing_alerts.silence": "silence alerts",
    "changing_alerts.end": "end a silence",
    "changing_channels.add": "make a channel",
    "changing_channels.remove": "remove a channel",
    "changing_channels.attempt": "test a channel",
    "changing_channels.again": "send dead letters again",
    "alerts_pages.acknowledge": "acknowledge an alert",
    "alerts_pages.silence": "silence alerts",
    "alerts_pages.end": "end a silence",
    "channels_pages.add": "make a channel",
    "channels_pages.remove": "remove a channel",
    "channels_pages.attempt": "test a channel",
    "channels_pages.again": "send dead letters again",
    "changing_models.alias": "name a version",
    "changing_models.tag": "tag a version",
    "changing_models.archive": "archive a version",
    "changing_models.retain": "give up old versions",
}
"""What a route does, as the log calls it, by its endpoint."""
_LONGEST = 200
_HIDDEN = frozenset({"secret", "password", "url"})
"""What bodies may hold that nobody is to read in the log."""


def register(app: Flask, audit: Audit) -> None:
    """Log every request that changes something; where that fails, nothing is done.

    Args:
        app: Its routes read their bodies with `guard.body`, which calls what is set here.
        audit: Where to.
    """

    def prepare() -> None:
        if request.endpoint not in _ELSEWHERE:
            g.note = lambda asked: _note(audit, asked)

    def note_refusal(response: Response) -> Response:
        deed: Deed | None = g.get("noted")
        if deed is not None and response.status_code >= HTTPStatus.BAD_REQUEST:
            refused = msgspec.structs.replace(deed, action=f"{deed.action}: refused")
            with contextlib.suppress(AuditError, DiskFullError):  # the answer says so already
                audit.record(refused, time.time())
        return response

    app.before_request(prepare)
    app.after_request(note_refusal)


def _note(audit: Audit, asked: object) -> None:
    """Log what a decoded body asks for.

    Raises:
        AuditError: The log is damaged.
        DiskFullError: No room.
    """
    if isinstance(asked, RetainAsk) and not asked.delete:
        return  # it is only told what would be done
    path = request.view_args or {}
    which = path.get("which", path.get("number"))
    named = {"model": path.get("model"), "version": which, "run": path.get("key")}
    named |= {name: path.get(name) for name in ("event", "name", "sha256", "hardware")}
    told = named | msgspec.to_builtins(asked)
    told = {name: value for name, value in told.items() if name not in _HIDDEN}
    if not told["model"] and isinstance(spec := told.get("spec"), str):
        told["model"] = _model_of(spec)
    details = {key: _brief(value) for key, value in told.items() if value or value == 0}
    by = _doer(details.pop("by", ""))
    endpoint = request.endpoint or ""
    deed = Deed(
        by=by,
        action=ACTIONS.get(endpoint, request.path.rpartition("/")[2]),
        subject=_subject(details, request.path),
        reason=details.pop("reason", ""),
        details=details,
    )
    audit.record(deed, time.time())
    g.noted = deed


def _doer(claimed: str) -> str:
    """Who has asked: whoever came in by name; the holder of the admin token is believed."""
    asking = access.who()
    if asking.way != access.ADMIN_TOKEN:
        return asking.name or asking.way
    return claimed or request.headers.get(BY, "")[:_LONGEST] or access.ADMIN_TOKEN


def _subject(details: dict[str, str], path: str) -> str:
    model, version = details.get("model", ""), details.get("version", "")
    if model:
        return f"{model}@{version}" if version else model
    named = (
        details.get(name, "") for name in ("run", "cohort", "name", "sha256", "repository", "keyid")
    )
    return next(filter(None, named), path.removeprefix("/api/v1/"))


def _model_of(spec: str) -> str:
    """The name of the model that a spec describes, "" if it is none; whoever reads it will say."""
    with contextlib.suppress(SpecError):
        return specs.parse(spec).model.name
    return ""


def _brief(value: object) -> str:
    text = value if isinstance(value, str) else encode(value).decode()
    return text if len(text) <= _LONGEST else f"sha256 {sha256_hex(text.encode())}"
