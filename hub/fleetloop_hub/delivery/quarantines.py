"""What is never offered to a hardware type again, in any cohort, until a person lifts it."""

from collections.abc import Iterable

from msgspec.structs import replace

from fleetloop_hub.errors import AbsentError, GateError
from fleetloop_hub.fleet_records import Quarantine, Rollout
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Version

NEWEST = 64
"""Manifests that a statement bars from a hardware type at most: those of the newest versions."""


def imposed(
    rollout: Rollout, version: Version, hardware: Iterable[str], now: float
) -> list[Quarantine]:
    """The quarantine of a version on these hardware types; nothing is kept yet."""
    return [
        Quarantine(
            key=f"{version.artifact}/{kind}",
            model=version.model,
            version=version.number,
            artifact=version.artifact,
            hardware=kind,
            reason=rollout.text,
            rollout=rollout.key,
            at=now,
        )
        for kind in hardware
    ]


def standing(catalog: Catalog) -> list[Quarantine]:
    """Every quarantine that is not lifted."""
    return [q for q in catalog.all(Quarantine) if q.lifted_at is None]


def barred_types(catalog: Catalog, artifact: str) -> dict[str, str]:
    """The hardware types that an artifact is barred from, and why."""
    return {q.hardware: q.reason for q in standing(catalog) if q.artifact == artifact}


def barred(
    catalog: Catalog, model: str, imposed: Iterable[Quarantine] = ()
) -> dict[str, list[str]]:
    """What a statement about a model bars: SHA-256 of manifests, by hardware type.

    Args:
        catalog: What stands.
        model: The model.
        imposed: What is kept together with the statement.
    """
    artifacts: dict[str, set[str]] = {}
    for found in [*standing(catalog), *imposed]:
        if found.model == model:
            artifacts.setdefault(found.hardware, set()).add(found.artifact)
    if not artifacts:
        return {}
    versions = [v for v in catalog.all(Version) if v.model == model and v.manifest is not None]
    versions.sort(key=lambda v: v.number)
    told = {
        kind: [v.manifest for v in versions if v.manifest and v.artifact in found][-NEWEST:]
        for kind, found in sorted(artifacts.items())
    }
    return {kind: manifests for kind, manifests in told.items() if manifests}


def lift(catalog: Catalog, key: str, why: str, now: float) -> Quarantine:
    """Let an artifact be offered to a hardware type again.

    Args:
        catalog: Where it is kept.
        key: "SHA256/HARDWARE"; the hash may be shortened to what is unique.
        why: Who lifts it, and for what reason.
        now: Unix seconds.

    Raises:
        AbsentError: There is none; nothing was changed.
        GateError: There is more than one; nothing was changed.
    """
    sha256, _, hardware = key.partition("/")
    found = [
        q for q in standing(catalog) if q.artifact.startswith(sha256) and q.hardware == hardware
    ]
    see = "see `fleetloop quarantine list`"
    if not found or not sha256:
        raise AbsentError(f"{key[:160]!r} is no quarantine that stands: {see}")
    if len(found) > 1:
        raise GateError(f"{key[:160]!r} means more than one quarantine: {see}")
    lifted = replace(found[0], lifted=why, lifted_at=now)
    catalog.put(lifted)
    return lifted
