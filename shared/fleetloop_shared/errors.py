"""The errors both sides share.

FleetloopError
├── RefusedError                what came in is not used; carries the name it is counted under
│   ├── UndecodableError        bytes that are not the message their topic promises
│   │   ├── EndlessDataError    more bytes than signed metadata, or a limit, allows
│   │   └── QueryError          a label query that says nothing, or more than is read
│   ├── UnusableWindowError     an open window of counts that is damaged or another model's
│   ├── SignatureError          unsigned, wrongly signed, or signed by a key that is not pinned
│   ├── ManifestError           a manifest that contradicts itself or its release
│   ├── ChunkError              a chunk whose bytes are not those its hash names
│   ├── ForeignError            a message that is not for its receiver
│   ├── RollbackError           a replayed statement: an older one than was accepted
│   ├── MixAndMatchError        signed things that do not belong together
│   ├── ImpersonationError      a word in a device's name that it has not said
│   ├── WrongCohortError        a statement for other devices
│   ├── WrongHardwareError      a release for other hardware
│   ├── BelowFloorError         a release, or a floor, below the device's security floor
│   ├── FreezeError             metadata that has expired: somebody holds newer metadata back
│   ├── FastForwardError        version numbers that jump so far that no later one could follow
│   ├── SlowRetrievalError      content that is kept from coming
│   ├── SelfTestError           a signed model that does not prove itself on this device
│   └── QuarantinedError        a release that has failed on this device before
├── InvalidIdError              a name that may not stand in a topic or a path
├── AddressError                text that is not a broker's address
└── DiskFullError               a durable write that found no room; nothing half-written stays
    └── DiskFaultError          one that the disk did not take, read-only or failing as it is
"""


class FleetloopError(Exception):
    """Anything Fleetloop raises on purpose; its text says what to do next."""


class RefusedError(FleetloopError):
    """Something came in and was not used.

    Attributes:
        reason: The short name under which refusals are counted and reported.
    """

    reason = "refused"


class UndecodableError(RefusedError):
    """The bytes are not the message that their topic promises."""

    reason = "undecodable"


class UnusableWindowError(RefusedError):
    """A device's own counts of an open window cannot be gone on with: damaged, or another model's.

    Nobody has sent them: they lay on its disk.
    """

    reason = "unusable-window"


class SignatureError(RefusedError):
    """No pinned key has signed these bytes: somebody else made them."""

    reason = "arbitrary-software"


class ManifestError(RefusedError):
    """A manifest contradicts itself, or is not the one its release names."""

    reason = "wrong-manifest"


class ChunkError(RefusedError):
    """A chunk's bytes are not those that its hash in the manifest names."""

    reason = "corrupt-chunk"


class ForeignError(RefusedError):
    """A message on a topic that its receiver has not asked for."""

    reason = "foreign"


class RollbackError(RefusedError):
    """A statement that is older than one already accepted: a replay."""

    reason = "rollback"


class MixAndMatchError(RefusedError):
    """Things that are signed, each by itself, but contradict each other."""

    reason = "mix-and-match"


class ImpersonationError(RefusedError):
    """Something was said in a device's name that it has not said, or that contradicts it."""

    reason = "impersonation"


class WrongCohortError(RefusedError):
    """A statement for the devices of another cohort."""

    reason = "wrong-cohort"


class WrongHardwareError(RefusedError):
    """A release that was not made for this hardware."""

    reason = "wrong-hardware"


class BelowFloorError(RefusedError):
    """A release below the security floor, or a floor below an accepted one."""

    reason = "below-floor"


class FreezeError(RefusedError):
    """Metadata that has expired: nothing is installed on its word; what is served stays."""

    reason = "freeze"


class FastForwardError(RefusedError):
    """Version numbers so high that the hub's own next ones would look like a replay."""

    reason = "fast-forward"


class EndlessDataError(UndecodableError):
    """More bytes than signed metadata, or a limit of this device, allows."""

    reason = "endless-data"


class QueryError(UndecodableError):
    """A label query that is none, or is longer or deeper than is read."""


class SlowRetrievalError(RefusedError):
    """Content that signed metadata names and that does not come."""

    reason = "slow-retrieval"


class SelfTestError(RefusedError):
    """A signed model that does not prove itself on this device, or does harm when it is loaded."""

    reason = "self-test"


class QuarantinedError(RefusedError):
    """A release whose artifact has failed on this device before."""

    reason = "quarantined"


def reasons() -> frozenset[str]:
    """Every name under which a refusal is counted."""

    def below(kind: type[RefusedError]) -> set[str]:
        return {kind.reason}.union(*(below(child) for child in kind.__subclasses__()))

    return frozenset(below(RefusedError))


class InvalidIdError(FleetloopError):
    """A name holds characters that may not stand in a topic or a path."""


class AddressError(FleetloopError):
    """Text that should be a broker's address is not one."""


class DiskFullError(FleetloopError):
    """A durable write found no room; the file it was to replace is unharmed."""


class DiskFaultError(DiskFullError):
    """The disk takes no writes, or does not give back what it holds; serving goes on meanwhile.

    To whoever writes it is the same as a full disk: nothing has changed, and it is tried again.
    """
