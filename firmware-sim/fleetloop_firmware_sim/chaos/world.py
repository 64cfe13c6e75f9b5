"""A story happening: time, trouble, devices and hub, moved on together by one loop."""

import random
from pathlib import Path

from fleetloop_firmware_sim.chaos.air import Air
from fleetloop_firmware_sim.chaos.device import SimDevice, Surroundings
from fleetloop_firmware_sim.chaos.promises import BrokenPromiseError, Ledger, lacks
from fleetloop_firmware_sim.chaos.real_hub import RealHub
from fleetloop_firmware_sim.chaos.real_hub_parts import desired_in
from fleetloop_firmware_sim.chaos.story import Act, Kind, Story
from fleetloop_firmware_sim.chaos.trace import Trace
from fleetloop_firmware_sim.clock import EPOCH_S
from fleetloop_shared.messages import DesiredState
from fleetloop_shared.topics import Topic

TICKS_S = (0.25, 0.5, 1.0, 1.5)
"""Time that passes at once while there is trouble; which, is left to chance."""

QUIET_TICKS_S = (0.5,)
PATIENT_TICKS_S = (5.0, 0.5, 0.5, 0.5)
"""The same when all is quiet, in turn: at first, and when it takes longer.

The short ones are for what was said in the long one: it is heard, kept and acknowledged in three.
"""

SETTLING_S = 5.0
"""So much quiet there is at least."""

PATIENT_AFTER_S = 30.0
PATIENCE_S = 600.0
"""Who has not found together after so much quiet never will."""


class World:
    """Everything there is in a story."""

    def __init__(self, story: Story, folder: Path, trace: Trace) -> None:
        """Nothing has happened yet.

        Args:
            story: What will.
            folder: An empty folder for the databases.
            trace: Is told what happens.
        """
        self._story, self._trace = story, trace
        self._ledger = Ledger()
        self._air = Air(story.seed, trace)
        self._lot = random.Random(f"world {story.seed}")  # noqa: S311  # to be repeatable
        self._now_s = 0.0
        self._later: list[tuple[float, Act]] = []
        around = Surroundings(self._air, self._ledger, trace, folder)
        self._hub = RealHub(story, around, lambda: EPOCH_S + self._now_s)
        self._devices = {
            name: SimDevice(self._hub.identity(name, cohort), around, EPOCH_S)
            for name, cohort in story.devices.items()
        }

    def tell(self) -> float:
        """Let the story happen to its end; returns how many seconds it took.

        Raises:
            BrokenPromiseError: Somebody has done what must never happen.
        """
        acts = list(self._story.acts)
        while self._now_s < self._story.quiet_s:
            while acts and acts[0].at_s <= self._now_s:
                self._begin(acts.pop(0))
            self._tick(self._lot.choice(TICKS_S))
        for act in acts:
            if act.kind is Kind.ROLL_OUT:
                self._begin(act)
        self._heal()
        turn = 0
        while (trouble := self._unsettled()) is not None:
            quiet_s = self._now_s - self._story.quiet_s
            if quiet_s > PATIENCE_S:
                raise BrokenPromiseError(f"{quiet_s:.0f} s of quiet, and {trouble}")
            ticks_s = QUIET_TICKS_S if quiet_s < PATIENT_AFTER_S else PATIENT_TICKS_S
            self._tick(ticks_s[turn % len(ticks_s)])
            turn += 1
        self._check_reports()
        return self._now_s

    @property
    def rollouts(self) -> dict[str, int]:
        """How many rollouts are in each state."""
        return self._hub.rollouts

    def close(self) -> None:
        """Let all files go."""
        for device in self._devices.values():
            device.close()
        self._hub.close()

    def _tick(self, seconds: float) -> None:
        self._now_s += seconds
        self._trace.now_s = self._now_s
        due = [act for end_s, act in self._later if end_s <= self._now_s]
        self._later = [(end_s, act) for end_s, act in self._later if end_s > self._now_s]
        for act in due:
            self._end(act)
        self._air.deliver(self._now_s)
        self._hub.step(self._now_s)
        for device in self._devices.values():
            device.clock.step(seconds)
            device.step(self._now_s)

    # --- trouble ----------------------------------------------------------------------------------

    def _begin(self, act: Act) -> None:  # noqa: C901, PLR0912  # one case a kind
        self._trace.note("story", act.words)
        lot = random.Random(act.lot)  # noqa: S311  # to be repeatable
        device = self._devices.get(act.who)
        until_s = self._now_s + act.for_s
        match act.kind:
            case Kind.ROLL_OUT:
                self._hub.ask(act.count, act.who)
            case Kind.POWER:
                (device or self._hub).cut_after(act, lot)
            case Kind.FULL:
                (device or self._hub).fill(act.count)
            case Kind.PARTITION:
                self._air.block(act.who)
                self._later.append((until_s, act))
            case Kind.STORM:
                self._air.ratio = act.ratio
                self._later.append((until_s, act))
            case Kind.REPLAY:
                for _ in range(act.count):
                    self._air.replay(lot)
            case Kind.RESTART:
                self._air.stop()
                self._later.append((until_s, act))
            case Kind.ROT if device:
                device.rot(lot)
            case Kind.READ_ONLY if device:
                device.make_read_only(until_s, lot)
            case Kind.UNREADABLE if device:
                device.make_unreadable(until_s, lot)
            case Kind.JUMP if device:
                device.clock.set(device.clock.now() + act.for_s)
            case Kind.DRIFT if device:
                device.clock.drift_ratio = act.ratio
            case _:
                raise ValueError(f"{act.kind} cannot happen to {act.who}")

    def _end(self, act: Act) -> None:
        match act.kind:
            case Kind.PARTITION:
                self._air.unblock(act.who)
            case Kind.STORM:
                self._air.ratio = 0.0
            case Kind.RESTART if not self._air.running:
                self._air.start()

    def _heal(self) -> None:
        """All trouble ends, and every connection is made anew once."""
        self._trace.note("story", "all trouble ends")
        for _, act in self._later:
            self._end(act)
        self._later = []
        self._hub.heal(self._now_s)
        for device in self._devices.values():
            device.heal(self._now_s, EPOCH_S + self._now_s)
        self._air.renew()

    # --- how it ends ------------------------------------------------------------------------------

    def _unsettled(self) -> str | None:
        """What is still to come before everybody has found together; None: nothing."""
        if self._now_s < self._story.quiet_s + SETTLING_S:
            return "it has only just become quiet"
        hub = self._hub.unsettled
        devices = [(name, self._lacks(device)) for name, device in self._devices.items()]
        return hub or next((f"{name} {text}" for name, text in devices if text), None)

    def _lacks(self, device: SimDevice) -> str | None:
        if device.board is None:
            return "is off"
        desired = self._desired(device.cohort)
        if desired is None and any(c == device.cohort for c, _ in self._ledger.statements):
            return "does not find its statement at the broker"
        return lacks(device.board, desired, device.name)

    def _desired(self, cohort: str) -> DesiredState | None:
        payload = self._air.retained().get(Topic.DIRECTOR.at(cohort=cohort))
        return None if payload is None else desired_in(payload)

    def _check_reports(self) -> None:
        """Every report is at the hub, once, as it was written."""
        for device in self._devices.values():
            stored = self._hub.reports(device.name)
            for key, report in device.reports.items():
                if stored.get(key) != report:
                    raise BrokenPromiseError(
                        f"the hub has {stored.get(key)} in place of report {key}: {report}"
                    )
