"""Payment terminals meet a new technique of fraud; one fleet has the loop, its twin has not."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from msgspec.structs import replace

from fleetloop_firmware_sim.errors import StoryEndedError
from fleetloop_firmware_sim.stories.device import Device
from fleetloop_firmware_sim.stories.fraud.clearing import Clearing, Pair, life
from fleetloop_firmware_sim.stories.fraud.outcome import gather, weigh
from fleetloop_firmware_sim.stories.fraud.spec import spec_text
from fleetloop_firmware_sim.stories.fraud.summary import FraudSummary, demands
from fleetloop_firmware_sim.stories.fraud.world import NEW_DAY, PAST_DAYS, draw
from fleetloop_firmware_sim.stories.stage import Stage
from fleetloop_firmware_sim.stories.story import Asked, Story

MODEL, STILL = "payments", "payments-still"
_AFTER_ROWS = 10_000
_CALM_STEP_S, _NEW_STEP_S = 0.1, 0.3
_STORY_S = 400.0


class Fraud(Story[FraudSummary]):
    """A seeded region of customers, terminals and thieves; each device is the gateway of many."""

    name: ClassVar[str] = "fraud"
    caption: ClassVar[str] = (
        "payment terminals meet a new technique of fraud; one fleet has the loop, its twin has not"
    )
    usual_devices: ClassVar[int] = 6
    fewest_devices: ClassVar[int] = 4

    def __init__(self, asked: Asked) -> None:
        """Draw the world."""
        super().__init__(asked)
        self._world = draw(self.seed)
        newest = len(self._world.terms.techniques) - 1
        self._first_new = int(np.argmax(self._world.payments.technique == newest))
        self._pairs: list[Pair] = []
        self._noticed: dict[str, Any] | None = None
        self._noticed_rows = 0

    def blank(self) -> FraudSummary:
        return FraudSummary(story=self.name, seed=self.seed)

    def play(self, stage: Stage, found: FraudSummary) -> Iterator[FraudSummary]:
        self._begin(stage)
        clock = self._enrol(stage)
        self._before(stage, clock)
        stage.screen.chapter("4  A new technique appears: cards are tapped by radio from afar")
        clock.step_s, clock.until_day = _NEW_STEP_S, float(self._world.terms.days)
        stage.until(lambda: self._recovered(stage, clock), _STORY_S, "no recovery", fatal=False)
        stage.screen.chapter("5  What follows, to compare both fleets on the same uses")
        clock.until_day = float(self._world.terms.days)
        until = self._answered() + _AFTER_ROWS
        stage.until(
            lambda: clock.waits or self._answered() >= until, _STORY_S, "it took long", fatal=False
        )
        stage.settle()
        yield weigh(
            gather(self._world, self._pairs), self._first_new, self._seen(stage, clock, found)
        )

    def demands(self, found: FraudSummary) -> dict[str, bool]:
        return demands(found)

    def ending(self, found: FraudSummary) -> str:
        if not found.precision:
            return ""
        before, during, after = found.precision
        return (
            f"average precision {before:.2f} before, {during:.2f} during, {after:.2f} after"
            f" {found.rows_until_recovery} uses; without the loop {found.still_precision[-1]:.2f}"
            f" on the same {found.rows[-1]:,} uses (gain at least {found.gain_low:.2f});"
            f" {found.caught_eur:,.0f} € of {found.fraud_eur:,.0f} € of fraud found,"
            f" without the loop {found.still_caught_eur:,.0f} €"
        )

    # --- acts -------------------------------------------------------------------------------------

    def _begin(self, stage: Stage) -> None:
        stage.screen.chapter("1  A hub on this machine")
        stage.open()
        past = self._world.csv(PAST_DAYS)
        (stage.folder / "past.csv").write_text(past, "utf-8")
        stage.screen.chapter("2  A model of the fraud that is known")
        stage.screen.say(
            "world", f"{past.count(chr(10)) - 1:,} uses of cards, whose truth is known"
        )
        for model, loop in ((MODEL, True), (STILL, False)):
            version = stage.train(model, spec_text(model, loop=loop), "the first version")
            if version["state"] == "blocked":
                raise StoryEndedError(f"the first version of {model} was blocked by its gates")

    def _enrol(self, stage: Stage) -> Clearing:
        stage.screen.chapter(f"3  Two fleets of {self.devices // 2} gateways each, the same uses")
        count = self.devices // 2
        live = np.arange(self._world.first_row(PAST_DAYS), len(self._world.payments))
        gateway = self._world.payments.terminal[live] % count
        for number in range(count):
            rows = live[gateway == number]
            seen = life(self._world, rows)
            loop = Device(f"gateway-{number + 1}", seen, stage.place("gateways"))
            still = Device(f"still-{number + 1}", seen, stage.place("still"))
            self._pairs.append(Pair(rows, loop, still))
            stage.devices += [loop, still]
        for device in stage.devices:
            device.process.start()
        everybody = len(stage.devices)
        stage.until(lambda: stage.hub.online() == everybody, 120.0, "the gateways did not enrol")
        stage.roll_out(MODEL, 1, "gateways")
        stage.roll_out(STILL, 1, "still")
        clock = Clearing(self._world, self._pairs, stage.hub.api, PAST_DAYS + 1.0)
        clock.step_s = _CALM_STEP_S
        clock.until_day = NEW_DAY - 4.0
        stage.feed(clock)
        stage.until(lambda: stage.hub.committed(1) == everybody, 120.0, "not everybody committed")
        return clock

    def _before(self, stage: Stage, clock: Clearing) -> None:
        clock.until_day = float(NEW_DAY)
        stage.until(lambda: clock.waits, 180.0, "the days before did not pass")

    def _recovered(self, stage: Stage, clock: Clearing) -> bool:
        """Whether a later version is everywhere, or the world has ended.

        The clock stands while a run is under way: it lasts minutes, and a day passes in seconds.
        """
        training = any(run["state"] == "running" for run in stage.hub.runs(MODEL))
        clock.until_day = clock.day if training else float(self._world.terms.days)
        if self._noticed is None and (made := stage.hub.decisions("retrain")):
            self._noticed = made[0]
            self._noticed_rows = self._answered()
        ended = clock.waits and not training
        return ended or self._committed(stage) * 2 == len(stage.devices)

    # --- figures ----------------------------------------------------------------------------------

    def _answered(self) -> int:
        return sum(pair.answered for pair in self._pairs)

    def _of(self, stage: Stage, model: str) -> list[dict[str, Any]]:
        names = {(p.loop if model == MODEL else p.still).name for p in self._pairs}
        return [device for device in stage.hub.devices() if device["device"] in names]

    def _committed(self, stage: Stage) -> int:
        """Gateways with the loop that run a version after the first, and nothing under way."""
        return sum(
            (device["version"] or 0) > 1 and not device["target"]
            for device in self._of(stage, MODEL)
        )

    def _seen(self, stage: Stage, clock: Clearing, found: FraudSummary) -> FraudSummary:
        versions = [int(device["version"] or 0) for device in self._of(stage, MODEL)]
        still = [int(device["version"] or 0) for device in self._of(stage, STILL)]
        began = self._first_new - self._world.first_row(PAST_DAYS)
        champion = max(versions, default=0)
        return replace(
            found,
            champion_after=champion,
            still_version=max(still, default=0),
            trigger="" if self._noticed is None else str(self._noticed["trigger"]),
            rows_until_noticed=None if self._noticed is None else self._noticed_rows - began,
            labels_told=clock.labels,
            devices_committed=versions.count(champion),
        )
