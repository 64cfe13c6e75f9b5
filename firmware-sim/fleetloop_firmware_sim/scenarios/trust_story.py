"""The story of what a device believes: new statements, the same signed anew, and new root keys.

At every start an attacker who owns the broker has put all older bundles there, the oldest first.
What the device has told the hub it believes must never be less afterwards.
"""

import itertools
from dataclasses import dataclass

import msgspec

from fleetloop_agent import sealed
from fleetloop_agent.trust.belief import Belief
from fleetloop_agent.trust.trust import DIRECTOR, IMAGE
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.scenarios import releases
from fleetloop_firmware_sim.scenarios.device_story import (
    COHORT,
    DeviceStory,
    Life,
    MakeFlash,
    no_link,
)
from fleetloop_firmware_sim.scenarios.power_cut import BrokenPromiseError
from fleetloop_firmware_sim.scenarios.repositories import new_keys
from fleetloop_firmware_sim.scenarios.situation import DEVICE, Situation
from fleetloop_firmware_sim.scenarios.stand_in_hub import StandInHub
from fleetloop_shared.messages import DesiredState
from fleetloop_shared.topics import Topic

VERSION = 1
"""The model that is served all along."""

_APART_S = 100.0
_TOPICS = (Topic.IMAGE.at(), Topic.DIRECTOR.at(cohort=COHORT))


@dataclass(frozen=True)
class Word:
    """What the hub has signed at one time.

    Attributes:
        bundles: The image repository's and the director's.
        sequence: The statement's number.
        floor: Its security floor.
        signed_at: When, Unix seconds.
    """

    bundles: tuple[bytes, bytes]
    sequence: int
    floor: int
    signed_at: float


class TrustStory(DeviceStory):
    """Four times the hub signs: something new, the same, with new roots, and something new."""

    name = "trust refresh"

    def __init__(self, make_flash: MakeFlash = Flash) -> None:
        """Tell it up to its beginning: version 1 is committed, all that is to come is signed.

        Args:
            make_flash: The kind of flash that the device has from then on.
        """
        super().__init__()
        packed = releases.make(VERSION)
        said: list[DesiredState] = []
        self.tell(lambda hub, now: said.append(hub.release(packed, now)), VERSION)
        signer = self.beginning.hub.restarted(no_link())
        now = itertools.count(self.beginning.now + _APART_S, _APART_S)
        words = [self._word(signer, said[0], self.beginning.now)]
        raised = msgspec.structs.replace(said[0], sequence=2, floor=1, phase=0)
        words.append(self._sign(signer, raised, next(now)))
        words.append(self._sign(signer, raised, next(now)))
        for repository in (self.keys.image, self.keys.director):
            repository.rotate(new_keys(), self.beginning.now)
        words.append(self._sign(signer, raised, next(now)))
        again = msgspec.structs.replace(raised, sequence=3, floor=2)
        words.append(self._sign(signer, again, next(now)))
        self._words = words
        self.make_flash = make_flash

    def check(self, beginning: Situation) -> None:
        """What the device has told the hub it believes must be on its flash."""
        flash, told = Flash(image=beginning.image), beginning.hub.reported[DEVICE]
        image = sealed.load(flash, IMAGE, Belief).newest
        director = sealed.load(flash, DIRECTOR, Belief).newest
        if image is None or director is None:
            raise BrokenPromiseError("what it believed is lost")
        if (image.version, director.version) < (told.image_version, told.director_version):
            raise BrokenPromiseError("it has told the hub of metadata that it has forgotten")
        if max(image.time_floor, director.time_floor) < told.time_floor:
            raise BrokenPromiseError("its time floor has gone back")

    def before(self, life: Life) -> None:
        """The attacker: all older bundles, the oldest first, each seen by the device if it runs."""
        for old in self._words[: life.hub.signed - 1]:
            self._replay(life, old)

    def finish(self, life: Life) -> None:
        for old in self._words[: life.hub.signed - 1]:
            self._replay(life, old)
            life.board.step()
            life.hub.step()
            self._check(life)
        self._say(life.hub, life.hub.signed)

        def ended() -> bool:
            self._check(life)
            return self._ended(life)

        self.go_on(life, ended)

    def _ended(self, life: Life) -> bool:
        told = life.hub.reported.get(DEVICE)
        signed = life.hub.signed
        if told is None or (told.image_version, told.director_version) != (signed, signed):
            return False
        if signed < len(self._words):
            life.hub.signed += 1
            self._say(life.hub, life.hub.signed)
            return False
        last, trust = self._words[-1], life.board.agent.updater.journal
        roots = self.keys.image.roots[-1], self.keys.director.roots[-1]
        if self._believed_roots(life) != roots:
            raise BrokenPromiseError("it has told the hub of metadata and not kept their root")
        return told.sequence == last.sequence and trust.floor == last.floor

    def _check(self, life: Life) -> None:
        hub, journal = life.hub, life.board.agent.updater.journal
        told = hub.reported.get(DEVICE)
        floor = max(
            (w.floor for w in self._words if told and w.sequence <= told.sequence), default=0
        )
        manifest = life.board.agent.predictor.manifest
        broken = {
            "it believes older things than it has told the hub": hub.went_back,
            "its security floor has gone back": journal.floor < floor,
            "it serves nothing, though version 1 was committed": manifest is None,
            "it has said two things under one number": bool(hub.contradictions),
        }
        for text, true in broken.items():
            if true:
                raise BrokenPromiseError(text)

    def _believed_roots(self, life: Life) -> tuple[str, str]:
        image = sealed.load(life.board.flash, IMAGE, Belief).newest
        director = sealed.load(life.board.flash, DIRECTOR, Belief).newest
        return (image.root if image else "", director.root if director else "")

    def _replay(self, life: Life, old: Word) -> None:
        for topic, bundle in zip(_TOPICS, old.bundles, strict=True):
            life.hub_link.publish(topic, bundle, retained=True)  # the broker asks nobody's name

    def _say(self, hub: StandInHub, signed: int) -> None:
        for topic, bundle in zip(_TOPICS, self._words[signed - 1].bundles, strict=True):
            hub.say(topic, bundle)

    def _sign(self, signer: StandInHub, desired: DesiredState, at: float) -> Word:
        signer.sign(desired, at)
        return self._word(signer, desired, at)

    def _word(self, signer: StandInHub, desired: DesiredState, at: float) -> Word:
        image, director = (signer.said(topic) for topic in _TOPICS)
        return Word((image, director), desired.sequence, desired.floor, at)
