"""Where a story plays: a hub's process, the devices, and waiting for what they do."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetloop_firmware_sim.errors import StoryEndedError
from fleetloop_firmware_sim.hub_api import HubApi
from fleetloop_firmware_sim.stories.device import Device, Place
from fleetloop_firmware_sim.stories.feeding import Feeding
from fleetloop_firmware_sim.stories.hub_kills import Kill
from fleetloop_firmware_sim.stories.hub_view import HubView
from fleetloop_firmware_sim.stories.processes import Process
from fleetloop_firmware_sim.stories.screen import Screen
from fleetloop_firmware_sim.stories.telling import Telling

_LOOK_S = 0.2
_HUB_STARTS_S = 60.0
_BROKER_BACK_S = 90.0
_TRAINED_S = 240.0


@dataclass(frozen=True)
class Setting:
    """What a stage is made of.

    Attributes:
        folder: For everything that is written.
        api: The hub's HTTP interface.
        hub: The hub's process.
        screen: Where the story is told.
        kills: When the hub is killed, in order.
    """

    folder: Path
    api: HubApi
    hub: Process
    screen: Screen
    kills: list[Kill]


class Stage:
    """What acts are made of; whatever waits here may see the hub killed and started again.

    Attributes:
        devices: The devices, once they are set up.
        hub: What the hub says.
        screen: Where the story is told.
        folder: For everything that is written.
        hub_kills: How often the hub was killed.
        reports_sent: Reports that devices have written, when they were last counted.
        reports_stored: Reports that the hub had stored then.
    """

    def __init__(self, setting: Setting) -> None:
        """Nothing runs before `open`."""
        self.devices: list[Device] = []
        self.hub = HubView(setting.api)
        self.screen, self.folder = setting.screen, setting.folder
        self.hub_kills = self.reports_sent = self.reports_stored = 0
        self._api, self._process = setting.api, setting.hub
        self._kills = list(setting.kills)
        self._telling = Telling(setting.screen)
        self._awake_since_s: float | None = None
        self._feedings: list[Feeding] = []

    # --- acts that every story has ----------------------------------------------------------------

    def open(self) -> None:
        """The hub starts, with a broker of its own."""
        self._start_hub()
        self.screen.say("hub", f"console at {self._api.url}")
        self.screen.say("hub", f"broker at {self._api.get('/status')['broker']}")

    def train(self, model: str, spec: str, reason: str) -> dict[str, Any]:
        """A model's next version, asked for by a person; returns it, passed or blocked.

        A run that the hub's end has cut short is asked for again, as a person would.
        """
        known = len(self.hub.versions(model))
        self._api.post("/models", {"spec": spec, "folder": str(self.folder)})
        keys: set[str] = set()

        def trained() -> bool:
            if len(self.hub.versions(model)) > known:
                return True
            failed = {run["key"]: run["error"] for run in self.hub.runs(model) if run["error"]}
            for key in failed.keys() & keys:
                self.screen.say("hub", f"run {key}: {failed[key]}", "yellow")
            if keys <= failed.keys():
                keys.clear()
                keys.add(self._api.post("/runs", {"model": model, "reason": reason})["run"])
            return False

        self.until(trained, _TRAINED_S, "the training did not end")
        version = self.hub.versions(model)[0]
        self.tell_version(version)
        return version

    def token(self, cohort: str) -> str:
        """A one-time token with which a device may enrol."""
        token: str = self._api.post("/tokens", {"cohort": cohort})["token"]
        return token

    def place(self, cohort: str, **where: Any) -> Place:  # noqa: ANN401  # the fields of Place
        """A place for a device of a cohort, below the story's folder."""
        return Place(self.folder, self._api.url, self.token(cohort), **where)

    def roll_out(self, model: str, version: int, cohort: str) -> None:
        """Ask for a rollout, as a person does."""
        self._api.post("/rollouts", {"model": model, "version": version, "cohort": cohort})

    def kill_broker(self) -> bool:
        """The broker is killed, and everybody comes back; False if it is somebody else's."""
        pid_file = self.folder / "hub" / "broker" / "broker.pid"
        if not pid_file.exists():
            self.screen.say("world", "the broker is somebody else's: it is left alone")
            return False
        pid = int(pid_file.read_text("utf-8"))
        os.kill(pid, signal.SIGKILL)
        self.screen.say("world", "the broker is killed; agents keep serving and spooling", "yellow")
        self.until(
            lambda: _pid(pid_file) not in (None, pid) and self.hub.online() == len(self.devices),
            _BROKER_BACK_S,
            "they never came back",
        )
        self.screen.say("hub", "broker restarted, every device is back")
        return True

    def settle(self) -> None:
        """Feeding stops; every report that was written reaches the hub."""
        self.hush()
        for device in self.devices:
            device.sensor.tell_the_rest()
        self.until(self._all_stored, 90.0, "not every report has reached the hub", fatal=False)

    # --- feeding, watching, waiting ---------------------------------------------------------------

    def feed(self, feeding: Feeding) -> None:
        """Devices measure from now on."""
        self._feedings.append(feeding)
        feeding.start()

    def hold(self, *, still: bool) -> None:
        """Let time stand still, or go on: a story's seconds are months, a training's are not."""
        for feeding in self._feedings:
            feeding.held = still

    def hush(self) -> None:
        """No device measures any longer."""
        for feeding in self._feedings:
            feeding.stop()
        self._feedings.clear()

    def watch(self) -> None:
        """What is new at the hub is told."""
        self._telling.overview(self._api.get("/overview"))

    def tell_version(self, version: dict[str, Any]) -> None:
        """What has come of a training."""
        self._telling.version(version)

    def until(
        self, met: Callable[[], object], patience_s: float, otherwise: str, *, fatal: bool = True
    ) -> None:
        """Wait until something is so; meanwhile what happens is told.

        Args:
            met: Whether it is so; may ask the hub.
            patience_s: For how long; the time that a killed hub is away is not counted.
            otherwise: What has not happened, in words.
            fatal: Whether the story ends if it does not happen.

        Raises:
            StoryEndedError: It has not happened, or the hub has ended by itself.
        """
        deadline = time.monotonic() + patience_s
        while not met():
            self._check_hub()
            if time.monotonic() > deadline:
                if fatal:
                    raise StoryEndedError(f"{otherwise} within {patience_s:.0f} s")
                self.screen.say("demo", f"{otherwise} within {patience_s:.0f} s", "red")
                return
            time.sleep(_LOOK_S)
            deadline += self._kill_hub_if_due()
            self.watch()

    def close(self) -> None:
        """Everything that was started is ended."""
        self.hush()
        for device in self.devices:
            device.process.ask_to_stop()
        for device in self.devices:
            device.process.stop()
        self._process.stop()

    # --- the hub's process ------------------------------------------------------------------------

    def _start_hub(self) -> None:
        self._process.start()
        deadline = time.monotonic() + _HUB_STARTS_S
        while not self._api.awake():
            self._check_hub()
            if time.monotonic() > deadline:
                raise StoryEndedError(f"the hub did not start within {_HUB_STARTS_S:.0f} s")
            time.sleep(_LOOK_S)
        self._awake_since_s = time.monotonic()

    def _check_hub(self) -> None:
        if not self._process.running:
            raise StoryEndedError(f"the hub has ended:\n{self._process.last_words()}")

    def _kill_hub_if_due(self) -> float:
        """Kill it at its moment and start it again; returns how many seconds that took."""
        now = time.monotonic()
        if not self._kills or now < (self._awake_since_s or now) + self._kills[0].after_s:
            return 0.0
        kill = self._kills.pop(0)
        self._process.kill()
        self.hub_kills += 1
        self.screen.say("world", "the hub is killed (SIGKILL); agents keep serving", "yellow")
        time.sleep(kill.off_s)
        self._start_hub()
        self.screen.say("hub", f"is back from its folder, after kill {self.hub_kills}")
        return time.monotonic() - now

    def _all_stored(self) -> bool:
        """Devices go on reporting, so both are read until they are the same at one moment."""
        statuses = [device.status() for device in self.devices]
        self.reports_sent = sum(int(status["reports"]) for status in statuses if status)
        self.reports_stored = int(self._api.get("/status")["reports_stored"])
        return all(statuses) and self.reports_sent == self.reports_stored


def _pid(file: Path) -> int | None:
    """Of the broker that runs now; None while it is being started."""
    try:
        return int(file.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
