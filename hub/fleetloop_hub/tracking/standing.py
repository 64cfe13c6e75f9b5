"""What may be done with a version that is not released yet, by its gates and what people said."""

from fleetloop_hub.records import Version, VersionState
from fleetloop_hub.version_parts import Saying


def standing(version: Version) -> VersionState:
    """Rejected, blocked, waiting for a person, or ready; the first of these that is so."""
    said = {approval.saying for approval in version.approvals}
    if Saying.REJECT in said:
        return VersionState.REJECTED
    if any(gate.blocks for gate in version.gates):
        return VersionState.BLOCKED
    if version.needs_approval and Saying.APPROVE not in said:
        return VersionState.WAITING
    return VersionState.READY


def hindrance(version: Version) -> str:
    """Why it has no signature, in words, with what to do."""
    state, name = standing(version), f"{version.model}@{version.number}"
    if state is VersionState.REJECTED:
        said = next(a for a in version.approvals if a.saying is Saying.REJECT)
        return f"{version.key} was rejected by {said.by}: {said.reason}"
    if state is VersionState.WAITING:
        ask = f"`fleetloop approve {name} --by NAME --reason TEXT`"
        return f"{version.key} has passed its gates and waits for a person: {ask}"
    failed = "; ".join(gate.text for gate in version.gates if gate.blocks)
    return f"{version.key} is blocked: {failed}"
