"""The state folder of a hub of thousands of devices that have reported for a month.

One version is really trained by a hub, the catalog is grown from it, and what the simulator says in
the devices' names is stored by the hub's own telemetry, at the moment at which it would have come.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from msgspec.structs import replace

import fleetloop_firmware_sim
from fleetloop_firmware_sim.month.device import MonthDevice, Pace, Spell
from fleetloop_firmware_sim.month.windows import Weather, meet
from fleetloop_firmware_sim.recording import Recording, read
from fleetloop_firmware_sim.stories.weather import world
from fleetloop_hub.bootstrap import Running, bootstrap
from fleetloop_hub.config import HubConfig
from fleetloop_hub.fleet_records import Cohort, Device, Rollout, RolloutState
from fleetloop_hub.records import Version
from fleetloop_hub.storage.audit import FileAudit
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_hub.tracking.known_classes import KnownClasses
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.manifest import Manifest
from support.big_catalog import DAY_S, Growing, Grown, Scale

_DATA = Path(fleetloop_firmware_sim.__file__).parent / "data"
_STEP_S = 900.0
_SPELLS = 4
_SUMMER_SHARE, _ODD_SHARE, _OFF_SHARE = 0.04, 0.004, 0.03
_PATIENCE_S = 300.0

Say = Callable[[str], None]


def make(folder: Path, scale: Scale, say: Say = print) -> None:
    """Make the state folder, which must not be there; the fleet's last word is of now.

    Args:
        folder: Where.
        scale: How much there is.
        say: Told what is going on.
    """
    now, began = time.time(), time.monotonic()
    lives = world.build(_DATA / "noaa_weather.csv", 1)
    _train(folder, lives.training_csv)
    say(f"trained after {time.monotonic() - began:.0f} s")
    disk = RealDisk(folder)
    with closing(TinyDbCatalog(folder / "catalog")) as catalog:
        blobs = FileBlobs(folder / "blobs")
        (first,) = catalog.all(Version)
        manifest = Registry(catalog, blobs).manifest(first)
        artifact = blobs.get(first.artifact)
        growing = Growing(catalog, blobs, scale, now)
        grown = growing.grow()
        growing.log(FileAudit(disk), grown)
        devices = catalog.all(Device)
    _roll_out(folder, grown)
    say(f"catalog grown after {time.monotonic() - began:.0f} s")
    met = weather(manifest, artifact)
    fleet = _fleet(devices, grown, met, now, scale)
    _tell(folder, fleet, now, scale, say)
    say(f"told after {time.monotonic() - began:.0f} s")


@contextmanager
def _hub(folder: Path) -> Iterator[Running]:
    running = bootstrap(HubConfig(folder, http_port=0, broker_port=0))
    try:
        yield running
    finally:
        running.close()


def _train(folder: Path, training_csv: str) -> None:
    source = folder / "data-of-the-first"
    source.mkdir(parents=True)
    (source / "winters.csv").write_text(training_csv, "utf-8")
    text = (_DATA / "rain.toml").read_text("utf-8")
    text = text.replace("window_rows = 32", "window_rows = 256", 1)
    text = text.replace(
        "false_alarms_per_million_rows = 100.0", "false_alarms_per_million_rows = 1.0"
    )
    text = text.replace("random_share = 1.0", "random_share = 0.01", 1)
    text = text.replace("phases = [0.25, 1.0]", "phases = [0.05, 0.25, 1.0]", 1)
    with _hub(folder) as hub:
        model = hub.actions.add_model(text, source)
        hub.actions.train(model, "person", "the first version", "person-1")
        deadline = time.monotonic() + _PATIENCE_S
        while not hub.catalog.all(Version):
            assert time.monotonic() < deadline, "no version was trained"
            hub.actions.step()
            time.sleep(0.05)


def _roll_out(folder: Path, grown: list[Grown]) -> None:
    """Every cohort has its model's champion, and the newest version of the first is on its way."""
    with _hub(folder) as hub:
        for model in grown:
            champion = model.versions[-2]
            for cohort in model.cohorts:
                key = hub.actions.roll_out(model.name, champion.number, cohort)
                begun, told = hub.catalog.find(Rollout, key), hub.catalog.find(Cohort, cohort)
                assert begun is not None
                assert told is not None
                done = replace(begun, state=RolloutState.DONE, noted=RolloutState.DONE)
                at = champion.created_at
                done = replace(done, started_at=at, phase_since=at, ended_at=at + 3_600)
                hub.catalog.put(done, replace(told, base=champion.key))
        first = grown[0]
        hub.actions.roll_out(first.name, first.versions[-1].number, first.cohorts[0])


def weather(manifest: Manifest, artifact: bytes) -> dict[str, Weather]:
    """A usual winter, a summer, and a winter as a miswired device sees it."""
    recording = read(_DATA / "noaa_weather.csv", world.LABEL)
    day = recording.rows[:, recording.columns.index(world.TIME)].astype(np.float64)
    of_year = np.mod(day, world.YEAR_DAYS)
    winter = np.flatnonzero((of_year < 60) | (of_year >= 334))
    summer = np.flatnonzero((of_year >= 150) & (of_year < 240))
    kinds = {"usual": winter, "summer": summer}
    parts = {name: _part(recording, where) for name, where in kinds.items()}
    swapped = _part(recording, winter)
    columns = [swapped.columns.index(n) for n in ("temperature_f", "dew_point_f")]
    swapped.rows[:, columns] = swapped.rows[:, columns[::-1]]
    counts = {"usual": 96, "summer": 32, "odd": 16}
    return {
        name: meet(manifest, artifact, parts.get(name, swapped), count)
        for name, count in counts.items()
    }


def _part(recording: Recording, where: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> Recording:
    labels = [recording.labels[int(k)] for k in where]
    return Recording(recording.columns, recording.rows[where].copy(), labels)


def _fleet(
    devices: list[Device],
    grown: list[Grown],
    weather: dict[str, Weather],
    now: float,
    scale: Scale,
) -> list[MonthDevice]:
    random = np.random.default_rng(scale.seed)
    of_cohort = {cohort: model for model in grown for cohort in model.cohorts}
    fleet = []
    for k, device in enumerate(devices):
        model = of_cohort[device.cohort]
        signed = [m for v, m in zip(model.versions, model.manifests, strict=True) if v.manifest]
        newest = signed[:-1] if random.random() > 0.05 else signed[:-3]
        chosen = newest[-1 - 3 * (_SPELLS - 1) :: 3][-_SPELLS:]
        start, every_s = now - scale.days * DAY_S, scale.days * DAY_S / _SPELLS
        spells = [
            Spell(start + every_s * (n + float(random.random()) / 8), manifest)
            for n, manifest in enumerate(chosen)
        ]
        drawn, met = random.random(), [weather["usual"]] * len(spells)
        if drawn < _ODD_SHARE:
            met = [weather["odd"]] * len(spells)
        elif drawn < _SUMMER_SHARE:
            met[-1] = weather["summer"]
        fleet.append(MonthDevice(device.key, device.hardware, spells, met, scale.seed + k))
    return fleet


def _tell(folder: Path, fleet: list[MonthDevice], now: float, scale: Scale, say: Say) -> None:
    """Everything, in the order in which it would have come."""
    pace, clock = Pace(), [now - scale.days * DAY_S]
    Trust(RealDisk(folder)).open(now, relied_on=True)
    with closing(TinyDbCatalog(folder / "catalog")) as catalog:
        classes = KnownClasses(catalog, FileBlobs(folder / "blobs"))
        path = folder / "telemetry.sqlite"
        telemetry = SqliteTelemetry(path, now=lambda: clock[0], classes_of=classes.of)
        with closing(telemetry):
            random, told = np.random.default_rng(scale.seed), 0
            steps = round(scale.days * DAY_S / _STEP_S)
            for step in range(steps):
                start = now - (steps - step) * _STEP_S
                clock[0] = start + _STEP_S
                said = [s for device in fleet for s in device.says(start, clock[0], pace)]
                telemetry.store(
                    [
                        (kind, (encode_compressed if kind == "profile" else encode)(m), m)
                        for kind, m in said
                    ]
                )
                told += len(said)
                if step % (steps // 10) == 0:
                    say(f"{told:,} reports told, {step} of {steps} steps")
            for device in fleet:
                online = random.random() > _OFF_SHARE
                state, reported = device.retained(now, online=online)
                telemetry.pulse(device.name, state=state, reported=reported)
