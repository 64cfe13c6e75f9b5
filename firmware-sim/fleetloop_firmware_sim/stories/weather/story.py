"""The default story: a fleet that knows only winters, and the seasons that come."""

from collections.abc import Iterator
from importlib.resources import as_file, files
from typing import Any, ClassVar

from msgspec.structs import replace

from fleetloop_firmware_sim.stories.comparison import Comparison
from fleetloop_firmware_sim.stories.stage import Stage
from fleetloop_firmware_sim.stories.story import Asked, Story
from fleetloop_firmware_sim.stories.weather import acts
from fleetloop_firmware_sim.stories.weather.summary import WeatherSummary, demands
from fleetloop_firmware_sim.stories.weather.world import build

_DATA = files("fleetloop_firmware_sim") / "data"


class Weather(Story[WeatherSummary]):
    """Real weather; the seed says which years, and which of them at which station."""

    name: ClassVar[str] = "weather"
    caption: ClassVar[str] = (
        "a model that knows only winters meets spring and summer; the fleet notices and recovers"
    )
    usual_devices: ClassVar[int] = 6
    fewest_devices: ClassVar[int] = 3
    takes_data: ClassVar[bool] = True

    def __init__(self, asked: Asked) -> None:
        """Cut the recording."""
        super().__init__(asked)
        with as_file(_DATA / "noaa_weather.csv") as shipped:
            self._world = build(asked.data or shipped, self.devices, self.seed)

    def blank(self) -> WeatherSummary:
        return WeatherSummary(story=self.name, seed=self.seed)

    def play(self, stage: Stage, found: WeatherSummary) -> Iterator[WeatherSummary]:
        stage.screen.chapter("1  A hub on this machine")
        stage.open()
        spec = (_DATA / "rain.toml").read_text("utf-8")
        if acts.first_version(stage, self._world, spec)["state"] == "blocked":
            return
        acts.enrol(stage, self._world)
        acts.first_rollout(stage)
        acts.late_comer(stage)
        stage.kill_broker()
        found = replace(found, champion_before=1, champion_after=1)
        yield found
        second = acts.second_rollout(stage) if acts.world_changes(stage) else None
        stage.settle()
        found = _counted(stage, found)
        yield found
        if second is None or second["state"] == "blocked":
            return
        if not stage.hub.committed(second["number"]):
            return
        compared = acts.both_compared(stage, self._world)
        stage.settle()
        yield _recovered(stage, found, second, compared)

    def demands(self, found: WeatherSummary) -> dict[str, bool]:
        return demands(found)

    def ending(self, found: WeatherSummary) -> str:
        if found.accuracy_before is None or found.accuracy_after is None:
            return ""
        return (
            f"on {found.held_out_rows:,} later rows: version {found.champion_before} was right"
            f" on {found.accuracy_before:.1%}, version {found.champion_after} on"
            f" {found.accuracy_after:.1%} (gain {found.accuracy_gain:+.1%}, 95 % interval"
            f" {found.accuracy_gain_low:+.1%} to {found.accuracy_gain_high:+.1%})"
        )


def _counted(stage: Stage, found: WeatherSummary) -> WeatherSummary:
    """With what hub and devices have counted."""
    drift = stage.hub.api.get("/drift")
    statuses = [station.status() for station in stage.devices]
    return replace(
        found,
        drift_alarms=drift["alarms"],
        first_drift_after_rows=drift["first_alarm_after_rows"],
        resumed_fetches=sum(s["reported"]["resumed_fetches"] for s in statuses if s),
    )


def _recovered(
    stage: Stage, found: WeatherSummary, second: dict[str, Any], compared: Comparison
) -> WeatherSummary:
    return replace(
        found,
        champion_after=second["number"],
        devices_committed=stage.hub.committed(second["number"]),
        artifact_bytes=second["artifact_bytes"],
        float_bytes=second["float_bytes"],
        accuracy_before=round(compared.before, 4),
        accuracy_after=round(compared.after, 4),
        accuracy_gain=round(compared.after - compared.before, 4),
        accuracy_gain_low=round(compared.low, 4),
        accuracy_gain_high=round(compared.high, 4),
        held_out_rows=compared.rows,
    )
