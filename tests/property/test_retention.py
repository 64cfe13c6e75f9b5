"""Whatever happens to versions and in which order, nothing that is needed is ever deleted."""

import tempfile
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import Cohort, Rollout, RolloutState
from fleetloop_hub.records import Run, RunState, Version, VersionState
from fleetloop_hub.tracking.registry import CHALLENGER, CHAMPION, PREVIOUS, Registry
from fleetloop_hub.tracking.shelf import Shelf
from fleetloop_shared.codec import encode
from fleetloop_shared.messages import ReportedState
from support.hubparts import Parts, make_version, parts
from support.hubrecords import a_rollout, a_run

DEVICES = ("station-1", "station-2")
COHORTS = ("plains", "hills")
NAMES = (PREVIOUS, CHALLENGER, "golden")


@dataclass
class Slots:
    """What one device has on its disk, as the test knows it."""

    active: int = 0
    previous: int = 0
    target: int = 0


@dataclass
class World:
    """What must be true, kept beside the hub and by other means."""

    names: dict[str, int] = field(default_factory=dict)
    told: dict[str, set[int]] = field(default_factory=dict)
    open: dict[str, tuple[int, int]] = field(default_factory=dict)
    devices: dict[str, Slots] = field(default_factory=lambda: {d: Slots() for d in DEVICES})
    waiting: set[int] = field(default_factory=set)

    def needed(self) -> set[int]:
        held = {*self.names.values()}
        for two in [*self.told.values(), *self.open.values()]:
            held |= {*two}
        for slots in self.devices.values():
            held |= {slots.active, slots.previous, slots.target}
        return held - {0}


class Retention(RuleBasedStateMachine):
    """Registrations, rollouts, devices, aliases, archives, retentions and crashes."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.kept: Parts = self._stack.enter_context(parts(folder))
        self.registry = Registry(self.kept.catalog, self.kept.blobs)
        self.shelf = Shelf(self.kept.catalog, self.kept.telemetry, self.kept.blobs, nullcontext())
        self.world = World()
        self.count = 0
        self.user_data: list[str] = []

    def teardown(self) -> None:
        self._stack.close()

    def draw(self, which: int) -> int:
        """One of the versions that are not deleted, or 0."""
        there = [v.number for v in self.versions() if v.state is not VersionState.DELETED]
        return there[which % len(there)] if there else 0

    def versions(self) -> list[Version]:
        return self.kept.catalog.all(Version)

    @initialize()
    def data(self) -> None:
        self.user_data.append(self.kept.blobs.put(b"the spec"))
        for _ in range(5):
            self.train(RunState.FINISHED)

    @rule(ends=st.sampled_from([RunState.FINISHED, RunState.FAILED]))
    def train(self, ends: RunState) -> None:
        self.count += 1
        number = self.registry.next_number("rain")
        blobs = self.kept.blobs
        left = {"log.txt": blobs.put(f"log {self.count}".encode())}
        if ends is RunState.FINISHED:
            version = make_version(self.kept, number)
            left["artifact.onnx"] = version.artifact
            left["evaluation.parquet"] = blobs.put(f"answers {number}".encode())
            self.kept.catalog.put(replace(version, run=f"rain-{self.count}"))
        run = a_run(f"rain-{self.count}", state=ends)
        self.kept.catalog.put(
            replace(run, spec=self.user_data[0], artifacts=left, started_at=float(self.count))
        )

    @rule(which=st.integers(0, 50), cohort=st.sampled_from(COHORTS))
    def roll_out(self, which: int, cohort: str) -> None:
        number = self.draw(which)
        if not number or self.archived(number):
            return
        control = self.world.names.get(CHAMPION, 0)
        rollout = replace(
            a_rollout(), key=cohort, version=number, control=control or None, cohort=cohort
        )
        self.world.open[cohort] = (number, control)
        self.say(rollout, {number, control})

    @precondition(lambda self: self.world.open)
    @rule(which=st.integers(0, 5), well=st.booleans())
    def end(self, which: int, *, well: bool) -> None:
        cohort = sorted(self.world.open)[which % len(self.world.open)]
        number, control = self.world.open.pop(cohort)
        rollout = self.kept.catalog.find(Rollout, cohort)
        version = self.kept.catalog.find(Version, f"rain/{number}")
        assert rollout is not None
        assert version is not None
        state = RolloutState.DONE if well else RolloutState.REVERTED
        self.say(replace(rollout, state=state), {number} if well or not control else {control})
        if not well:
            self.registry.withdraw(version)
            return
        before = self.world.names.get(CHAMPION, 0)
        self.registry.crown(version)
        self.world.names[CHAMPION] = number
        if before and before != number:
            self.world.names[PREVIOUS] = before

    def say(self, rollout: Rollout, told: set[int]) -> None:
        statement = self.kept.blobs.put(f"{rollout} {told}".encode())
        named = [f"rain/{number}" for number in told - {0}]
        cohort = Cohort(key=rollout.cohort, sequence=1, statement=statement, versions=named)
        self.kept.catalog.put(rollout, cohort)
        self.world.told[rollout.cohort] = told

    @rule(device=st.sampled_from(DEVICES), which=st.integers(0, 50), moving=st.booleans())
    def take(self, device: str, which: int, *, moving: bool) -> None:
        number = self.draw(which)
        if not number or self.archived(number):
            return
        slots = self.world.devices[device]
        if moving:
            slots.target = number
        elif number != slots.active:
            slots.active, slots.previous, slots.target = number, slots.active, 0
        self.report(device)

    def report(self, device: str) -> None:
        slots = self.world.devices[device]
        names = {v.number: v.artifact for v in self.versions()}
        state = ReportedState(
            at=1.0,
            boot=1,
            sequence=1,
            state="serving",
            model="rain",
            version=slots.active or None,
            artifact=names.get(slots.active),
            target=slots.target or None,
            slots=[names[n] for n in (slots.active, slots.previous) if n],
        )
        self.kept.telemetry.pulse(device, state=None, reported=encode(state))

    @rule(which=st.integers(0, 50), name=st.sampled_from(NAMES))
    def name(self, which: int, name: str) -> None:
        if number := self.draw(which):
            self.shelf.alias("rain", number, name)
            self.world.names[name] = number

    @rule(which=st.integers(0, 50))
    def archive(self, which: int) -> None:
        number = self.draw(which)
        if not number:
            return
        try:
            self.shelf.archive("rain", number)
        except GateError:
            assert number in self.world.needed()
        else:
            held = {self.world.names.get(n) for n in NAMES} - {
                self.world.names.get(CHAMPION),
                self.world.names.get(PREVIOUS),
            }
            assert number not in self.world.needed() - held

    @rule(keep=st.integers(0, 2), delete=st.booleans(), fails_after=st.integers(0, 12))
    def retain(self, keep: int, *, delete: bool, fails_after: int) -> None:
        if not self.versions():
            return
        before = {v.key: v.state for v in self.versions()}
        blobs = _Failing(self.kept, fails_after)
        shelf = Shelf(self.kept.catalog, self.kept.telemetry, blobs.blobs, nullcontext())
        try:
            with blobs:
                shelf.retain("rain", keep, delete=delete)
        except OSError:
            assert delete
        if not delete:
            assert {v.key: v.state for v in self.versions()} == before

    @rule(keep=st.integers(0, 2))
    def retain_to_the_end(self, keep: int) -> None:
        if not self.versions():
            return
        there = {v.number for v in self.versions() if v.state is not VersionState.DELETED}
        told = self.shelf.retain("rain", keep, delete=False)
        done = self.shelf.retain("rain", keep, delete=True)
        assert (told.deleted, told.freed_bytes) == (done.deleted, done.freed_bytes)
        again = self.shelf.retain("rain", keep, delete=True)
        assert (again.deleted, again.freed_bytes) == ([], 0)
        left = {v.number for v in self.versions() if v.state is not VersionState.DELETED}
        newest = set(sorted(there)[-keep:]) if keep else set()
        assert left == newest | (self.world.needed() & there)

    def archived(self, number: int) -> bool:
        found = self.kept.catalog.find(Version, f"rain/{number}")
        return found is not None and found.state is VersionState.ARCHIVED

    @invariant()
    def what_is_needed_is_there(self) -> None:
        blobs = self.kept.blobs
        for sha256 in self.user_data:
            assert blobs.has(sha256)
        needed = self.world.needed()
        runs = {run.key: run for run in self.kept.catalog.all(Run)}
        for version in self.versions():
            if version.number in needed or version.state is not VersionState.DELETED:
                assert version.state is not VersionState.DELETED
                assert version.manifest is not None
                assert version.transport is not None
                for sha256 in (version.artifact, version.manifest, version.transport):
                    assert blobs.has(sha256)
                for sha256 in runs[version.run].artifacts.values():
                    assert blobs.has(sha256)
        for cohort in self.kept.catalog.all(Cohort):
            assert cohort.statement is not None
            assert blobs.has(cohort.statement)
        for run in runs.values():
            if not run.swept:
                assert all(blobs.has(sha256) for sha256 in run.artifacts.values())


class _Failing:
    """Lets the disk fail after so many removals: as far as content goes, a crash."""

    def __init__(self, kept: Parts, after: int) -> None:
        self.blobs, self._left = kept.blobs, after
        self._remove = kept.blobs.remove

    def __enter__(self) -> None:
        def remove(sha256: str) -> bool:
            if self._left == 0:
                raise OSError("the power went")
            self._left -= 1
            return self._remove(sha256)

        self.blobs.remove = remove  # type: ignore[method-assign]  # restored below

    def __exit__(self, *_: object) -> None:
        self.blobs.remove = self._remove  # type: ignore[method-assign]


TestRetention = Retention.TestCase
TestRetention.settings = settings(
    max_examples=30,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
