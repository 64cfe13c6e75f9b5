"""What a cohort is told to run: from a rollout to one signed, retained statement."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from fleetloop_hub.delivery.rollout import BUCKETS
from fleetloop_hub.fleet_records import Cohort, Rollout, RolloutState
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Model, Record, Version
from fleetloop_hub.spec.fleet_tables import RolloutTable
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.codec import decode, decode_compressed, encode
from fleetloop_shared.messages import DesiredState, Release
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

    def state(
        self, rollout: Rollout, spec: ModelSpec, now: float, *, ended: Sequence[Rollout] = ()
    ) -> Statement:
        """Say what `rollout` now means for its cohort; durable before it is returned.

        The rollout and its statement are kept together or not at all: one without the other would
        wait for devices that were never told.

        Args:
            rollout: As it is from now on.
            spec: Of its model.
            now: Unix seconds.
            ended: Rollouts that it supersedes, as they are from now on.
        """
        release, control, phase = self._targets(rollout)
        model = self._catalog.find(Model, rollout.model)
        sequence = self.sequence(rollout.cohort) + 1
        desired = DesiredState(
            cohort=rollout.cohort,
            sequence=sequence,
            rollout=rollout.key,
            salt=rollout.salt,
            phase=phase,
            release=_release(release),
            control=None if control is None else _release(control),
            floor=0 if model is None else model.floor,
            issued_at=now,
            soak_rows=spec.rollout.soak_rows,
            soak_s=spec.rollout.soak_s,
            sampling=spec.sampling.policy,
        )
        if rollout.state is RolloutState.OPEN:
            desired = _timed(desired, spec.rollout)
        named = [v.key for v in (release, control) if v is not None]
        before = self._catalog.find(Cohort, rollout.cohort) or Cohort(
            key=rollout.cohort, sequence=0
        )
        cohort = replace(before, sequence=sequence, versions=named)
        return self._signed(cohort, encode(desired), now, with_=(*ended, rollout))

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
                text = decode_compressed(payload, Bundle).files[desired_target(cohort.key)]
                made.append(self._signed(cohort, text.encode(), now))
        self._looked = (roots, now)
        return made

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

    def _targets(self, rollout: Rollout) -> tuple[Version, Version | None, int]:
        release = self._version(rollout.model, rollout.version)
        control = None if rollout.control is None else self._version(rollout.model, rollout.control)
        if rollout.state is RolloutState.REVERTED and control is not None:
            return control, None, BUCKETS
        if rollout.state is RolloutState.DONE:
            return release, None, BUCKETS
        if rollout.state is RolloutState.REVERTED:
            return release, None, 0
        return release, control, rollout.phases[rollout.phase]

    def _version(self, model: str, number: int) -> Version:
        version = self._catalog.find(Version, f"{model}/{number}")
        if version is None:
            raise LookupError(f"{model}/{number}")
        return version


def _timed(desired: DesiredState, policy: RolloutTable) -> DesiredState:
    """When devices begin and by when they must have; not said of a way back, which is at once."""
    start, deadline = policy.start_after_h * _HOUR_S, policy.deadline_h * _HOUR_S
    return replace(
        desired,
        start_not_before=desired.issued_at + start if start else 0.0,
        spread_s=policy.spread_s,
        deadline=desired.issued_at + deadline if deadline else None,
    )


def _release(version: Version) -> Release:
    if version.manifest is None:
        raise LookupError(f"{version.key} has no signed manifest")
    return Release(
        model=version.model,
        version=version.number,
        manifest_sha256=version.manifest,
        manifest_bytes=version.manifest_bytes,
    )
