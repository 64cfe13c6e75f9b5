"""What people say to versions: approve, waive a failed gate, reject; each with name and reason."""

import msgspec
from msgspec.structs import replace

from fleetloop_hub.audit_records import Deed
from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.ports import Audit, Blobs, Catalog
from fleetloop_hub.records import NO_VERSION, Alias, Version, VersionState
from fleetloop_hub.tracking.registry import CHALLENGER
from fleetloop_hub.tracking.standing import standing
from fleetloop_hub.tracking.unknown import no_version
from fleetloop_hub.version_parts import Approval, Saying

_OPEN = frozenset({VersionState.BLOCKED, VersionState.WAITING, VersionState.READY})
"""States in which something can still be said."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says.

    Attributes:
        saying: Approve, waive or reject.
        by: The person's name.
        reason: Why, in words.
        gate: The gate that is to be waived, "" otherwise.
    """

    saying: Saying
    by: str
    reason: str
    gate: str = ""


class Approvals:
    """Takes what people say, logs it, and lets go what may then be released."""

    def __init__(self, catalog: Catalog, blobs: Blobs, audit: Audit) -> None:
        """Nothing is made here; see `say`."""
        self._catalog, self._blobs, self._audit = catalog, blobs, audit

    def say(self, model: str, number: int, words: Words, now: float) -> Version:
        """Take what a person says to a version; returns what it is then.

        The audit log has it first: where it cannot be logged, nothing is done.

        Raises:
            AbsentError: There is no such version.
            GateError: There is no such gate, or this cannot be said to it; or name or
                reason is missing.
            AuditError: The audit log is damaged.
            DiskFullError: No room; the version is what it was.
        """
        version = self._catalog.find(Version, f"{model}/{number}")
        if version is None:
            raise no_version(self._catalog, model, number)
        _check(version, words)
        self._check_rollouts(version)
        deed = Deed(
            by=words.by,
            action=str(words.saying),
            subject=f"{model}@{number}",
            reason=words.reason,
            details={"gate": words.gate} if words.gate else {},
        )
        approval = Approval(
            saying=words.saying,
            by=words.by,
            reason=words.reason,
            at=now,
            gate=words.gate,
            audit=self._audit.record(deed, now),
        )
        return self._keep(_with(version, approval))

    def _check_rollouts(self, version: Version) -> None:
        """Raise GateError if devices are being told to run it."""
        for rollout in self._catalog.all(Rollout):
            mine = (rollout.model, rollout.version) == (version.model, version.number)
            if mine and rollout.ended_at is None:
                raise GateError(
                    f"{version.model}@{version.number} is being rolled out to {rollout.cohort}: "
                    "wait until that has ended; nothing was changed"
                )

    def _keep(self, version: Version) -> Version:
        state = standing(version)
        if state is not VersionState.READY:
            # Whoever rejects what was ready takes it out of the image repository's list as well.
            kept = replace(version, state=state, manifest=None, manifest_bytes=0)
            self._catalog.put(kept, *self._dropped(kept))
            return kept
        if version.manifest is None:
            if version.unsigned is None:
                raise GateError(
                    f"{version.key} was registered before manifests of blocked versions were kept: "
                    "train again to have one that can be released"
                )
            size = len(self._blobs.get(version.unsigned))
            version = replace(version, manifest=version.unsigned, manifest_bytes=size)
        ready = replace(version, state=state)
        self._catalog.put(ready, Alias(key=f"{version.model}/{CHALLENGER}", version=version.number))
        return ready

    def _dropped(self, version: Version) -> list[Alias]:
        """The alias challenger without the version, if it means that."""
        challenger = self._catalog.find(Alias, f"{version.model}/{CHALLENGER}")
        if challenger is None or challenger.version != version.number:
            return []
        return [replace(challenger, version=NO_VERSION)]


def _check(version: Version, words: Words) -> None:
    """Raise GateError if this cannot be said."""
    name = f"{version.model}@{version.number}"
    if not words.by.strip() or not words.reason.strip():
        raise GateError("say who you are and why: --by NAME --reason TEXT; nothing was changed")
    if version.state not in _OPEN:
        raise GateError(f"{name} is {version.state}: nothing can be said to it any more")
    failed = [gate.name for gate in version.gates if gate.blocks]
    if words.saying is Saying.APPROVE and failed:
        raise GateError(
            f"{name} is blocked by {', '.join(failed)}: an approval does not lift a gate; train "
            f'again, or `fleetloop waive {name} --gate "{failed[0]}" --by NAME --reason TEXT`'
        )
    if words.saying is Saying.APPROVE and version.state is VersionState.READY:
        raise GateError(f"{name} needs no approval: `fleetloop rollouts start {name}` takes it")
    if words.saying is Saying.WAIVE and words.gate not in failed:
        have = ", ".join(failed) or "none"
        raise GateError(f"{name} is not blocked by a gate {words.gate!r}; it is by: {have}")


def _with(version: Version, approval: Approval) -> Version:
    gates = [
        replace(gate, waived=True)
        if approval.saying is Saying.WAIVE and gate.name == approval.gate
        else gate
        for gate in version.gates
    ]
    return replace(version, gates=gates, approvals=[*version.approvals, approval])
