"""The hub's errors.

FleetloopError
├── SpecError          the model spec does not say what it should
├── DataError          rows that cannot be used, with file and line where known
├── TrainingError      a run that came to nothing
├── GateError          a version that a gate blocks, where one was demanded
├── BlobError          content that is gone or no longer what its hash says
├── CatalogError       a catalog that is locked, unreadable, or of a newer form
├── BrokerError        a broker that cannot be started or reached
└── EnrolError         a token or name with which nobody is enrolled
"""

from fleetloop_shared.errors import FleetloopError


class SpecError(FleetloopError):
    """The model spec does not say what it should; the text names key and remedy."""


class DataError(FleetloopError):
    """Rows cannot be used; the text names file, column and line where they are known."""


class TrainingError(FleetloopError):
    """A run came to nothing; the text says what to change."""


class GateError(FleetloopError):
    """A version was demanded that a gate blocks."""


class BlobError(FleetloopError):
    """Content is gone, or is no longer what its hash says."""


class CatalogError(FleetloopError):
    """The catalog is locked by another process, unreadable, or of a newer form."""


class BrokerError(FleetloopError):
    """The broker cannot be started or reached; the text says what to do."""


class EnrolError(FleetloopError):
    """Nobody is enrolled with this token or name."""
