"""The simulator's errors.

FleetloopError
├── RecordingError      a CSV that cannot be replayed
├── FeedError           the device at the other end does not answer
├── HubError            the hub at the other end does not answer, or not as expected
├── FirmwareError       firmware in C that cannot be compiled or started
├── StoryError          a file that holds no story
├── StoryEndedError     a story with real processes cannot go on
├── NoStoryError        there is no story of that name
└── NoHubError          stories need the hub's package, and it is not installed
"""

from fleetloop_shared.errors import FleetloopError


class RecordingError(FleetloopError):
    """A CSV cannot be replayed; the text names file, line and column."""


class FeedError(FleetloopError):
    """The device that is to be fed does not answer; the text says where it was looked for."""


class HubError(FleetloopError):
    """The hub does not answer, or not as expected; the text says what to do."""


class FirmwareError(FleetloopError):
    """Firmware in C cannot be compiled or started; the text says what to do."""


class StoryError(FleetloopError):
    """A file holds no story; the text says how to get one."""


class StoryEndedError(FleetloopError):
    """A story with real processes cannot go on; the text says what did not happen."""


class NoStoryError(FleetloopError):
    """There is no story of that name; the text names those that there are."""


class NoHubError(FleetloopError):
    """Stories of whole fleets need the hub's package; the text says how to install it."""
