"""Cuts the power at every moment of an update, and looks at every way in which it can go on.

After a cut the flash is in one of its legal states; from each of them the device
is powered on again, perhaps cut again while it recovers, and must end where it should.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from fleetloop_firmware_sim.board import SimBoard
from fleetloop_firmware_sim.crash import Aftermath, Image
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_firmware_sim.scenarios.update_story import BrokenPromiseError, Story, World

FULL_ACTS = 6
"""How many acts in a row find a full disk."""


@dataclass(frozen=True)
class Effort:
    """How much of what can happen is looked at.

    Attributes:
        states: States of the flash after each cut; None: every one.
        again: Second cuts after each, in the recovery: from a state, at a moment and into a state
            chosen by lot.
        seed: For the lot.
    """

    states: int | None
    again: int
    seed: int = 0


QUICK = Effort(states=3, again=1)
EXHAUSTIVE = Effort(states=None, again=20)


@dataclass(frozen=True)
class Outcome:
    """What came of one moment.

    Attributes:
        moment: Its number, from 1.
        act: What happened then.
        lives: Lives that were lived to the end from there.
        broken: Promises that were broken, in words.
    """

    moment: int
    act: str
    lives: int
    broken: list[str]


def count_moments(story: Story) -> int:
    """How many moments the story has when power does not fail.

    Raises:
        BrokenPromiseError: It does not even end well then.
    """
    moments = Moments()
    _live_whole(story, moments)
    return moments.passed


def count_room_acts(story: Story) -> int:
    """How many acts of the story need room on the disk.

    Raises:
        BrokenPromiseError: It does not even end well when there is room.
    """
    return _live_whole(story, Moments()).flash.room_acts


def cut_everywhere(story: Story, effort: Effort) -> Iterator[Outcome]:
    """Cut at every moment of the story, one after the other."""
    for moment in range(1, count_moments(story) + 1):
        yield cut_at(story, moment, effort)


def cut_at(story: Story, moment: int, effort: Effort) -> Outcome:
    """Cut at one moment of the story, and live every life from there."""
    first = Moments(cut_at=moment)
    world = story.beginning.fork(story.folder / "first.sqlite")
    lot = random.Random(f"{effort.seed} {moment}")  # noqa: S311  # a reproducible choice
    try:
        aftermath = _live(story, world, first, story.image)
    except BrokenPromiseError as error:
        return Outcome(moment, first.last, 1, [f"before the cut: {error}"])
    if aftermath is None:
        return Outcome(moment, first.last, 1, [])
    images = _images(aftermath, effort.states, lot)
    found = [_recover(story, world, image) for image in images]
    found += [_recover_twice(story, world, lot.choice(images), lot) for _ in range(effort.again)]
    return Outcome(moment, first.last, len(found), [text for text in found if text is not None])


def fill_everywhere(story: Story) -> Iterator[Outcome]:
    """Let the disk be full from each act on that needs room, for a while."""
    for act in range(count_room_acts(story)):
        world = story.beginning.fork(story.folder / "full.sqlite")
        board = story.power_on(world, image=story.image)
        board.flash.full_at = range(act, act + FULL_ACTS)
        broken = []
        try:
            story.finish(board, world)
        except BrokenPromiseError as error:
            broken.append(str(error))
        board.cut()
        yield Outcome(act, "no room", 1, broken)


def _live_whole(story: Story, moments: Moments) -> SimBoard:
    world = story.beginning.fork(story.folder / "whole.sqlite")
    board = story.power_on(world, moments, story.image)
    try:
        story.finish(board, world)
    finally:
        board.cut()
    return board


def _recover(story: Story, world: World, image: Image) -> str | None:
    """Power on again and live to the end; what was broken on the way."""
    there = world.fork(story.folder / "last.sqlite")
    try:
        _live(story, there, Moments(), image)
    except BrokenPromiseError as error:
        return str(error)
    return None


def _recover_twice(story: Story, world: World, image: Image, lot: random.Random) -> str | None:
    """Power on again, cut again somewhere on the way, and only then live to the end."""
    length = Moments()
    there = world.fork(story.folder / "again.sqlite")
    try:
        _live(story, there, length, image)
        second = Moments(cut_at=lot.randint(1, length.passed))
        there = world.fork(story.folder / "again.sqlite")
        aftermath = _live(story, there, second, image)
    except BrokenPromiseError as error:
        return str(error)
    if aftermath is None:
        return None
    text = _recover(story, there, lot.choice(_images(aftermath, 4, lot)))
    return text and f"cut again at its moment {second.passed}, {second.last}: {text}"


def _images(aftermath: Aftermath, states: int | None, lot: random.Random) -> list[Image]:
    if states is None:
        return list(aftermath.every())
    return aftermath.some(states, lot.randrange(2**32))


def _live(story: Story, world: World, moments: Moments, image: Image) -> Aftermath | None:
    """Live to the end, or to the cut; what that may leave in the flash.

    Raises:
        BrokenPromiseError: Something was broken on the way.
    """
    board = story.power_on(world, moments, image)
    try:
        story.finish(board, world)
    except PowerCut:
        return board.cut()
    finally:
        board.cut()
    return None
