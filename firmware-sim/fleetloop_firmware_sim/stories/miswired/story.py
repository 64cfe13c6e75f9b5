"""A story of one broken device: two of its sensors are swapped, and that is no changed world."""

import random
from collections.abc import Iterator
from typing import ClassVar

from msgspec.structs import replace

from fleetloop_firmware_sim.stories import steady, steady_acts
from fleetloop_firmware_sim.stories.feeding import Feeding, Rhythm
from fleetloop_firmware_sim.stories.miswired.summary import MOST_ROWS, MiswiredSummary, demands
from fleetloop_firmware_sim.stories.stage import Stage
from fleetloop_firmware_sim.stories.story import Asked, Story

SWAPPED_AT_ROW = 4_096
ROWS_EACH = 8_192
AFTERWARDS_ROWS = 768

PAIRS = (("temperature_c", "dew_point_c"), ("wind_ms", "gust_ms"))

_BEFORE = Rhythm(batch_rows=128, pause_s=0.1, most_ahead_rows=256)
_AFTER = Rhythm(batch_rows=16, pause_s=0.2, most_ahead_rows=64)
_UNTIL_ALL_ARE_CLOSE_ROWS = 256


class Miswired(Story[MiswiredSummary]):
    """Hours of a steady world; the seed draws them, the station, and which sensors are swapped."""

    name: ClassVar[str] = "miswired"
    caption: ClassVar[str] = (
        "one station's sensors are swapped; it is named and looked at, and nothing is retrained"
    )
    usual_devices: ClassVar[int] = 8
    fewest_devices: ClassVar[int] = 4

    def __init__(self, asked: Asked) -> None:
        """Draw who is miswired, and how."""
        super().__init__(asked)
        chance = random.Random(f"miswired {self.seed}")  # noqa: S311  # a story, not a secret
        self.victim, self.pair = chance.randrange(self.devices), chance.choice(PAIRS)
        stations = range(1, self.devices + 1)
        self.lives = [steady.life(ROWS_EACH, self.seed, station) for station in stations]
        self.lives[self.victim] = steady.swapped(self.lives[self.victim], SWAPPED_AT_ROW, self.pair)

    def blank(self) -> MiswiredSummary:
        return MiswiredSummary(
            story=self.name,
            seed=self.seed,
            miswired=f"station-{self.victim + 1}",
            sensors=self.pair,
            swapped_at_row=SWAPPED_AT_ROW,
        )

    def play(self, stage: Stage, found: MiswiredSummary) -> Iterator[MiswiredSummary]:
        steady_acts.first_version(stage, steady.training_csv(self.seed))
        steady_acts.everybody_runs_it(stage, self.lives)
        found = replace(found, rows_until_named=self._named(stage))
        yield self._counted(stage, found)
        self._go_on(stage, AFTERWARDS_ROWS)
        stage.settle()
        after = stage.devices[self.victim].measured - SWAPPED_AT_ROW
        yield self._counted(
            stage, replace(found, rows_after_named=max(0, after - (found.rows_until_named or 0)))
        )

    def demands(self, found: MiswiredSummary) -> dict[str, bool]:
        return demands(found)

    def ending(self, found: MiswiredSummary) -> str:
        if found.rows_until_named is None:
            return ""
        return (
            f"{' and '.join(found.sensors)} of {found.miswired} were swapped at its row"
            f" {found.swapped_at_row:,}; {', '.join(found.investigated) or 'nobody'} was named"
            f" {found.rows_until_named:,} rows later: {found.reason}"
        )

    def _named(self, stage: Stage) -> int | None:
        """Until the hub decides to look at a device; rows of the victim from the swap till then."""
        victim = stage.devices[self.victim]
        stage.screen.chapter("3  All is well, until two wires are mixed up")
        stage.feed(Feeding(stage.devices, _BEFORE))
        close = SWAPPED_AT_ROW - _UNTIL_ALL_ARE_CLOSE_ROWS
        stage.until(lambda: self._least(stage) >= close, 240.0, "the stations never got there")
        stage.hush()
        stage.feed(Feeding(stage.devices, _AFTER))
        stage.until(lambda: self._least(stage) >= SWAPPED_AT_ROW, 240.0, "nothing was measured")
        stage.screen.say(
            victim.name, f"{self.pair[0]} and {self.pair[1]} are in each other's place", "yellow"
        )
        stage.until(
            lambda: (
                stage.hub.decisions("investigate-device")
                or victim.measured > SWAPPED_AT_ROW + 2 * MOST_ROWS
            ),
            240.0,
            "no device was named",
            fatal=False,
        )
        if not stage.hub.decisions("investigate-device"):
            return None
        return victim.measured - SWAPPED_AT_ROW

    def _go_on(self, stage: Stage, rows: int) -> None:
        until = self._least(stage) + rows
        stage.until(lambda: self._least(stage) >= until, 240.0, "nothing was measured")

    def _least(self, stage: Stage) -> int:
        return min(device.measured for device in stage.devices)

    def _counted(self, stage: Stage, found: MiswiredSummary) -> MiswiredSummary:
        named = stage.hub.decisions("investigate-device")
        return replace(
            found,
            investigated=tuple(sorted({name for d in named for name in d["devices"]})),
            reason=named[-1]["reasons"][0] if named else "",
            retrainings=len(stage.hub.decisions("retrain")),
            versions=len(stage.hub.versions(steady.MODEL)),
            devices_committed=stage.hub.committed(1),
        )
