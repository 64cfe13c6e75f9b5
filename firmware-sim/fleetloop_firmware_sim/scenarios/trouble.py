"""Other troubles of a disk, at every act of a story: full, read-only, or with bits that flip.

They must be as harmless as a power cut.
"""

import dataclasses
from collections.abc import Iterator

from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_firmware_sim.scenarios.device_story import DeviceStory
from fleetloop_firmware_sim.scenarios.power_cut import (
    BrokenPromiseError,
    Outcome,
    Sight,
    Watched,
)
from fleetloop_firmware_sim.scenarios.situation import Situation
from fleetloop_firmware_sim.scenarios.update_story import UpdateStory

FULL_ACTS = 6
"""How many acts in a row find a full disk."""

READ_ONLY_STEPS = 8
"""How many steps a device goes on with a disk that is read-only, before it is started again."""


class TurnsReadOnly(Watched[Situation]):
    """A disk that becomes read-only at one moment, and a device that is started again later.

    Attributes:
        from_there: Where the next life begins.
    """

    def __init__(self, at: int) -> None:
        """Switch on.

        Args:
            at: The moment, from 1.
        """
        super().__init__()
        self.from_there: Situation | None = None
        self._at = at
        self._steps = 0

    def tick(self, what: str) -> None:
        super().tick(what)
        if self.passed == self._at and self.flash is not None:
            self.flash.read_only = True

    def rest(self) -> None:
        if self.passed < self._at or self.left is None:
            return
        self._steps += 1
        if self._steps == READ_ONLY_STEPS:
            left = self.left()
            self.from_there = left.begin(left.aftermath.some(1, self._at)[0])
            self.cut()
            raise PowerCut("started again after its disk had become read-only")


def fill_everywhere(story: DeviceStory, every: int = 1) -> Iterator[Outcome]:
    """Let the disk be full from each act on that needs room, for a while; a cut may come then too.

    Args:
        story: Which.
        every: Look at every so manieth act.
    """
    story.live(story.beginning, Moments())
    acts = story.room_acts
    for act in reversed(range(0, acts, every)):
        outcome = Outcome(act + 1, "no room", 1, 1)
        sight: Sight[Situation] = Sight(2, act)
        story.full_at = range(act, act + FULL_ACTS)
        try:
            story.live(story.beginning, sight)
        except BrokenPromiseError as error:
            outcome.broken.append(str(error))
        except Exception as error:  # noqa: BLE001  # whatever ends an agent is a finding
            outcome.broken.append(f"it has crashed: {error!r}")
        finally:
            story.full_at = range(0)
        for cut in sight.cuts:
            outcome.states += len(cut.beginnings)
            outcome.broken += [text for b in cut.beginnings if (text := _checked(story, b))]
        yield outcome


def turn_read_only_everywhere(story: DeviceStory, every: int = 1) -> Iterator[Outcome]:
    """Let the disk become read-only at each moment, and be well again after the next start.

    Args:
        story: Which.
        every: Look at every so manieth moment.
    """
    whole = Moments()
    story.live(story.beginning, whole)
    for moment in range(1, whole.passed + 1, every):
        outcome = Outcome(moment, "read-only", 1, 1)
        power = TurnsReadOnly(moment)
        try:
            story.live(story.beginning, power)
        except PowerCut:
            outcome.lives += 1
            text = power.from_there and _lived(story, power.from_there)
            outcome.broken += [text] if text else []
        except BrokenPromiseError as error:
            outcome.broken.append(str(error))
        yield outcome


def rot_everywhere(story: UpdateStory, every: int = 1) -> Iterator[Outcome]:
    """Flip a bit of each file that is on the flash at each moment, before the next start.

    Args:
        story: Which.
        every: Look at every so manieth image.
    """
    sight: Sight[Situation] = Sight(1, 0)
    story.live(story.beginning, sight)
    seen: set[object] = set()
    story.damaged = True
    try:
        for cut in sight.cuts:
            outcome = Outcome(cut.moment, "bit rot")
            for image in _rotten(cut.beginnings[0].image):
                if image.key in seen:
                    continue
                seen.add(image.key)
                if len(seen) % every == 0:
                    outcome.states += 1
                    outcome.lives += 1
                    text = _lived(story, dataclasses.replace(cut.beginnings[0], image=image))
                    outcome.broken += [text] if text else []
            yield outcome
    finally:
        story.damaged = False


def _rotten(image: Image) -> Iterator[Image]:
    for path, data in image.files.items():
        yield image.rotten(path, len(data) * 4)


def _checked(story: DeviceStory, beginning: Situation) -> str | None:
    try:
        story.check(beginning)
    except BrokenPromiseError as error:
        return str(error)
    return None


def _lived(story: DeviceStory, beginning: Situation) -> str | None:
    try:
        story.live(beginning, Moments())
    except BrokenPromiseError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  # whatever ends an agent is a finding
        return f"it has crashed: {error!r}"
    return None
