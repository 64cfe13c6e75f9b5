"""What a story is: a world to which something happens, acts in order, and what must come of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from fleetloop_firmware_sim.errors import RecordingError
from fleetloop_firmware_sim.stories.stage import Stage
from fleetloop_firmware_sim.stories.summary import Summary

FIRST_SEED = 1


@dataclass(frozen=True)
class Asked:
    """What a story was asked for.

    Attributes:
        seed: Of all that is drawn: the same seed gives the same world.
        devices: How many devices, None for as many as the story has.
        data: Another recording, None for the story's own.
    """

    seed: int = FIRST_SEED
    devices: int | None = None
    data: Path | None = None


S = TypeVar("S", bound=Summary)


class Story(ABC, Generic[S]):
    """One story; making it builds its world, and starts nothing.

    Attributes:
        name: As `--story` names it.
        caption: What happens, in a line.
        usual_devices: How many devices it has.
        fewest_devices: With fewer it cannot be told.
        takes_data: Whether another recording can be its world.
        seed: What it was made with.
        devices: How many devices it has this time.
    """

    name: ClassVar[str]
    caption: ClassVar[str]
    usual_devices: ClassVar[int]
    fewest_devices: ClassVar[int]
    takes_data: ClassVar[bool] = False

    def __init__(self, asked: Asked) -> None:
        """Build the world.

        Raises:
            RecordingError: It cannot be told with what was asked for.
        """
        self.seed = asked.seed
        self.devices = self.usual_devices if asked.devices is None else asked.devices
        if self.devices < self.fewest_devices:
            raise RecordingError(
                f"the story {self.name} needs {self.fewest_devices} devices, not {self.devices}:"
                " name more, or leave --devices out"
            )
        if asked.data is not None and not self.takes_data:
            raise RecordingError(
                f"the story {self.name} makes its own rows: leave --data out, or tell another story"
            )

    @abstractmethod
    def blank(self) -> S:
        """A summary that has found nothing yet."""

    @abstractmethod
    def play(self, stage: Stage, found: S) -> Iterator[S]:
        """The acts; after each that found something, all that was found so far.

        Raises:
            StoryEndedError: It cannot go on.
            HubError: The hub does not answer, or refuses.
            FeedError: A device does not answer, or refuses.
        """

    @abstractmethod
    def demands(self, found: S) -> dict[str, bool]:
        """What has to be true at the end: the words if it is missing, and whether it is met."""

    @abstractmethod
    def ending(self, found: S) -> str:
        """What came of it, in plain words; "" if nothing did."""
