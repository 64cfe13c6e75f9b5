"""A story in which nothing changes: 200,000 rows on 20 devices, and no reason to do anything."""

from collections.abc import Iterator
from typing import ClassVar

from msgspec.structs import replace

from fleetloop_firmware_sim.stories import steady, steady_acts
from fleetloop_firmware_sim.stories.feeding import Feeding, Rhythm
from fleetloop_firmware_sim.stories.quiet.summary import QuietSummary, budget, demands
from fleetloop_firmware_sim.stories.stage import Stage
from fleetloop_firmware_sim.stories.story import Asked, Story

ROWS_EACH = 10_000

_FAST = Rhythm(batch_rows=250, pause_s=0.02, most_ahead_rows=500)


class Quiet(Story[QuietSummary]):
    """Hours of a steady world; the seed draws them."""

    name: ClassVar[str] = "quiet"
    caption: ClassVar[str] = (
        "nothing changes for 200,000 rows on 20 devices, and nobody is disturbed"
    )
    usual_devices: ClassVar[int] = 20
    fewest_devices: ClassVar[int] = 2

    def __init__(self, asked: Asked) -> None:
        """Draw what each station measures."""
        super().__init__(asked)
        stations = range(1, self.devices + 1)
        self._lives = [steady.life(ROWS_EACH, self.seed, station) for station in stations]

    def blank(self) -> QuietSummary:
        return QuietSummary(story=self.name, seed=self.seed)

    def play(self, stage: Stage, found: QuietSummary) -> Iterator[QuietSummary]:
        steady_acts.first_version(stage, steady.training_csv(self.seed))
        steady_acts.everybody_runs_it(stage, self._lives)
        wanted = ROWS_EACH * len(stage.devices)
        stage.screen.chapter(f"3  {wanted:,} rows in which nothing changes")
        stage.feed(Feeding(stage.devices, _FAST))
        stage.until(
            lambda: all(device.sensor.done for device in stage.devices),
            300.0,
            "not every row was answered",
            fatal=False,
        )
        stage.settle()
        drift = stage.hub.api.get("/drift")
        yield replace(
            found,
            rows=sum(device.measured for device in stage.devices),
            rows_wanted=wanted,
            windows=drift["windows"],
            drift_alarms=drift["alarms"],
            alarms_budgeted=budget(wanted, steady.FALSE_ALARMS_PER_MILLION_ROWS),
            retrainings=len(stage.hub.decisions("retrain")),
            versions=len(stage.hub.versions(steady.MODEL)),
            devices_committed=stage.hub.committed(1),
        )

    def demands(self, found: QuietSummary) -> dict[str, bool]:
        return demands(found)

    def ending(self, found: QuietSummary) -> str:
        return (
            f"{found.rows:,} rows in {found.windows:,} windows on {found.devices} devices:"
            f" {found.drift_alarms} false alarms of {found.alarms_budgeted} budgeted,"
            f" {found.retrainings} retrainings"
        )
