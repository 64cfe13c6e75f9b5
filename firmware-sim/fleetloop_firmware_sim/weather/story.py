"""The demo's acts, in order: every step is done by the real hub and the real agents."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fleetloop_firmware_sim.hub_api import HubApi
from fleetloop_firmware_sim.weather.processes import Process
from fleetloop_firmware_sim.weather.screen import Screen
from fleetloop_firmware_sim.weather.station import Place, Station
from fleetloop_firmware_sim.weather.summary import Summary
from fleetloop_firmware_sim.weather.world import World

COHORT = "stations"
MODEL = "rain"

_LOOK_S = 0.2
_ROWS_PER_S = 16.0
_MOST_AHEAD_ROWS = 32
_SLOW_LINK_BYTES_PER_S = 8_000
_CHUNKS_BEFORE_THE_KILL = 9

_STYLES = {"good": "green", "busy": "", "warn": "yellow", "bad": "red", "off": "dim"}


class StoryEndedError(Exception):
    """The story cannot go on; the text says what did not happen."""


@dataclass(frozen=True)
class Stage:
    """Where the story plays.

    Attributes:
        folder: For everything that is written.
        api: The hub's HTTP interface.
        hub: The hub's process.
        world: What happens to whom.
        screen: Where it is told.
    """

    folder: Path
    api: HubApi
    hub: Process
    world: World
    screen: Screen


class Story:
    """Plays the acts and remembers what the summary needs.

    Attributes:
        stations: The devices, once they are set up.
        api: The hub's HTTP interface.
    """

    def __init__(self, stage: Stage) -> None:
        """Nothing happens before the first act."""
        self.stations: list[Station] = []
        self.api = stage.api
        self._stage, self._screen = stage, stage.screen
        self._told: set[str] = set()
        self._raining = threading.Event()
        self._weather: threading.Thread | None = None
        self._sent = self._stored = 0

    # --- acts -------------------------------------------------------------------------------------

    def open(self) -> None:
        """The hub starts, with a broker of its own."""
        self.chapter("1  A hub on this machine")
        self._stage.hub.start()
        self._until(self.api.awake, 30.0, "the hub did not start")
        self._screen.say("hub", f"console at {self.api.url}")
        self._screen.say("hub", f"broker at {self.api.get('/status')['broker']}")

    def train(self, spec: str) -> dict[str, Any]:
        """The first version is trained on winters; returns it, passed or blocked."""
        self.chapter("2  A first model that knows only winters")
        rows = self._stage.world.training_csv.count("\n") - 1
        self._screen.say("world", f"{rows:,} winter days of fourteen years: will it rain?")
        self.api.post("/models", {"spec": spec, "folder": str(self._stage.folder)})
        reason = "the first version: only winters are known"
        self.api.post("/runs", {"model": MODEL, "reason": reason})
        self._until(self._versions, 90.0, "the first training did not end")
        version = self._versions()[0]
        self._tell_version(version)
        return version

    def enrol(self, count: int) -> None:
        """Devices are set up, each with a one-time token; all but the last are switched on."""
        self.chapter(f"3  {count} stations enrol and get it over MQTT")
        for number, life in enumerate(self._stage.world.stations[:count], start=1):
            token = self.api.post("/tokens", {"cohort": COHORT})["token"]
            slow = _SLOW_LINK_BYTES_PER_S if number == count - 1 else None
            place = Place(self._stage.folder, self.api.url, token, slow)
            self.stations.append(Station(f"station-{number}", life, place))
        for station in self.stations[:-1]:
            station.process.start()
        self._screen.say(self.stations[-1].name, "is switched off for now", "dim")
        self._until(lambda: self._online() >= count - 1, 30.0, "the stations did not enrol")
        self._let_it_weather()

    def first_rollout(self) -> None:
        """The first version goes out; one device is killed in the middle of its fetch."""
        self.api.post("/rollouts", {"model": MODEL, "version": 1, "cohort": COHORT})
        victim = self.stations[-2]
        self._until(lambda: self._in_the_middle(victim), 60.0, f"{victim.name} never fetched")
        victim.process.kill()
        self._screen.say(victim.name, "power cut in the middle of the fetch (SIGKILL)", "yellow")
        victim.process.start()
        self._until(lambda: self._ended(1), 90.0, "the first rollout did not end")

    def late_comer(self) -> None:
        """The device that was off comes up and finds the standing statement."""
        late = self.stations[-1]
        self._screen.say(late.name, "is switched on, and finds what its cohort should run")
        late.process.start()
        self._until(lambda: self.committed(1) == len(self.stations), 60.0, "it never caught up")

    def lose_the_broker(self) -> None:
        """The broker is killed; nothing that was reported may be lost."""
        pid_file = self._stage.folder / "hub" / "broker" / "broker.pid"
        if not pid_file.exists():
            self._screen.say("world", "the broker is somebody else's: it is left alone")
            return
        pid = int(pid_file.read_text("utf-8"))
        os.kill(pid, signal.SIGKILL)
        self._screen.say(
            "world", "the broker is killed; agents keep serving and spooling", "yellow"
        )
        self._until(lambda: self._online() == len(self.stations), 60.0, "they never came back")
        self._screen.say("hub", "broker restarted, every station is back")

    def world_changes(self) -> dict[str, Any] | None:
        """Winter goes on into spring and summer, until the hub decides to retrain, or never."""
        self.chapter("4  The world changes: winter, spring, summer")
        self._until(lambda: self._decided() or self._weathered(), 300.0, "the weather never ended")
        return self._decided()

    def second_rollout(self) -> dict[str, Any]:
        """The hub retrains and judges, again with more labels if a gate blocks; then rolls out.

        Returns:
            The version that took over, or the last one that was blocked before the weather ended.
        """
        self.chapter("5  The hub retrains, judges, and rolls out")
        known = 1
        while True:
            self._until(lambda: len(self._versions()) > known, 120.0, "no retraining ended")  # noqa: B023  # called at once
            version = self._versions()[0]
            known = len(self._versions())
            self._tell_version(version)
            if version["state"] != "blocked":
                number = int(version["number"])
                self._until(lambda: self._ended(number), 120.0, "the second rollout did not end")  # noqa: B023
                return version
            if self._weathered():
                return version
            self._screen.say("hub", "the champion stays; more labels are coming", "yellow")

    def settle(self) -> None:
        """The weather stops; every report that was written reaches the hub."""
        self._raining.clear()
        if self._weather is not None:
            self._weather.join()
        for station in self.stations:
            station.sensor.tell_the_rest()
        self._until(self._all_stored, 60.0, "not every report has reached the hub", fatal=False)

    def close(self) -> None:
        """Everything that was started is ended."""
        self._raining.clear()
        for station in self.stations:
            station.process.stop()
        self._stage.hub.stop()

    def chapter(self, title: str) -> None:
        """A new part of the story begins."""
        self._screen.chapter(title)

    def count(self, found: Summary) -> Summary:
        """The summary with what hub and devices have counted."""
        drift = self.api.get("/drift")
        statuses = [station.status() for station in self.stations]
        status = self.api.get("/status")
        return msgspec.structs.replace(
            found,
            drift_alarms=drift["alarms"],
            first_drift_after_rows=drift["first_alarm_after_rows"],
            resumed_fetches=sum(s["reported"]["resumed_fetches"] for s in statuses if s),
            reports_sent=self._sent,
            reports_stored=self._stored,
            hub_egress_bytes=status["egress_bytes"],
        )

    # --- watching ---------------------------------------------------------------------------------

    def watch(self) -> dict[str, Any]:
        """The hub's overview now; what is new in it is told."""
        overview: dict[str, Any] = self.api.get("/overview")
        for event in reversed(overview["events"]):
            key = f"{event['device']} {event['at']} {event['text']}"
            self._tell(key, event["device"], event["text"], _STYLES.get(event["level"], ""))
        for decision in reversed(overview["decisions"]):
            text = f"{decision['verdict']}: {decision['reasons'][0]}"
            if decision["trigger"] != "person":
                self._tell(f"{decision['key']} {text}", "hub", text, "bold")
        if rollout := overview.get("rollout"):
            text = f"rollout of version {rollout['version']}, {rollout['text']}"
            self._tell(f"{rollout['key']} {text}", "hub", text)
        self._screen.show(overview["devices"])
        return overview

    def _tell(self, key: str, who: str, text: str, style: str = "") -> None:
        if key not in self._told:
            self._told.add(key)
            self._screen.say(who, text, style)

    def _tell_version(self, version: dict[str, Any]) -> None:
        sizes = f"{version['float_bytes']:,} bytes float, {version['artifact_bytes']:,} quantized"
        self._screen.say("hub", f"version {version['number']}: {version['why']}; {sizes}")
        for gate in version["gates"]:
            mark, style = ("passed", "green") if gate["passed"] else ("FAILED", "red")
            self._screen.say("gate", f"{mark}: {gate['text']}", style)

    def _until(
        self, met: Callable[[], object], patience_s: float, otherwise: str, *, fatal: bool = True
    ) -> None:
        deadline = time.monotonic() + patience_s
        while not met():
            if not self._stage.hub.running:
                raise StoryEndedError(f"the hub has ended:\n{self._stage.hub.last_words()}")
            if time.monotonic() > deadline:
                if fatal:
                    raise StoryEndedError(f"{otherwise} within {patience_s:.0f} s")
                self._screen.say("demo", f"{otherwise} within {patience_s:.0f} s", "red")
                return
            time.sleep(_LOOK_S)
            if self._told or self.api.awake():
                self.watch()

    def _let_it_weather(self) -> None:
        self._raining.set()
        self._weather = threading.Thread(target=self._rain, name="weather", daemon=True)
        self._weather.start()

    def _rain(self) -> None:
        """The same date everywhere: who is ahead waits for the others that are switched on."""
        while self._raining.is_set():
            there = [station for station in self.stations if station.process.running]
            last = min((station.measured for station in there), default=0)
            for station in there:
                if station.measured < last + _MOST_AHEAD_ROWS:
                    station.measure(1)
            time.sleep(1.0 / _ROWS_PER_S)

    def _versions(self) -> list[dict[str, Any]]:
        versions: list[dict[str, Any]] = self.api.get("/versions")["versions"]
        return versions

    def _online(self) -> int:
        return sum(bool(d["online"]) for d in self.api.get("/devices")["devices"])

    def committed(self, version: int) -> int:
        """How many devices run this version, and nothing else under way."""
        devices = self.api.get("/devices")["devices"]
        return sum(d["version"] == version and not d["target"] for d in devices)

    def _ended(self, version: int) -> bool:
        rollout = self.api.get("/overview")["rollout"]
        return bool(rollout and rollout["version"] == version and rollout["ended_at"])

    def _in_the_middle(self, station: Station) -> bool:
        status = station.status().get("reported", {})
        have, total = status.get("chunks_have", 0), status.get("chunks_total", 0)
        return bool(_CHUNKS_BEFORE_THE_KILL <= have < total)

    def _decided(self) -> dict[str, Any] | None:
        decisions = self.api.get("/decisions")["decisions"]
        made = [d for d in decisions if d["verdict"] == "retrain" and d["trigger"] != "person"]
        return made[-1] if made else None

    def _weathered(self) -> bool:
        return all(station.sensor.done for station in self.stations)

    def _all_stored(self) -> bool:
        """Devices go on reporting, so both are read until they are the same at one moment."""
        statuses = [station.status() for station in self.stations]
        self._sent = sum(int(status["reports"]) for status in statuses if status)
        self._stored = int(self.api.get("/status")["reports_stored"])
        return self._sent == self._stored
