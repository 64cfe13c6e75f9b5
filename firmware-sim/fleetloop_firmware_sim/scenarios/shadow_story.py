"""The story of a challenger: it comes beside the champion, and the champion serves all along.

A device serves version 3, and is told to run version 4 beside it. It fetches, checks, tests and
loads it; what is served is version 3 at every moment, and what was said to run beside it is whole.
"""

from pathlib import Path

from fleetloop_agent import sealed
from fleetloop_agent.update.journal import FOLDER, Journal, Slot
from fleetloop_agent.update.slots import artifact_path, manifest_path
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.scenarios import releases
from fleetloop_firmware_sim.scenarios.device_story import DeviceStory, Life, MakeFlash
from fleetloop_firmware_sim.scenarios.power_cut import BrokenPromiseError
from fleetloop_firmware_sim.scenarios.situation import DEVICE, Situation
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.reports import EventKind

OLD, NEW = 3, 4


class ShadowStory(DeviceStory):
    """One challenger."""

    name = "challenger beside the champion"

    def __init__(self, make_flash: MakeFlash = Flash) -> None:
        """Tell it up to its beginning: version 3 is committed, version 4 is to run beside it.

        Args:
            make_flash: The kind of flash that the device has from then on.
        """
        super().__init__()
        old, new = releases.make(OLD), releases.make(NEW)
        self._signed = {old.manifest.sha256, new.manifest.sha256}
        self._new = new.manifest.sha256
        self.tell(lambda hub, now: hub.release(old, now), OLD)  # type: ignore[arg-type]  # what it gives back is of no interest
        self._beginning.hub.challenge(new, self._beginning.now)
        self.make_flash = make_flash

    def check(self, beginning: Situation) -> None:
        journal = sealed.load(Flash(image=beginning.image), FOLDER, Journal).newest
        if journal is None:
            raise BrokenPromiseError("no journal is whole any more")
        named = [*journal.slots, journal.challenger] if journal.challenger_passed else journal.slots
        files: dict[Path, str] = {}
        for slot in named:
            files |= _files(slot) if slot is not None else {}
        for path, sha256 in files.items():
            if sha256_hex(beginning.image.files.get(path, b"")) != sha256:
                raise BrokenPromiseError(f"its journal names a model that is not whole: {path}")

    def finish(self, life: Life) -> None:
        def ended() -> bool:
            self._check(life)
            reported = life.hub.reported.get(DEVICE)
            return (
                reported is not None
                and reported.challenger_text == "runs beside the champion"
                and life.hub.told(EventKind.CHALLENGER, NEW)
                and self.rests_on(life, OLD)
            )

        self.go_on(life, ended)
        if life.board.agent.updater.journal.quarantine:
            raise BrokenPromiseError("it has barred a challenger that has done nothing wrong")
        if life.board.flash.names(Path("parts")):
            raise BrokenPromiseError("it has left parts of the challenger behind")

    def _check(self, life: Life) -> None:
        board, hub = life.board, life.hub
        manifest = board.agent.predictor.manifest
        if set(board.runtime.loaded) - self._signed:
            raise BrokenPromiseError("it has loaded bytes that nobody signed")
        if manifest is None or manifest.version != OLD:
            raise BrokenPromiseError("it does not serve the champion")
        if hub.went_back:
            raise BrokenPromiseError("it believes older things than it has told the hub")
        if hub.contradictions:
            raise BrokenPromiseError("it has said two things under one number")


def _files(slot: Slot) -> dict[Path, str]:
    return {
        artifact_path(slot.artifact): slot.artifact,
        manifest_path(slot.manifest): slot.manifest,
    }
