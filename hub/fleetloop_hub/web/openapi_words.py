"""What the API's document says of the parts of addresses, and of the groups of its routes."""

PATHS: dict[str, tuple[str, str]] = {
    "device": ("The device's id.", "station-1"),
    "model": ("The model's name.", "rain"),
    "which": ("A number, an alias such as champion, or newest.", "champion"),
    "number": ("The version's number.", "2"),
    "key": ("The key, as lists show it.", "rain-2"),
    "name": ("The name.", "log.txt"),
    "a": ("A dataset version: the beginning of its key, or a model's name.", "rain"),
    "b": ("The other dataset version.", "rain"),
    "event": ("What is to happen: approve, pause, resume, abort or withdraw.", "pause"),
    "sha256": ("SHA-256 of the artifact; it may be shortened.", "5c2f0a91"),
    "hardware": ("A hardware type.", "pi4"),
}
"""Variable parts of addresses: what they are, and an example."""

GROUPS: dict[str, str] = {
    "overview": "The fleet at one look, and how the hub is.",
    "devices": "Devices: enrolment, state, drift, and what was tried on them.",
    "models": "Models and their versions: lineage, evidence, sayings, artifacts, cards.",
    "runs": "Trainings and imports.",
    "data": "Dataset versions and late labels.",
    "rollouts": "Rollouts, shadows, named parts of cohorts, quarantine.",
    "decisions": "What the hub has decided, and why things exist.",
    "keys": "Keys and signatures.",
    "people": "People, their tokens, and the audit log.",
    "alerts": "Alerts, silences and channels.",
    "interface": "This interface itself.",
}
"""Groups of routes, in the order in which the page shows them."""

_GROUP_OF = {
    "status": "overview",
    "enrol": "devices",
    "tokens": "devices",
    "drift": "devices",
    "attempts": "devices",
    "versions": "models",
    "imports": "runs",
    "labels": "data",
    "shadows": "rollouts",
    "cohorts": "rollouts",
    "quarantine": "rollouts",
    "why": "decisions",
    "audit": "people",
    "api-tokens": "people",
    "silences": "alerts",
    "channels": "alerts",
    "dead-letters": "alerts",
    "openapi.json": "interface",
    "asyncapi.json": "interface",
    "search": "interface",
}

DESCRIPTION = """\
The interface of a Fleetloop hub for programs: everything that the console does.

Whoever asks says who they are with `Authorization: Bearer TOKEN`; each route names the role it
needs as `x-fleetloop-role`. Errors are `application/problem+json` (RFC 9457). Lists come a page
at a time: send `next` as `cursor`, or follow the `Link` header (RFC 8288). A POST with an
`Idempotency-Key` is done once, however often it is sent within a day. Answers to GET carry an
`ETag`; `If-None-Match` saves the body, and `If-Match` keeps a change from meeting something that
was changed meanwhile."""


def group_of(segment: str) -> str:
    """The group of routes whose first part behind /api/v1 is this."""
    return _GROUP_OF.get(segment, segment)
