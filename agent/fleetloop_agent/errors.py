"""The agent's errors.

FleetloopError
├── ConfigError         the config file does not say what it should
├── EnrolError          the hub did not take this device in
│   └── HubAwayError    the hub cannot be reached now
├── StateError          the state folder is in use, or cannot be used
├── SlotError           a model that should be on this disk is gone or damaged
├── ModelError          an artifact that does not load, or fails on rows
│   └── DeadlineError   it took too long on rows, and was told to end
├── InputError          rows that are not the model's inputs; nothing was answered
└── NoModelError        nothing is loaded yet; nothing was answered
    └── ModelChangedError   another model serves now than the rows were made for
"""

from fleetloop_shared.errors import FleetloopError


class ConfigError(FleetloopError):
    """The config file does not say what it should; the text names key and remedy."""


class EnrolError(FleetloopError):
    """The hub did not take this device in; the text says why and what to do."""


class HubAwayError(EnrolError):
    """The hub cannot be reached now; trying again later may help."""


class StateError(FleetloopError):
    """Another agent uses this state folder, or what is asked for is not in it."""


class SlotError(FleetloopError):
    """An artifact or manifest on this disk is gone, or no longer what was signed."""


class ModelError(FleetloopError):
    """An artifact does not load, or fails on rows."""


class DeadlineError(ModelError):
    """The model took longer on these rows than a run may take, and was told to end."""


class InputError(FleetloopError):
    """These rows are not the model's inputs; none of them was answered."""


class AbstainedError(InputError):
    """A value is out of the range that the signature wants answered; nothing was answered."""


class NoModelError(FleetloopError):
    """No model is loaded yet; it comes with the first rollout."""


class ModelChangedError(NoModelError):
    """Another model serves now than these rows were made for; none of them was answered."""
