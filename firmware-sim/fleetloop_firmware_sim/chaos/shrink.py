"""Makes a story that goes wrong as short as it can be while it still goes wrong."""

from collections.abc import Callable, Iterator

import msgspec

from fleetloop_firmware_sim.chaos.story import Act, Flavour, Story

Fails = Callable[[Story], bool]

MOST_TRIES = 400


def shrink(story: Story, fails: Fails) -> Story:
    """The shortest story that was found on the way from `story`.

    First acts are taken out, by halves, then quarters, down to single ones; then devices that are
    not needed, and then flaws of releases. Source: Zeller and Hildebrandt, "Simplifying and
    Isolating Failure-Inducing Input" (2002).

    Args:
        story: Fails.
        fails: Whether a story still does.
    """
    tries = 0
    at_work = True
    while at_work and tries < MOST_TRIES:
        at_work = False
        for shorter in [*_fewer_acts(story), *_fewer_devices(story), *_fewer_flaws(story)]:
            tries += 1
            if fails(shorter):
                story, at_work = shorter, True
                break
    return story


def _fewer_acts(story: Story) -> Iterator[Story]:
    size = len(story.acts)
    while size >= 1:
        for at in range(0, len(story.acts), size):
            acts = story.acts[:at] + story.acts[at + size :]
            yield msgspec.structs.replace(story, acts=acts)
        size //= 2


def _fewer_devices(story: Story) -> Iterator[Story]:
    if len(story.devices) == 1:
        return
    for gone in story.devices:
        devices = {name: cohort for name, cohort in story.devices.items() if name != gone}
        acts = [act for act in story.acts if _can_happen(act, story, devices)]
        yield msgspec.structs.replace(story, devices=devices, acts=acts)


def _can_happen(act: Act, story: Story, devices: dict[str, str]) -> bool:
    """Whether whom it happens to is still there."""
    return act.who not in story.devices or act.who in devices


def _fewer_flaws(story: Story) -> Iterator[Story]:
    for at, flavour in enumerate(story.releases):
        if flavour is not Flavour.GOOD:
            releases = [*story.releases[:at], Flavour.GOOD, *story.releases[at + 1 :]]
            yield msgspec.structs.replace(story, releases=releases)
