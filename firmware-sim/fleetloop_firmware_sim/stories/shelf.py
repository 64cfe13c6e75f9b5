"""Every story that can be told, the default one first."""

from typing import Any

from fleetloop_firmware_sim.errors import NoStoryError
from fleetloop_firmware_sim.stories.bad_release.story import BadRelease
from fleetloop_firmware_sim.stories.fraud.story import Fraud
from fleetloop_firmware_sim.stories.miswired.story import Miswired
from fleetloop_firmware_sim.stories.quiet.story import Quiet
from fleetloop_firmware_sim.stories.story import Story
from fleetloop_firmware_sim.stories.weather.story import Weather

STORIES: tuple[type[Story[Any]], ...] = (Weather, Quiet, Miswired, BadRelease, Fraud)


def find(name: str) -> type[Story[Any]]:
    """The story of this name.

    Raises:
        NoStoryError: There is none.
    """
    for story in STORIES:
        if story.name == name:
            return story
    names = ", ".join(story.name for story in STORIES)
    raise NoStoryError(
        f"there is no story {name!r}; there are {names}: see `fleetloop demo --list`"
    )
