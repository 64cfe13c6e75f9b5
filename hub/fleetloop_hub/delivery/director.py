"""What a cohort is told to run: from a rollout to one signed, retained statement."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from fleetloop_hub.delivery.meaning import Turn, after, meaning
from fleetloop_hub.delivery.quarantines import barred
from fleetloop_hub.fleet_records import Cohort, Quarantine, Rollout
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Model, Record, Version
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared import membership
from fleetloop_shared.codec import decode, decode_compressed, encode
from fleetloop_shared.messages import DesiredState, Release, Settled
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import Bundle, desired_target

_HOUR_S = 3600.0
_REMEMBERED = 100
_LOOK_S = 60.0
"""How often statements are looked at that nothing has happened to."""


@dataclass(frozen=True)
class Statement:
    """A signed statement and where it belongs.

    Attributes:
        topic: The cohort's topic.
        payload: The bundle.
    """

    topic: str
    payload: bytes


class Director:
    """Signs statements, one after the other, each with a number that never goes back."""

    def __init__(self, catalog: Catalog, blobs: Blobs, trust: Trust) -> None:
        """Nothing is said until `state` is called."""
        self._catalog, self._blobs, self._trust = catalog, blobs, trust
        self._said: dict[str, DesiredState] = {}
        self._looked: tuple[object, float] | None = None
        self._barred: list[tuple[str, float | None]] | None = None

    def state(self, turn: Turn, spec: ModelSpec, now: float) -> Statement:
        """Say what a rollout now means for its cohort; durable before it is returned.

        The rollout and its statement are kept together or not at all: one without the other would
        wait for devices that were never told.

        Args:
            turn: The rollout, and what is to be said.
            spec: Of its model.
            now: Unix seconds.
        """
        rollout = turn.rollout
        before = self._catalog.find(Cohort, rollout.cohort) or Cohort(
            key=rollout.cohort, sequence=0
        )
        model = self._catalog.find(Model, rollout.model)
        quarantined = barred(self._catalog, rollout.model, turn.quarantines)
        settled = [k for k in before.settled if self._is_signed(k.version)]
        meant = meaning(turn, settled, self._is_barred(rollout, quarantined), now)
        start_h = spec.rollout.start_after_h if meant.timed else 0.0
        desired = DesiredState(
            cohort=rollout.cohort,
            sequence=before.sequence + 1,
            rollout=rollout.key,
            salt=rollout.salt,
            phase=meant.phase,
            release=self._release(meant.version),
            control=None if meant.control is None else self._release(meant.control),
            floor=0 if model is None else model.floor,
            issued_at=now,
            soak_rows=spec.rollout.soak_rows,
            soak_s=spec.rollout.soak_s,
            sampling=spec.sampling.policy,
            start_not_before=rollout.phase_since + start_h * _HOUR_S if start_h else 0.0,
            spread_s=spec.rollout.spread_s if meant.timed else 0.0,
            deadline=meant.deadline,
            where=meant.where,
            phase_by_hardware=meant.by_hardware,
            settled=[
                Settled(where=kept.where, release=self._release(kept.version))
                for kept in meant.settled
            ],
            quarantined=quarantined,
        )
        cohort = after(turn, before)
        return self._say(cohort, desired, now, with_=(*turn.ended, *turn.quarantines, rollout))

    def restate(
        self,
        desired: DesiredState,
        beside: Sequence[str],
        now: float,
        *,
        with_: Sequence[Record] = (),
    ) -> Statement:
        """Say what stands once more with something changed that runs beside it; durable as `state`.

        Args:
            desired: What the cohort is told from now on; its number is the next one.
            beside: Keys of versions that it names beside what is rolled out.
            now: Unix seconds.
            with_: Records to be kept together with it or not at all.
        """
        before = self._catalog.find(Cohort, desired.cohort)
        if before is None:
            raise LookupError(desired.cohort)
        said = self.desired(desired.cohort)
        gone = said.shadow.release if said is not None and said.shadow is not None else None
        kept = [k for k in before.versions if gone is None or k != f"{gone.model}/{gone.version}"]
        sequence = before.sequence + 1
        cohort = replace(before, sequence=sequence, versions=[*dict.fromkeys([*kept, *beside])])
        said_now = replace(desired, sequence=sequence, issued_at=now)
        return self._signed(cohort, encode(said_now), now, with_=with_)

    def renewed(self, now: float) -> list[Statement]:
        """Signs anew what grows old or was signed by other keys; what it says stays as it is.

        Raises:
            DiskFullError: No room; what was signed stands.
        """
        self._trust.renew_director(now)
        roots = self._trust.root_versions()
        if self._looked is not None:
            before, at = self._looked
            if before == roots and 0 <= now - at < _LOOK_S:
                return []
        made = []
        for cohort in self._catalog.all(Cohort):
            if cohort.statement is None:
                continue
            payload = self._blobs.get(cohort.statement)
            if self._trust.is_due(payload, now):
                made.append(self._signed(cohort, _text(cohort, payload), now))
        self._looked = (roots, now)
        return made

    def barring(self, now: float) -> list[Statement]:
        """Says anew, to every cohort, what has been barred from a hardware type or lifted since.

        Where a type has nothing else it goes back to what the cohort had before.

        Raises:
            DiskFullError: No room; what was signed stands.
        """
        known = [(q.key, q.lifted_at) for q in self._catalog.all(Quarantine)]
        if known == self._barred:
            return []
        made = []
        for cohort in self._catalog.all(Cohort):
            said = self.desired(cohort.key)
            if said is None:
                continue
            wanted = barred(self._catalog, said.release.model)
            if wanted == said.quarantined:
                continue
            desired = replace(said, sequence=said.sequence + 1, issued_at=now, quarantined=wanted)
            hit = any(said.release.manifest_sha256 in found for found in wanted.values())
            fallback = cohort.previous if hit else None
            if said.control is None and fallback is not None and self._is_signed(fallback):
                desired = replace(desired, control=self._release(fallback))
            made.append(self._say(cohort, desired, now))
        self._barred = known
        return made

    def _say(
        self,
        cohort: Cohort,
        desired: DesiredState,
        now: float,
        *,
        with_: Sequence[Record] = (),
    ) -> Statement:
        beside = [] if desired.shadow is None else [desired.shadow.release]
        releases = [*membership.releases(desired), *beside]
        named = dict.fromkeys(f"{r.model}/{r.version}" for r in releases)
        told = replace(cohort, sequence=desired.sequence, versions=list(named))
        return self._signed(told, encode(desired), now, with_=with_)

    def _signed(
        self, cohort: Cohort, desired: bytes, now: float, *, with_: Sequence[Record] = ()
    ) -> Statement:
        version = cohort.signings + 1
        payload = self._trust.director_bundle(cohort.key, desired, version, now)
        sha256 = self._blobs.put(payload)
        self._catalog.put(*with_, replace(cohort, signings=version, statement=sha256))
        return Statement(Topic.DIRECTOR.at(cohort=cohort.key), payload)

    def standing(self) -> list[Statement]:
        """The last statement of every cohort, to be published again after a connect."""
        return [
            Statement(Topic.DIRECTOR.at(cohort=c.key), self._blobs.get(c.statement))
            for c in self._catalog.all(Cohort)
            if c.statement is not None
        ]

    def desired(self, cohort: str) -> DesiredState | None:
        """What a cohort was told last, None before the first statement."""
        found = self._catalog.find(Cohort, cohort)
        if found is None or found.statement is None:
            return None
        if found.statement not in self._said:
            text = decode_compressed(self._blobs.get(found.statement), Bundle).files
            said = decode(text[desired_target(cohort)].encode(), DesiredState)
            self._said = {found.statement: said, **dict(list(self._said.items())[:_REMEMBERED])}
        return self._said[found.statement]

    def sequence(self, cohort: str) -> int:
        """The number of the cohort's last statement, 0 before the first."""
        found = self._catalog.find(Cohort, cohort)
        return 0 if found is None else found.sequence

    def live(self) -> list[Version]:
        """Every version that a cohort's last statement names."""
        keys = dict.fromkeys(k for c in self._catalog.all(Cohort) for k in c.versions)
        found = [self._catalog.find(Version, key) for key in keys]
        return [v for v in found if v is not None]

    def _is_barred(self, rollout: Rollout, quarantined: dict[str, list[str]]) -> bool:
        """Whether what is rolled out is barred from some hardware type."""
        sha256 = self._release(f"{rollout.model}/{rollout.version}").manifest_sha256
        return any(sha256 in found for found in quarantined.values())

    def _is_signed(self, key: str) -> bool:
        found = self._catalog.find(Version, key)
        return found is not None and found.manifest is not None

    def _release(self, key: str) -> Release:
        version = self._catalog.find(Version, key)
        if version is None or version.manifest is None:
            raise LookupError(f"{key} has no signed manifest")
        return Release(
            model=version.model,
            version=version.number,
            manifest_sha256=version.manifest,
            manifest_bytes=version.manifest_bytes,
        )


def _text(cohort: Cohort, payload: bytes) -> bytes:
    return decode_compressed(payload, Bundle).files[desired_target(cohort.key)].encode()
