"""Keeps up with the profiles of all devices, and says who has moved."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping

from fleetloop_hub.errors import ImplausibleError
from fleetloop_hub.monitoring.device_windows import KEPT_WINDOWS, DeviceWindows, Loaded
from fleetloop_hub.monitoring.odd_one import judge_fleet
from fleetloop_hub.monitoring.yardstick import Standing, Yardstick
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.verdict_records import FleetVerdict
from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.reports import ProfileReport
from fleetloop_shared.topics import Topic

_LONG_S = 10.0
_PATIENCE_S = 600.0
_PAUSES = 2
_MANY = 100


class FleetProfiles:
    """For one thread at a time; what it costs a look is what is new."""

    def __init__(
        self, telemetry: Telemetry, yardstick: Callable[[str, int], Yardstick | None]
    ) -> None:
        """Begin with the newest windows that are kept.

        Args:
            telemetry: What devices say.
            yardstick: Of a version: its reference and thresholds, None if nothing is known of it.
        """
        self._telemetry, self._after = telemetry, 0
        self._find = yardstick
        self._read: dict[str, set[tuple[int, int]]] = {}
        self._windows: defaultdict[str, DeviceWindows] = defaultdict(DeviceWindows)
        self._standings: dict[str, tuple[Loaded, Standing]] = {}
        self._changed: set[str] = set()
        self._yardsticks: dict[Loaded, Yardstick] = {}
        self._verdicts: dict[Loaded, tuple[float, FleetVerdict]] = {}
        self._stale: set[Loaded] = set()

    def verdict(
        self, model: str, version: int, cohorts: Mapping[str, str], now: float
    ) -> FleetVerdict | None:
        """Who has moved, of the devices that serve a version; None if nothing is known of it.

        A fleet of more than a hundred devices is judged at most once in ten seconds.

        Args:
            model: The model.
            version: Its version.
            cohorts: The cohort of each enrolled device; others are not looked at.
            now: Unix seconds.
        """
        loaded = (model, version)
        yardstick = self._yardstick(loaded)
        if yardstick is None:
            return None
        self._keep_up()
        judged = self._verdicts.get(loaded)
        if judged is not None:
            at, verdict = judged
            soon = verdict.judged > _MANY and abs(now - at) < _LONG_S
            if loaded not in self._stale or soon:
                return verdict
        self._measure(loaded, yardstick, cohorts)
        standings = [
            s for of, s in self._standings.values() if of == loaded and s.device in cohorts
        ]
        names = self._silent([s.device for s in standings])
        silent = [s for s in standings if s.device in names]
        standings = [s for s in standings if s.device not in names]
        verdict = judge_fleet(model, version, yardstick, standings, silent)
        self._verdicts[loaded] = (now, verdict)
        self._stale.discard(loaded)
        return verdict

    def _silent(self, devices: list[str]) -> set[str]:
        """Devices that have said nothing for so long that their windows are of another time.

        Windows that come in bursts are waited for as long as the pauses between those are.
        """
        windows = {device: self._windows[device] for device in devices}
        timed = [(w.every_s, w.pause_s) for w in windows.values() if w.every_s is not None]
        if not timed:
            return set()
        every_s = statistics.median(every for every, _ in timed)
        pause_s = statistics.median(pause for _, pause in timed)
        patience_s = max(KEPT_WINDOWS * every_s, _PAUSES * pause_s, _PATIENCE_S)
        newest = max(w.heard_at for w in windows.values())
        return {d for d, w in windows.items() if newest - w.heard_at > patience_s}

    def _keep_up(self) -> None:
        changed, self._after = self._telemetry.digests.changed(self._after)
        for device in sorted(changed):
            self._take(device)
            windows = self._windows[device]
            briefs = self._telemetry.digests.windows(device, limit=2 * KEPT_WINDOWS)
            if windows.judge(briefs) and windows.loaded is not None:
                self._change(device, windows.loaded)

    def _take(self, device: str) -> None:
        """The profiles of a device that were not there before."""
        stored = self._telemetry.digests.profiles(device, KEPT_WINDOWS)
        read = self._read.get(device, set())
        self._read[device] = {(one.boot, one.seq) for one in stored}
        for one in stored:
            if (one.boot, one.seq) in read:
                continue
            report = decode_compressed(one.payload, ProfileReport)
            loaded = (report.model, report.version)
            yardstick = self._yardstick(loaded)
            if yardstick is not None and not yardstick.fits(report.profile):
                self._refuse(report)
            elif self._windows[device].take(report, one):
                self._change(device, loaded)

    def _change(self, device: str, loaded: Loaded) -> None:
        self._changed.add(device)
        self._stale.add(loaded)
        was = self._standings.get(device)
        if was is not None and was[0] != loaded:
            del self._standings[device]
            self._stale.add(was[0])

    def _refuse(self, report: ProfileReport) -> None:
        text = (
            f"a profile of {report.model} version {report.version} with other features or bins than"
            " its reference: it is kept, but merged with nothing"
        )
        where = Topic.PROFILE.at(device=report.device)
        self._telemetry.refuse(report.device, ImplausibleError.reason, text, where)

    def _measure(self, loaded: Loaded, yardstick: Yardstick, cohorts: Mapping[str, str]) -> None:
        for device in sorted(self._changed):
            windows = self._windows[device]
            if windows.loaded != loaded:
                continue
            self._changed.discard(device)
            profile = windows.now()
            if profile is not None:
                cohort = cohorts.get(device, "")
                usual, alarmed = windows.usual(), windows.since_alarm()
                standing = yardstick.stand(device, cohort, profile, usual, alarmed)
                self._standings[device] = (loaded, standing)

    def _yardstick(self, loaded: Loaded) -> Yardstick | None:
        if loaded not in self._yardsticks:
            found = self._find(*loaded)
            if found is None:
                return None
            self._yardsticks[loaded] = found
        return self._yardsticks[loaded]
