"""The hub's errors.

FleetloopError
├── ConfigError        a setting with which the hub cannot be started
├── AbsentError        what was named is not there: no such model, version, run, rollout
├── SpecError          the model spec does not say what it should
├── DataError          rows that cannot be used, with file and line where known
├── TrainingError      a run that came to nothing
│   └── FitError       one setting of a candidate that cannot be fitted; others are tried
├── UnsupportedModelError  a model that the lean graphs do not know; a slower way is taken
├── ModelFileError     an ONNX file that is not taken in
├── GateError          a version that a gate blocks, where one was demanded
├── AuditError         an audit log that is not what was written
├── BlobError          content that is gone or no longer what its hash says
├── CatalogError       a catalog that is locked, unreadable, or of a newer form
├── TelemetryError     a telemetry database that is damaged, closed, or of a newer form
├── KeyFileError       a signing key or repository that cannot be read
├── SigningError       a change of keys or a signature that is not taken
├── BrokerError        a broker that cannot be started or reached
├── AlertError         an alert, silence or channel that is not there, or not as it must be
├── ExportError        a copy that another system did not take
├── EnrolError         a token or name with which nobody is enrolled
├── PeopleError        a person or token of an API that cannot be so
├── ProviderError      an OpenID provider that vouches for nobody, or cannot be reached
├── RemoteError        a hub that cannot be reached, or that refuses a command
└── RefusedError       (shared) a message that is not taken in, counted under its name
    ├── StrangerError       in the name of a device that has not enrolled
    ├── ImpersonationError  in the name of a device that it does not come from
    ├── SecondClientError   a device that another client throws out
    ├── ImplausibleError    a report whose numbers cannot be
    │   ├── UnknownVersionError  of a version that was never released
    │   ├── RetiredVersionError  of one that was put away
    │   ├── UnaskedSampleError   samples that no policy asks for
    │   ├── ForbiddenFieldError  with a value that is never to leave a device
    │   └── OverBudgetError      more samples than the policy lets a device write
    └── InjectionError      on a topic that nobody has made
"""

from fleetloop_shared.errors import FleetloopError, RefusedError


class ConfigError(FleetloopError):
    """The hub cannot be started with this setting; the text says what to write instead."""


class AbsentError(FleetloopError):
    """What was named is not there; the text says what there is, or where it is listed."""


class SpecError(FleetloopError):
    """The model spec does not say what it should; the text names key and remedy."""


class DataError(FleetloopError):
    """Rows cannot be used; the text names file, column and line where they are known."""


class TrainingError(FleetloopError):
    """A run came to nothing; the text says what to change."""


class FitError(TrainingError):
    """One setting of a candidate cannot be fitted; the text says which and why."""


class UnsupportedModelError(FleetloopError):
    """No lean graph is known for this model; the text says what is unusual about it."""


class ModelFileError(FleetloopError):
    """An ONNX file is not taken in; the text says what was found and how to export it instead."""


class GateError(FleetloopError):
    """A version was demanded that a gate blocks."""


class AuditError(FleetloopError):
    """The audit log is not what was written; the text says where, and what to do."""


class BlobError(FleetloopError):
    """Content is gone, or is no longer what its hash says."""


class CatalogError(FleetloopError):
    """The catalog is locked by another process, unreadable, or of a newer form."""


class TelemetryError(FleetloopError):
    """The telemetry database is damaged, closed, or of a newer form."""


class BrokerError(FleetloopError):
    """The broker cannot be started or reached; the text says what to do."""


class KeyFileError(FleetloopError):
    """A signing key or repository cannot be read; the text names the file."""


class SigningError(FleetloopError):
    """A change of keys or a signature is not taken; nothing has changed."""


class AlertError(FleetloopError):
    """An alert, silence or channel is not there, or not as it must be; nothing has changed."""


class ExportError(FleetloopError):
    """Another system did not take a copy; the text says what to do."""


class EnrolError(FleetloopError):
    """Nobody is enrolled with this token or name."""


class PeopleError(FleetloopError):
    """Somebody, or a token, that cannot be so; nothing was changed."""


class ProviderError(FleetloopError):
    """The OpenID provider does not vouch for somebody, or cannot be reached; nobody was let in."""


class RemoteError(FleetloopError):
    """A command did not get what it asked the hub for; the text says what to do."""


class StrangerError(RefusedError):
    """A message in the name of a device that has not enrolled."""

    reason = "unknown-device"


class SecondClientError(RefusedError):
    """A device loses its connection to another client under its name again and again."""

    reason = "second-client"


class InjectionError(RefusedError):
    """A message on a topic that nobody has made, as by a name that is none."""

    reason = "topic-injection"


class ImplausibleError(RefusedError):
    """A report whose numbers cannot be: they do not add up, or measure nothing that there is."""

    reason = "implausible"


class UnknownVersionError(ImplausibleError):
    """A report of a version that was never released: no device can run it."""

    reason = "unknown-version"


class RetiredVersionError(ImplausibleError):
    """A report of a version that was archived or deleted."""

    reason = "retired-version"


class UnaskedSampleError(ImplausibleError):
    """Samples of a device that was told to send none."""

    reason = "unasked-samples"


class ForbiddenFieldError(ImplausibleError):
    """A sample with a value of a feature that is never to leave a device."""

    reason = "forbidden-field"


class OverBudgetError(ImplausibleError):
    """More bytes of samples than the policy lets a device write."""

    reason = "over-budget"
