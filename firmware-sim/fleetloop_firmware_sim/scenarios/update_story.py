"""The stories of one update on one device, good, bad or deadly, and what must be true all along.

A device serves version 3, has served 1 and 2, and is told to run version 4. The good one is
committed; the bad one passes its self-test, fails on the rows of its trial, is rolled back and
quarantined; the deadly one ends the device whenever it is loaded, and is given up.
"""

from enum import StrEnum
from pathlib import Path

from fleetloop_agent import sealed
from fleetloop_agent.update.journal import FOLDER, Journal
from fleetloop_agent.update.slots import artifact_path, manifest_path
from fleetloop_agent.update.trial import ATTEMPTS
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_firmware_sim.scenarios import releases
from fleetloop_firmware_sim.scenarios.device_story import (
    ROWS,
    DeviceStory,
    Life,
    MakeFlash,
)
from fleetloop_firmware_sim.scenarios.power_cut import BrokenPromiseError, Watched
from fleetloop_firmware_sim.scenarios.situation import DEVICE, Situation
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.reports import EventKind

FIRST, PREVIOUS, OLD, NEW = 1, 2, 3, 4


class Update(StrEnum):
    """Which update the story is about."""

    GOOD = "install"
    BAD = "roll-back"
    DEADLY = "model that ends the device"


class Deadly(Watched[Situation]):
    """Power that goes whenever one model has been loaded, as when the model ends the device.

    Attributes:
        from_there: Where the next life begins, when the model has ended this one.
    """

    def __init__(self, power: Moments, artifact: str) -> None:
        """Nothing has been loaded yet.

        Args:
            power: The power supply.
            artifact: SHA-256 of the model.
        """
        super().__init__()
        self.from_there: Situation | None = None
        self._power = power
        self._end = f"loaded {artifact[:12]}"

    @property
    def on(self) -> bool:
        return self._on and self._power.on

    def tick(self, what: str) -> None:
        if isinstance(self._power, Watched):
            self._power.left = self.left
        if what == self._end and self.on and self.left is not None:
            left = self.left()
            self.from_there = left.begin(left.aftermath.whole())
            self.cut()
        if not self._on:
            raise PowerCut(f"the model has ended the device, {what}")
        self._power.tick(what)


class UpdateStory(DeviceStory):
    """One update.

    Attributes:
        update: Which.
        damaged: Whether files were damaged at rest: then an older model may serve for a while, and
            only the end of a good update and the signatures are looked at.
    """

    damaged = False

    def __init__(self, update: Update, make_flash: MakeFlash = Flash) -> None:
        """Tell it up to its beginning: version 3 is committed, version 4 is released.

        Args:
            update: Which update.
            make_flash: The kind of flash that the device has from then on.
        """
        super().__init__()
        self.update = update
        self.name = update.value
        packed = {v: releases.make(v) for v in (FIRST, PREVIOUS, OLD)}
        packed[NEW] = releases.make(NEW, brittle=update is Update.BAD)
        self._sha256 = {v: p.manifest.sha256 for v, p in packed.items()}
        for version in (FIRST, PREVIOUS, OLD):
            self.tell(lambda hub, now, v=version: hub.release(packed[v], now), version)  # type: ignore[misc]  # a default argument of a lambda has no type
        self._beginning.hub.release(packed[NEW], self._beginning.now)
        self.make_flash = make_flash
        if update is Update.BAD:
            self._rows = releases.changed_rows(ROWS)

    def check(self, beginning: Situation) -> None:
        flash = Flash(image=beginning.image)
        journal = sealed.load(flash, FOLDER, Journal).newest
        if journal is None:
            raise BrokenPromiseError("no journal is whole any more")
        files = {artifact_path(slot.artifact): slot.artifact for slot in journal.slots}
        files |= {manifest_path(slot.manifest): slot.manifest for slot in journal.slots}
        for path, sha256 in files.items():
            if sha256_hex(beginning.image.files.get(path, b"")) != sha256:
                raise BrokenPromiseError(f"its journal names a model that is not whole: {path}")

    def live(self, beginning: Situation, moments: Moments) -> None:
        if self.update is not Update.DEADLY:
            super().live(beginning, moments)
            return
        for _ in range(ATTEMPTS + 1):
            deadly = Deadly(moments, self._sha256[NEW])
            try:
                super().live(beginning, deadly)
            except PowerCut:
                if deadly.from_there is None:
                    raise
                beginning = deadly.from_there
            else:
                return
        raise BrokenPromiseError(f"it has loaded a model {ATTEMPTS + 1} times that always ends it")

    def finish(self, life: Life) -> None:
        def ended() -> bool:
            self._check(life)
            return self._ended(life)

        self.go_on(life, ended)
        if self.damaged:
            return
        names = set(life.board.flash.names(Path("artifacts")))
        if not self._kept() <= names:
            raise BrokenPromiseError("it has thrown away a model it may have to go back to")

    def _ended(self, life: Life) -> bool:
        if self.damaged:
            return self.rests_on(life, NEW)
        if self.update is Update.GOOD:
            there = life.hub.told(EventKind.COMMITTED, NEW) and self.rests_on(life, NEW)
        else:
            there = (
                life.hub.told(EventKind.ROLLED_BACK, NEW)
                and self.rests_on(life, OLD)
                and self._sha256[NEW] in life.hub.reported[DEVICE].quarantined
            )
        return there and not self._litter(life)

    def _check(self, life: Life) -> None:
        board, hub = life.board, life.hub
        manifest, active = board.agent.predictor.manifest, board.agent.updater.journal.active
        told_committed = hub.told(EventKind.COMMITTED, NEW)
        unsigned = set(board.runtime.loaded) - set(self._sha256.values())
        broken = {
            f"it has loaded bytes that nobody signed: {sorted(unsigned)}": bool(unsigned),
            "it serves nothing, though version 3 was committed": manifest is None,
            "it serves neither the committed model nor the one on trial": (
                manifest is not None and manifest.version not in {OLD, NEW}
            ),
            "it has told the hub that version 4 is committed, and serves another": (
                told_committed and manifest is not None and manifest.version != NEW
            ),
            "it has told the hub that version 4 is committed, and does not know it any more": (
                told_committed and (active is None or active.version != NEW)
            ),
            "it has told the hub that version 4 is committed, though it fails": (
                told_committed and self.update is not Update.GOOD
            ),
            "it believes older things than it has told the hub": hub.went_back,
            "it has said two things under one number": bool(hub.contradictions),
        }
        for text in [next(iter(broken))] if self.damaged else broken:
            if broken[text]:
                raise BrokenPromiseError(text)

    def _litter(self, life: Life) -> list[str]:
        """What it should have taken away."""
        names = set(life.board.flash.names(Path("artifacts")))
        return sorted(names - self._kept()) + life.board.flash.names(Path("parts"))

    def _kept(self) -> set[str]:
        previous = OLD if self.update is Update.GOOD else PREVIOUS
        active = NEW if self.update is Update.GOOD else OLD
        return {f"{self._sha256[v]}.onnx" for v in (FIRST, previous, active)}
